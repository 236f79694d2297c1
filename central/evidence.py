"""Sealed evidence in central's hands: kept as it came, and opened by whoever holds central's evidence key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from central.database import Database
from device.wire.claims import ResultClaims
from device.wire.envelope import Envelope
from device.wire.evidence import EvidenceClaims, EvidencePack
from device.wire.fields import ClaimsError, decode_base64url
from device.wire.receipt import ReceiptEntry, Verdict
from device.wire.sealing import SealingError, evidence_context, unseal


class EvidenceError(ValueError):
    """Evidence cannot be opened; the message is one line."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Evidence whose signature holds."""

    terminal: str
    envelope: Envelope = field(repr=False)
    claims: EvidenceClaims = field(repr=False)


class Evidence:
    """The evidence of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, sealed: Sealed, now: int) -> ReceiptEntry:
        """Takes evidence into custody, once; to be called inside a transaction."""
        terminal, claims, sha256 = sealed.terminal, sealed.claims, sealed.envelope.sha256
        query = "SELECT verdict, reason FROM evidence WHERE terminal = ? AND sha256 = ?"
        known = self._database.rows(query, terminal, sha256)
        if known:
            verdict, reason = Verdict(known[0][0]), known[0][1]
        else:
            reason = self._distrust(sealed)
            verdict = Verdict.QUARANTINED if reason else Verdict.ACCEPTED
            self._database.rows(
                "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                terminal, sha256, claims.epoch, claims.seq, claims.result, verdict.value, reason, now,
                sealed.envelope.raw,
            )  # fmt: skip
        return ReceiptEntry(epoch=claims.epoch, seq=claims.seq, sha256=sha256, verdict=verdict, reason=reason)

    def of(self, result: str) -> list[tuple[str, EvidenceClaims, ResultClaims]]:
        """Terminal, evidence and result of the accepted evidence of a result's id."""
        query = "SELECT terminal, envelope FROM evidence WHERE result = ? AND verdict = 'accepted'"
        found = []
        for terminal, envelope in self._database.rows(query, result):
            claims = EvidenceClaims.read(_payload(envelope))
            held = self._result(terminal, claims)
            if held is not None:
                found.append((terminal, claims, held))
        return found

    def _distrust(self, sealed: Sealed) -> str | None:
        result, claims = self._result(sealed.terminal, sealed.claims), sealed.claims
        if result is None:
            return "unknown-result"
        mark = result.evidence
        same = mark is not None and (mark.sha256, mark.bytes) == (
            hashlib.sha256(claims.sealed).hexdigest(),
            len(claims.sealed),
        )
        return None if same and result.jti == claims.result else "contradicts-result"

    def _result(self, terminal: str, claims: EvidenceClaims) -> ResultClaims | None:
        """The result at the place that the evidence names; verified when it was taken."""
        query = """SELECT coalesce(results.envelope, quarantine.envelope) FROM journal
            LEFT JOIN results ON results.number = journal.number
            LEFT JOIN quarantine ON quarantine.number = journal.number
            WHERE terminal = ? AND epoch = ? AND seq = ? AND linked"""
        rows = self._database.rows(query, terminal, claims.epoch, claims.seq)
        try:
            return ResultClaims.read(_payload(rows[0][0])) if rows else None
        except ClaimsError:
            return None


def open_evidence(terminal: str, claims: EvidenceClaims, result: ResultClaims, key: X25519PrivateKey) -> EvidencePack:
    """Opens evidence with central's evidence key; raises EvidenceError."""
    purpose = result.request.purpose if result.request else ""
    try:
        packed = unseal(claims.sealed, key, evidence_context(result=claims.result, terminal=terminal, purpose=purpose))
        return EvidencePack.read(packed)
    except (SealingError, ClaimsError) as error:
        raise EvidenceError(f"the evidence of {claims.result} {error}") from None


def _payload(envelope: bytes) -> bytes:
    return decode_base64url(envelope.split(b".")[1].decode())
