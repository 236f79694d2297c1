"""Values of the ledger: an envelope in central's hands, and what is missing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from device.wire.chain import ChainPosition
from device.wire.claims import ResultClaims
from device.wire.receipt import Verdict


def subject_key(subject: str) -> int:
    """Eight bytes of a digest, for an index; two subjects may share one."""
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[:8], signed=True)


def slip_key(digest: str) -> int:
    """Eight bytes of a slip's digest, for an index."""
    return int.from_bytes(bytes.fromhex(digest)[:8], signed=True)


@dataclass(frozen=True, slots=True)
class Facts:
    """What reports and rules ask of an accepted result; from its claims."""

    outcome: str = ""
    source: str = ""
    request: str | None = None
    subject: str | None = field(default=None, repr=False)
    attendant: str | None = None
    outlet: str | None = None
    transaction: str | None = None
    first_reason: str | None = None
    slip: str | None = field(default=None, repr=False)

    @property
    def slip_key(self) -> int | None:
        """What the slip is found by."""
        return None if self.slip is None else slip_key(self.slip)

    @property
    def subject_key(self) -> int | None:
        """What the subject is found by."""
        return None if self.subject is None else subject_key(self.subject)

    @classmethod
    def of(cls, claims: ResultClaims | None) -> Facts:
        """The facts of claims; none of those that could not be read."""
        if claims is None:
            return cls()
        echo, reason = claims.request, claims.reasons[0] if claims.reasons else None
        if echo is None:
            return cls(claims.outcome, claims.capture.source, first_reason=reason, slip=claims.slip)
        told = (echo.id, echo.subject, echo.attendant, echo.outlet, echo.transaction)
        return cls(claims.outcome, claims.capture.source, *told, reason, claims.slip)


@dataclass(frozen=True, slots=True)
class Custody:
    """One result or anchor in central's hands.

    Attributes:
        position: its place in the chain; seq 0 is an anchor.
        linked: whether it holds that place; a fork and a foreign epoch do not.
        received: seconds since 1970.
        number: its place in the journal, from 1.
        receipted: seconds since 1970 when a receipt was sent last; None when none is noted yet.
        disputes: how many there are about it.
    """

    terminal: str
    position: ChainPosition
    sha256: str
    linked: bool
    verdict: Verdict
    reason: str | None
    received: int
    envelope: bytes = field(repr=False)
    facts: Facts = Facts()
    number: int = 0
    receipted: int | None = None
    disputes: int = 0

    @property
    def request(self) -> str | None:
        """The request that a result answers."""
        return self.facts.request


@dataclass(frozen=True, slots=True)
class OpenGap:
    """Places of a chain that central has not seen, first to last."""

    terminal: str
    epoch: int
    first: int
    last: int
    noticed: int = field(default=0, compare=False)
