"""Checks the authority's bundle against the request that this terminal made, and writes what it says into files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.x509.oid import NameOID

from device.delivery import keys as names
from device.durable import PUBLIC, replace_file
from device.settings import SettingsError
from device.wire.enrolment import (
    AuthorityClaims,
    EnrolmentClaims,
    EnrolmentError,
    IdentityClaims,
    KeyId,
    Server,
    read_bundle,
    read_request,
)
from device.wire.fields import Claims, ClaimsError
from device.wire.keys import public_pem

REQUEST = "request.json"
BUNDLE = "bundle.json"
TRUST = "trust.json"
CLOCK_TOLERANCE = timedelta(days=1)


class Trust(Claims):
    """Whose word counts and where to ask for it, as the token said; kept beside the keys."""

    root: KeyId
    server: Server | None = None
    token: str


def read_trust(folder: Path) -> Trust:
    """Reads what the token of this generation said; raises EnrolmentError."""
    try:
        return Trust.read((folder / TRUST).read_bytes())
    except ClaimsError:
        raise EnrolmentError(f"{folder / TRUST}: is damaged: enrol again with a new token") from None


def accept_bundle(folder: Path, raw: bytes, previous: Path | None, now: datetime) -> IdentityClaims:
    """Checks a bundle for the generation in `folder` and writes its files there; raises EnrolmentError."""
    root = read_trust(folder).root
    authority, identity = read_bundle(raw, root)
    _, request, asked = read_request((folder / REQUEST).read_bytes())
    if identity.aud != asked.iss:
        raise EnrolmentError(f"the bundle is for terminal {identity.aud}, this one is {asked.iss}")
    if identity.request != request.sha256:
        raise EnrolmentError("the bundle answers another request: bring the answer to this terminal's newest request")
    _check_age(authority, identity, root, previous)
    _check_certificate(authority, identity, asked, now)
    _write(folder, raw, authority, identity)
    return identity


def installed_identity(folder: Path) -> IdentityClaims:
    """The identity of a generation in use; raises EnrolmentError."""
    return read_bundle((folder / BUNDLE).read_bytes(), read_trust(folder).root)[1]


def certificate_of(identity: IdentityClaims) -> x509.Certificate:
    """The identity's certificate; raises EnrolmentError."""
    return _certificate(identity.certificate)


def _check_age(authority: AuthorityClaims, identity: IdentityClaims, root: str, previous: Path | None) -> None:
    if previous is None:
        return
    try:
        root_before = read_trust(previous).root
        before, held = read_bundle((previous / BUNDLE).read_bytes(), root_before)
    except (EnrolmentError, FileNotFoundError):
        return  # what is held cannot be read: there is nothing to be older than
    if root == root_before and authority.serial < before.serial:
        raise EnrolmentError("the bundle is older than the one in use: ask the authority for a new one")
    if identity.epoch < held.epoch:
        raise EnrolmentError(
            f"the bundle is for chain epoch {identity.epoch}, this terminal is in {held.epoch} already"
        )


def _check_certificate(
    authority: AuthorityClaims, identity: IdentityClaims, asked: EnrolmentClaims, now: datetime
) -> None:
    signed = datetime.fromtimestamp(identity.iat, UTC)
    if now < signed - CLOCK_TOLERANCE:
        raise EnrolmentError(
            f"this terminal's clock says {now:%Y-%m-%d}, but the bundle was signed on {signed:%Y-%m-%d}: "
            "set the clock (timedatectl), then run again"
        )
    certificate = _certificate(identity.certificate)
    try:
        certificate.verify_directly_issued_by(_certificate(authority.clients))
    except (ValueError, TypeError, InvalidSignature):
        raise EnrolmentError("the certificate in the bundle is not of the bundle's authority") from None
    try:
        owner = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        ours = x509.load_der_x509_csr(asked.csr).public_key() == certificate.public_key()
    except (ValueError, IndexError, UnsupportedAlgorithm):
        owner, ours = "", False
    if owner != asked.iss or not ours:
        raise EnrolmentError("the certificate in the bundle is not for this terminal's key")
    if now >= certificate.not_valid_after_utc:
        raise EnrolmentError(
            f"the certificate in the bundle expired on {certificate.not_valid_after_utc:%Y-%m-%d}: "
            "ask the authority for a new one"
        )


def _write(folder: Path, raw: bytes, authority: AuthorityClaims, identity: IdentityClaims) -> None:
    contents = {
        names.TLS_CERTIFICATE: identity.certificate.encode(),
        names.BROKER_AUTHORITY: authority.broker.encode(),
        names.REQUEST_SIGNERS: public_pem(Ed25519PublicKey.from_public_bytes(authority.requests)),
        names.RECEIPT_SIGNERS: public_pem(Ed25519PublicKey.from_public_bytes(authority.receipts)),
        names.EVIDENCE_RECIPIENT: public_pem(X25519PublicKey.from_public_bytes(authority.evidence)),
        names.CHAIN_EPOCH: f"{identity.epoch}\n".encode(),
        BUNDLE: raw,
    }
    if authority.updates is not None:
        contents[names.UPDATE_SIGNERS] = public_pem(Ed25519PublicKey.from_public_bytes(authority.updates))
    for name, content in contents.items():
        replace_file(folder / name, content, PUBLIC)
    try:
        names.load_terminal_keys(folder)
    except SettingsError as error:
        raise EnrolmentError(f"the new keys do not fit together: {error}") from None


def _certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise EnrolmentError("a certificate in the bundle is damaged") from None
