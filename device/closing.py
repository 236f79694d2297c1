"""Closing a session: its result is signed into the outbox with its evidence, again and again until that works."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from device.admission import Admission
from device.delivery.clocks import Instant, TerminalClock
from device.delivery.database import OutboxError
from device.delivery.outbox import Outbox
from device.results import SealedEvidence, Session, Terminal, result_claims, seal_evidence
from device.slip.content import Slip
from device.verification import Verdict
from device.wire.claims import Outcome, SpokenConsent
from device.wire.fields import ClockState, uuid7

if TYPE_CHECKING:
    from device.slip.giver import SlipGiver

LOG = logging.getLogger(__name__)
RESULT_SHOWN_S = 4.0
APPEND_RETRY_S = 1.0
# A refusal is the customer's right and no failure, and nobody asks again.
NO_FAILURES = frozenset({Outcome.VERIFIED, Outcome.WITNESSED, Outcome.DECLINED})


@dataclass(slots=True)
class Finished:
    """A session that ended: its result is signed as soon as the outbox takes it, its outcome shown for a while."""

    session: Session
    verdict: Verdict
    result: str
    evidence: SealedEvidence | None = field(repr=False)
    shown_until: float
    spoken: SpokenConsent | None = None
    signed: bool = False
    retry_at: float = 0.0


class Closing:
    """Signs the results of one terminal."""

    def __init__(
        self,
        terminal: Terminal,
        outbox: Outbox,
        clock: TerminalClock,
        admission: Admission,
        evidence_recipient: X25519PublicKey | None,
        slips: SlipGiver | None = None,
    ) -> None:
        self._terminal, self._outbox, self._clock = terminal, outbox, clock
        self._admission, self._recipient, self._slips = admission, evidence_recipient, slips

    @property
    def gives_slips(self) -> bool:
        """Whether customers get slips here."""
        return self._slips is not None

    def next_customer(self) -> None:
        """Nothing of the session before is left at the counter."""
        if self._slips is not None:
            self._slips.next_customer()

    def finish(self, session: Session, verdict: Verdict, at: float, spoken: SpokenConsent | None = None) -> Finished:
        """Counts the outcome and seals the evidence; from now on only central can read it."""
        self._admission.ended(failed=verdict.decision.outcome not in NO_FAILURES)
        result = uuid7(max(0, int(self._clock.read().unix_s * 1000)), secrets.token_bytes(10))
        evidence, echo = None, session.request.echo
        if verdict.evidence is not None and self._recipient is not None and echo is not None:
            evidence = seal_evidence(
                verdict.evidence, self._recipient, result=result, terminal=self._terminal.id, purpose=echo.purpose
            )
        shown_until = at + RESULT_SHOWN_S
        return Finished(session, replace(verdict, evidence=None), result, evidence, shown_until, spoken)

    def sign(self, finished: Finished, at: float) -> bool:
        """Signs the result unless that was done, or just failed; returns whether it is in the outbox."""
        if finished.signed or at < finished.retry_at:
            return finished.signed
        now, evidence = self._clock.read(), finished.evidence
        mark = None if evidence is None else evidence.mark
        try:
            self._outbox.append(
                lambda position: result_claims(
                    position,
                    self._terminal,
                    finished.session,
                    finished.verdict,
                    now,
                    finished.result,
                    mark,
                    finished.spoken,
                ),
                evidence=None if evidence is None else evidence.sealed,
                remember=self._admission.counts(),
            )
        except OutboxError as error:
            LOG.error("the result is kept in memory until the outbox works again: %s", error)
            finished.retry_at = at + APPEND_RETRY_S
            return False
        finished.signed = True
        finished.shown_until = at + RESULT_SHOWN_S
        self._give_slip(finished, now)
        return True

    def _give_slip(self, finished: Finished, now: Instant) -> None:
        """Only now: a slip for a result that no disk holds would be a lie. The terminal forgets its code."""
        session, echo, spoken = finished.session, finished.session.request.echo, finished.spoken
        if self._slips is None or session.slip is None:
            return
        self._slips.give(
            Slip(
                terminal=self._terminal.id,
                at=datetime.fromtimestamp(now.unix_s).astimezone(),
                clock_set=now.state is not ClockState.NEVER_SYNCED,
                language=self._slips.language if spoken is None else spoken.language,
                outlet=None if echo is None else echo.outlet,
                purpose=None if echo is None else echo.purpose,
                outcome=finished.verdict.decision.outcome,
                code=session.slip.code,
            )
        )
        finished.session = replace(session, slip=None)
