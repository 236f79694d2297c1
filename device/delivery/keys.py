"""The terminal's keys: one folder, fixed names, one key for each purpose; secrets are born here and stay here."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.x509.oid import NameOID

from device.delivery.at_rest import passphrase, read_private_key
from device.settings import SettingsError
from device.wire.chain import FIRST_EPOCH
from device.wire.envelope import SigningKey, VerificationKeys
from device.wire.keys import (
    KeyFormatError,
    parse_sealing_key,
    parse_signing_key,
    parse_unsealing_key,
    parse_verification_keys,
    private_pem,
)

RESULT_KEY = "result.key"
UNSEALING_KEY = "unsealing.key"
TLS_KEY = "tls.key"
TLS_CERTIFICATE = "tls.pem"
BROKER_AUTHORITY = "broker-ca.pem"
REQUEST_SIGNERS = "central-requests.pem"
RECEIPT_SIGNERS = "central-receipts.pem"
EVIDENCE_RECIPIENT = "central-evidence.pem"
UPDATE_SIGNERS = "authority-updates.pem"
CHAIN_EPOCH = "chain-epoch"

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What the connection to the broker needs, as paths, what opens the key, and until when the certificate serves."""

    authority: Path
    certificate: Path
    key: Path
    not_before: datetime
    not_after: datetime
    passphrase: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TerminalKeys:
    """Everything the terminal signs, opens and verifies with.

    Attributes:
        terminal: its id, from its certificate's common name.
        result_key: signs results and births.
        unsealing_key: opens references.
        request_signers: whose requests count.
        receipt_signers: whose receipts count.
        evidence_recipient: who may read evidence; None: this terminal sends none.
        epoch: the chain epoch that these keys sign in.
    """

    terminal: str
    result_key: SigningKey
    unsealing_key: X25519PrivateKey = field(repr=False)
    request_signers: VerificationKeys = field(repr=False)
    receipt_signers: VerificationKeys = field(repr=False)
    tls: TlsFiles
    evidence_recipient: X25519PublicKey | None = field(default=None, repr=False)
    epoch: int = FIRST_EPOCH


@dataclass(frozen=True, slots=True)
class NewKeys:
    """The public halves of freshly made keys, for whoever enrols the terminal."""

    result: Ed25519PublicKey
    unsealing: X25519PublicKey
    tls: ec.EllipticCurvePublicKey


class KeysInUse:
    """Notices that a rotation put other keys in the place of those that were loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._loaded = folder, folder.resolve()

    @property
    def replaced(self) -> bool:
        """Whether the folder is another one by now."""
        return self._folder.resolve() != self._loaded


def load_terminal_keys(folder: Path) -> TerminalKeys:
    """Loads the folder; raises SettingsError with one line that names the file."""
    tls, terminal = _tls_identity(folder)
    return TerminalKeys(
        terminal=terminal,
        result_key=_parsed(folder / RESULT_KEY, read_private_key, parse_signing_key),
        unsealing_key=_parsed(folder / UNSEALING_KEY, read_private_key, parse_unsealing_key),
        request_signers=_parsed(folder / REQUEST_SIGNERS, _read_public_file, parse_verification_keys),
        receipt_signers=_parsed(folder / RECEIPT_SIGNERS, _read_public_file, parse_verification_keys),
        tls=tls,
        evidence_recipient=_parsed_if_there(folder / EVIDENCE_RECIPIENT, parse_sealing_key),
        epoch=_parsed_if_there(folder / CHAIN_EPOCH, _parse_epoch) or FIRST_EPOCH,
    )


def load_update_signers(folder: Path) -> VerificationKeys:
    """Loads whose updates count; raises SettingsError."""
    path = folder / UPDATE_SIGNERS
    if not path.exists():
        why = "is not there: this terminal knows no key for updates: likeness-terminal rotate --now, then run again"
        raise SettingsError([f"{path}: {why}"])
    return _parsed(path, _read_public_file, parse_verification_keys)


def load_terminal_id(folder: Path) -> str:
    """Loads who this terminal is, and no private key; raises SettingsError."""
    return _certified(folder)[1]


def create_terminal_keys(folder: Path) -> NewKeys:
    """Makes the three private keys in `folder`; raises FileExistsError rather than replace one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    result, unsealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    tls = ec.generate_private_key(ec.SECP256R1())
    for name, key in ((RESULT_KEY, result), (UNSEALING_KEY, unsealing), (TLS_KEY, tls)):
        write_private_file(folder / name, private_pem(key, passphrase()))
    return NewKeys(result.public_key(), unsealing.public_key(), tls.public_key())


def write_private_file(path: Path, raw: bytes) -> None:
    """Creates a file of mode 0600 and makes sure it is on the disk; raises FileExistsError when it is there already."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _parsed(path: Path, read: Callable[[Path], bytes], parse: Callable[[bytes], Key]) -> Key:
    try:
        return parse(read(path))
    except KeyFormatError as error:
        raise SettingsError([f"{path}: {error}"]) from None


def _parsed_if_there(path: Path, parse: Callable[[bytes], Key]) -> Key | None:
    return _parsed(path, _read_public_file, parse) if path.exists() else None


def _parse_epoch(raw: bytes) -> int:
    text = raw.strip()
    if len(text) > 16 or not text.isdigit() or not FIRST_EPOCH <= int(text) < 2**53:
        raise KeyFormatError("not a chain epoch: write a whole number from 1, and nothing else")
    return int(text)


def _read_public_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror or error}"]) from None


def _certified(folder: Path) -> tuple[x509.Certificate, str]:
    path = folder / TLS_CERTIFICATE
    pem = _read_public_file(path)
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return certificate, str(names[0].value)
    except (ValueError, IndexError):
        raise SettingsError([f"{path}: not a certificate with a common name"]) from None


def _tls_identity(folder: Path) -> tuple[TlsFiles, str]:
    path, (certificate, terminal) = folder / TLS_CERTIFICATE, _certified(folder)
    # OpenSSL will load the key by its path, and looks neither at its mode nor, in clear words, at its content.
    key = folder / TLS_KEY
    pem = read_private_key(key)
    try:
        fits = serialization.load_pem_private_key(pem, None).public_key() == certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        fits = False
    if not fits:
        raise SettingsError([f"{key}: is not the private key of {path.name}"])
    authority, since, until = (
        folder / BROKER_AUTHORITY,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
    return TlsFiles(authority, path, key, since, until, passphrase()), terminal
