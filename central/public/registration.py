"""What a slip stands for, as far as its customer may see it: no score, no face, no pseudonym, nobody's name."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from central.disputes import Dispute
from central.registry import Registry
from central.shown import opened
from central.slips import SlipResult
from device.wire.claims import Outcome, ResultClaims
from device.wire.fields import ClockState

LOG = logging.getLogger(__name__)
SET_APART = "set-apart"


@dataclass(frozen=True, slots=True)
class Registration:
    """One result of the customer's own.

    Attributes:
        number: its place in the journal.
        at: when, seconds since 1970: by the terminal's clock where that was right, else when it came to central.
        has_arrived: `at` is when it came.
        outcome: as the terminal said; `set-apart` where central does not believe it.
        grade: of the reference; empty when there was none.
        has_number: the phone number that was given along is the one it was asked for.
    """

    number: int
    at: int
    has_arrived: bool
    outlet: str
    purpose: str
    outcome: str
    grade: str
    is_live: bool
    has_number: bool
    disputes: tuple[Dispute, ...] = field(default=())

    @property
    def is_witnessed(self) -> bool:
        """Whether the attendant vouched and nobody's face was looked at."""
        return self.outcome == Outcome.WITNESSED


def registration(found: SlipResult, digest: str, registry: Registry) -> Registration | None:
    """Reads a result, verified again; None when it is not the slip's, or does not hold."""
    again = opened(found.envelope, registry)
    claims = again.claims
    if again.fault:
        LOG.error("result %d does not hold: %s", found.number, again.fault)
    if again.fault or claims is None or claims.slip != digest:
        return None
    is_timely = found.is_accepted and claims.clock == ClockState.SYNCED
    return Registration(
        number=found.number,
        at=claims.iat if is_timely else found.received,
        has_arrived=not is_timely,
        outlet=_outlet(claims, registry),
        purpose=claims.request.purpose if claims.request else "",
        outcome=claims.outcome if found.is_accepted else SET_APART,
        grade=claims.reference.grade if claims.reference else "",
        is_live=claims.is_live,
        has_number=found.has_number,
    )


def _outlet(claims: ResultClaims, registry: Registry) -> str:
    """Where it was: as the request said, or where the terminal stands."""
    if claims.request is not None:
        return claims.request.outlet
    entry = registry.terminals.get(claims.iss)
    return entry.outlet if entry else ""
