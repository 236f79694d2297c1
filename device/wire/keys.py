"""Keys as text (PEM) to and from keys as values; who reads the files is not this module's matter."""

from __future__ import annotations

import re

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from device.wire.envelope import SigningKey, key_id

_PUBLIC_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


class KeyFormatError(ValueError):
    """The text is not a key of the kind that is needed."""


def parse_signing_key(pem: bytes) -> SigningKey:
    """Reads an unencrypted PKCS #8 Ed25519 private key; raises KeyFormatError."""
    key = _private_key(pem)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFormatError("not an Ed25519 private key")
    return SigningKey(key)


def parse_unsealing_key(pem: bytes) -> X25519PrivateKey:
    """Reads an unencrypted PKCS #8 X25519 private key; raises KeyFormatError."""
    key = _private_key(pem)
    if not isinstance(key, X25519PrivateKey):
        raise KeyFormatError("not an X25519 private key")
    return key


def parse_verification_keys(pem: bytes) -> dict[str, Ed25519PublicKey]:
    """Reads one or more Ed25519 public keys and returns them by id; raises KeyFormatError."""
    keys: dict[str, Ed25519PublicKey] = {}
    for block in _PUBLIC_BLOCK.findall(pem):
        try:
            key = serialization.load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm, InternalError):
            raise KeyFormatError("not a public key in PEM form") from None
        if not isinstance(key, Ed25519PublicKey):
            raise KeyFormatError("not an Ed25519 public key")
        keys[key_id(key)] = key
    if not keys:
        raise KeyFormatError("no public key in PEM form")
    return keys


def parse_sealing_key(pem: bytes) -> X25519PublicKey:
    """Reads one X25519 public key; raises KeyFormatError."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm, InternalError):
        raise KeyFormatError("not a public key in PEM form") from None
    if not isinstance(key, X25519PublicKey):
        raise KeyFormatError("not an X25519 public key")
    return key


def private_pem(
    key: Ed25519PrivateKey | X25519PrivateKey | EllipticCurvePrivateKey, passphrase: bytes | None = None
) -> bytes:
    """Writes a private key as PKCS #8, encrypted if there is a passphrase: it belongs into a file of mode 0600."""
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def public_pem(key: Ed25519PublicKey | X25519PublicKey) -> bytes:
    """Writes a public key as SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _private_key(pem: bytes) -> object:
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        raise KeyFormatError("not an unencrypted private key in PEM form") from None
