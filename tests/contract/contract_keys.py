"""The keys of the test vectors, made from their names: anybody may hold them, nobody may use them."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from device.wire.envelope import SigningKey
from device.wire.fields import encode_base64url


def seed(label: str) -> bytes:
    """32 bytes for a name."""
    return hashlib.sha256(f"likeness test vector: {label}".encode()).digest()


def signing_key(label: str) -> SigningKey:
    return SigningKey(Ed25519PrivateKey.from_private_bytes(seed(label)))


RESULT_KEYS = {name: signing_key(f"{name} result") for name in ("shop-1", "shop-2", "shop-3")}
OLD_RESULT_KEY = signing_key("shop-1 old result")
REQUEST_KEY, RECEIPT_KEY = signing_key("central requests"), signing_key("central receipts")
UPDATE_KEY = signing_key("authority updates")
STRANGER = signing_key("stranger")
EVIDENCE_KEY = X25519PrivateKey.from_private_bytes(seed("central evidence"))
UNSEALING_KEYS = {name: X25519PrivateKey.from_private_bytes(seed(f"{name} unsealing")) for name in RESULT_KEYS}


def key_file() -> dict[str, Any]:
    """keys.json: who signs what, and central's registry."""
    results = [_jwk(key, terminal=name, revoked=False) for name, key in RESULT_KEYS.items()]
    return {
        "results": [*results, _jwk(OLD_RESULT_KEY, terminal="shop-1", revoked=True)],
        "requests": [_jwk(REQUEST_KEY)],
        "receipts": [_jwk(RECEIPT_KEY)],
        "updates": [_jwk(UPDATE_KEY)],
        "unsealing": [
            {"terminal": name, "kty": "OKP", "crv": "X25519"} | _halves(key) for name, key in UNSEALING_KEYS.items()
        ],
        "evidence": {"kty": "OKP", "crv": "X25519"} | _halves(EVIDENCE_KEY),
        "terminals": {
            "shop-1": {"epoch": 1, "revoked": False},
            "shop-2": {"epoch": 2, "revoked": False},
            "shop-3": {"epoch": 1, "revoked": True},
        },
    }


def _jwk(key: SigningKey, **more: Any) -> dict[str, Any]:
    return {"kid": key.kid, "kty": "OKP", "crv": "Ed25519"} | _halves(key.private) | more


def _halves(key: Ed25519PrivateKey | X25519PrivateKey) -> dict[str, str]:
    return {"x": encode_base64url(key.public_key().public_bytes_raw()), "d": encode_base64url(key.private_bytes_raw())}


def forged(header: Any, payload: bytes, key: SigningKey) -> bytes:
    """An envelope with any header, signed over exactly these bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    signed = f"{encode_base64url(text)}.{encode_base64url(payload)}".encode()
    return signed + b"." + encode_base64url(key.private.sign(signed)).encode()


def seal(plaintext: bytes, recipient: X25519PublicKey, info: bytes, label: str) -> bytes:
    """HPKE as the contract has it (RFC 9180, base mode), with an ephemeral key that is always the same."""
    ephemeral = X25519PrivateKey.from_private_bytes(seed(f"ephemeral {label}"))
    encapsulated, public = ephemeral.public_key().public_bytes_raw(), recipient.public_bytes_raw()
    kem = b"KEM\x00\x20"
    suite = b"HPKE\x00\x20\x00\x01\x00\x02"
    shared = _extract_expand(kem, b"", b"eae_prk", ephemeral.exchange(recipient), encapsulated + public)
    context = b"\0" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    key, nonce = (
        _expand(suite, secret, label, context, length) for label, length in ((b"key", 32), (b"base_nonce", 12))
    )
    return encapsulated + AESGCM(key).encrypt(nonce, plaintext, b"")


def _extract_expand(suite: bytes, salt: bytes, label: bytes, material: bytes, context: bytes) -> bytes:
    return _expand(suite, _extract(suite, salt, label, material), b"shared_secret", context, 32)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """One block is enough: nothing here is longer than 32 bytes."""
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
    return hmac.digest(secret, info + b"\x01", "sha256")[:length]
