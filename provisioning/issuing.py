"""Answers a terminal's request: who vouches for it, what it may have, and the bundle; one transaction records it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.x509.oid import NameOID

from device.wire.enrolment import (
    BundleDocument,
    EnrolmentClaims,
    EnrolmentError,
    IdentityClaims,
    RequestDocument,
    read_approval,
    read_request,
)
from device.wire.envelope import Envelope, Kind, sign
from device.wire.fields import decode_base64url, encode_base64url
from provisioning.authority import OpenAuthority, check_clock
from provisioning.records import Answer, Records, TerminalRecord
from provisioning.tokens import check_token
from provisioning.vault import ProvisioningError

LIFETIME = timedelta(days=30)


class NewKeysOrderedError(ProvisioningError):
    """The terminal asks for a certificate only, and new keys were ordered of it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The bundle for a terminal; `repeated` when this very bundle was given before."""

    terminal: str
    epoch: int
    bundle: bytes
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that was read and whose signatures hold."""

    document: RequestDocument
    envelope: Envelope
    claims: EnrolmentClaims
    tls: ec.EllipticCurvePublicKey

    @property
    def result(self) -> str:
        return encode_base64url(self.document.result)


def answer_request(
    authority: OpenAuthority, records: Records, raw: bytes, now: datetime, lifetime: timedelta = LIFETIME
) -> Answered:
    """Returns the bundle for a request file; the same request gets the same bundle. Raises one-line errors."""
    check_clock(now)
    asked = _read(raw)
    with records.alone():
        return _answer(authority, records, asked, now, lifetime)


def _answer(authority: OpenAuthority, records: Records, asked: _Asked, now: datetime, lifetime: timedelta) -> Answered:
    terminal = records.terminal(asked.claims.iss)
    given = records.answer(asked.envelope.sha256)
    if given is not None:
        _check_still_good(records, terminal, given)
        if now.timestamp() < given.renew_at:
            return Answered(terminal.id, given.epoch, given.bundle, repeated=True)
    else:
        _check_voucher(authority, records, terminal, asked, now)
    epoch = terminal.epoch + (given is None and asked.result not in records.result_keys(terminal.id))
    certificate = authority.clients.issue_client(terminal.id, asked.tls, now - timedelta(hours=1), now + lifetime)
    bundle = _bundle(authority, asked, certificate, epoch, now)
    renew_at = int((now + lifetime / 3).timestamp())
    issued = Answer(asked.envelope.sha256, terminal.id, asked.result, epoch, renew_at, bundle)
    with records.change() as database:
        _record(database, asked, issued, x509.load_pem_x509_certificate(certificate), now)
    return Answered(terminal.id, epoch, bundle, repeated=False)


def _read(raw: bytes) -> _Asked:
    document, envelope, claims = read_request(raw)
    try:
        csr = x509.load_der_x509_csr(claims.csr)
        owner, tls = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value, csr.public_key()
        sound = csr.is_signature_valid
    except (ValueError, IndexError, TypeError, UnsupportedAlgorithm):
        raise EnrolmentError("the request's certificate request is damaged") from None
    if not sound or not isinstance(tls, ec.EllipticCurvePublicKey) or not isinstance(tls.curve, ec.SECP256R1):
        raise EnrolmentError("the request does not prove that the terminal has a P-256 key for TLS")
    if owner != claims.iss:
        raise EnrolmentError("the request and its certificate request name two different terminals")
    try:
        # A point of low order: what is sealed to it everybody can open.
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(claims.unsealing))
    except ValueError:
        raise EnrolmentError("the request's unsealing key is not one that anything may be sealed to") from None
    return _Asked(document, envelope, claims, tls)


def _check_still_good(records: Records, terminal: TerminalRecord, given: Answer) -> None:
    newest = records.result_keys(terminal.id)[:1]
    if terminal.revoked or [given.result_key] != newest:
        raise ProvisioningError(
            f"the request was answered before, and its keys do not count any more: "
            f"enrol again with a new token: likeness-provision token {terminal.id}"
        )


def _check_voucher(
    authority: OpenAuthority, records: Records, terminal: TerminalRecord, asked: _Asked, now: datetime
) -> None:
    if asked.document.token is not None:
        check_token(authority, records, asked.document.token, terminal.id, asked.envelope.sha256, now)
        if records.result_key_owner(asked.result) is not None:
            raise ProvisioningError("the request's result key is known already: the terminal has to make new keys")
        return
    if terminal.revoked:
        raise ProvisioningError(f"{terminal.id} was revoked: only a new token brings it back")
    newest = records.result_keys(terminal.id)[:1]
    if not newest:
        raise ProvisioningError(
            f"{terminal.id} is not enrolled: it needs a token: likeness-provision token {terminal.id}"
        )
    approving = Ed25519PublicKey.from_public_bytes(decode_base64url(newest[0]))
    read_approval(asked.document, asked.envelope, approving, terminal.id)
    renews_only = asked.result == newest[0]
    if renews_only and terminal.new_keys_ordered:
        raise NewKeysOrderedError("new keys were ordered: likeness-terminal rotate --new-keys")
    if not renews_only and not terminal.new_keys_ordered:
        raise ProvisioningError(f"nobody ordered new keys: likeness-provision rotate {terminal.id} comes first")
    if not renews_only and records.result_key_owner(asked.result) is not None:
        raise ProvisioningError("the request's result key is known already: the terminal has to make new keys")


def _bundle(authority: OpenAuthority, asked: _Asked, certificate: bytes, epoch: int, now: datetime) -> bytes:
    identity = IdentityClaims(
        iss=authority.name,
        aud=asked.claims.iss,
        iat=int(now.timestamp()),
        request=asked.envelope.sha256,
        certificate=certificate.decode(),
        epoch=epoch,
    )
    signed = sign(Kind.IDENTITY, identity.write(), authority.issuing)
    return BundleDocument(
        root=authority.root.private.public_key().public_bytes_raw(),
        authority=authority.statement.decode(),
        identity=signed.raw.decode(),
    ).write()


def _record(
    database: sqlite3.Connection, asked: _Asked, issued: Answer, certificate: x509.Certificate, now: datetime
) -> None:
    terminal, token, moment = issued.terminal, asked.document.token, int(now.timestamp())
    if token is not None:
        database.execute("UPDATE tokens SET used_by = ? WHERE id = ?", (issued.request, token.id.hex()))
        # A new enrolment: whoever holds the card of before shall not reach the broker any more.
        database.execute(
            "UPDATE certificates SET revoked_at = ? WHERE owner = ? AND revoked_at IS NULL", (moment, terminal)
        )
    new_key = (issued.result_key, terminal, issued.epoch)
    database.execute("INSERT INTO result_keys VALUES (?, ?, ?, 0) ON CONFLICT (public) DO NOTHING", new_key)
    database.execute(
        "UPDATE terminals SET epoch = ?, unsealing = ?, revoked = 0, "
        "new_keys_ordered = new_keys_ordered AND epoch = ? WHERE id = ?",
        (issued.epoch, encode_base64url(asked.claims.unsealing), issued.epoch, terminal),
    )
    until = int(certificate.not_valid_after_utc.timestamp())
    database.execute(
        "INSERT INTO certificates VALUES (?, ?, ?, NULL)", (f"{certificate.serial_number:x}", terminal, until)
    )
    database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", _row(issued))


def _row(issued: Answer) -> tuple[object, ...]:
    return (issued.request, issued.terminal, issued.result_key, issued.epoch, issued.renew_at, issued.bundle)
