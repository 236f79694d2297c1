"""Results as the lines of a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from central.console.tallies import claims_of, decision_s
from central.custody import Custody
from device.wire.receipt import Verdict


@dataclass(frozen=True, slots=True)
class Line:
    """One line; what a result claims is shown as claimed only where it was accepted.

    Attributes:
        outcome: of an accepted result; `set-apart` of a quarantined one, `anchor` of an anchor.
        why: the first reason of an accepted result, the reason of central of another.
        score: of the comparison, when there was one.
        seconds: from the first frame to the last.
    """

    number: int
    received: int
    terminal: str
    outcome: str
    why: str
    outlet: str
    attendant: str
    score: float | None
    seconds: float | None
    live: bool
    disputed: bool


def lines(custodies: Iterable[Custody]) -> list[Line]:
    """One for each."""
    return [_line(custody) for custody in custodies]


def _line(custody: Custody) -> Line:
    facts, claims = custody.facts, None
    outcome, why = "set-apart", custody.reason or ""
    if custody.verdict is Verdict.ACCEPTED:
        outcome, why = ("anchor", "") if custody.position.seq == 0 else (facts.outcome, facts.first_reason or "")
        claims = claims_of(custody.envelope)
    comparison, capture = (claims.comparison, claims.capture) if claims else (None, None)
    return Line(
        number=custody.number,
        received=custody.received,
        terminal=custody.terminal,
        outcome=outcome,
        why=why,
        outlet=facts.outlet or "",
        attendant=facts.attendant or "",
        score=comparison.score if comparison else None,
        seconds=decision_s(capture.frames, capture.fps) if capture else None,
        live=claims.is_live if claims else True,
        disputed=custody.disputes > 0,
    )
