"""From a finished session to the claims of its result; clocks and chance are handed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from device.camera import CaptureSource
from device.delivery.clocks import Instant
from device.delivery.requests import AcceptedRequest
from device.liveness.evidence import Record, StepRecord
from device.slip.code import SlipCode
from device.verification import Verdict
from device.wire.chain import ChainPosition
from device.wire.claims import Capture, Challenge, Comparison, Light, ResultClaims, Software, SpokenConsent, StepTiming
from device.wire.evidence import EvidenceMark, EvidencePack
from device.wire.light import LightChoice, LightCode, LightVerdict
from device.wire.plan import Action, Plan, guess_probability
from device.wire.sealing import evidence_context, seal


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a request: what its plan was derived from.

    Attributes:
        request: what central asked for.
        attempt: 1 for the first session of the request.
        id: the session's id.
        salt: drawn for this session.
        plan: derived from all of it.
        actions: the set that the plan was drawn from.
        alternative: the plan that the customer may choose instead; None when none was offered, or it was chosen.
        light: so is the colour code; None when the ring stays dark.
        slip: the code for the customer's slip, until it was given; None when there are no slips.
    """

    request: AcceptedRequest
    attempt: int
    id: str
    salt: bytes
    plan: Plan
    actions: tuple[Action, ...]
    alternative: Plan | None = None
    chose_alternative: bool = False
    light: LightCode | None = None
    slip: SlipCode | None = None

    def with_alternative(self) -> Session:
        """The session once the customer chose the alternative; there is no way back. Raises ValueError without one."""
        offered = self.request.policy.alternative
        if offered is None or self.alternative is None:
            raise ValueError("no alternative was offered, or it was chosen before")
        return replace(self, plan=self.alternative, actions=offered.actions, alternative=None, chose_alternative=True)


@dataclass(frozen=True, slots=True)
class Terminal:
    """What every result of this process says of the terminal."""

    id: str
    boot: str
    consent: str
    software: Software
    source: CaptureSource
    has_ring: bool = False


@dataclass(frozen=True, slots=True)
class SealedEvidence:
    """The evidence of one result, which only central can open, and its mark in the result."""

    sealed: bytes = field(repr=False)
    mark: EvidenceMark


def seal_evidence(
    pack: EvidencePack, recipient: X25519PublicKey, *, result: str, terminal: str, purpose: str
) -> SealedEvidence:
    """Seals what is in `pack` to central, for the result with this id only."""
    sealed = seal(pack.write(), recipient, evidence_context(result=result, terminal=terminal, purpose=purpose))
    return SealedEvidence(
        sealed, EvidenceMark(sha256=hashlib.sha256(sealed).hexdigest(), bytes=len(sealed), kinds=pack.kinds)
    )


def result_claims(
    position: ChainPosition,
    terminal: Terminal,
    session: Session,
    verdict: Verdict,
    now: Instant,
    id_: str,
    evidence: EvidenceMark | None = None,
    spoken: SpokenConsent | None = None,
) -> ResultClaims:
    """Returns the claims of the result `id_` for a place in the chain."""
    comparison, record = verdict.comparison, verdict.final.record
    return ResultClaims(
        iss=terminal.id,
        jti=id_,
        iat=max(0, int(now.unix_s)),
        epoch=position.epoch,
        seq=position.seq,
        prev=position.prev,
        boot=terminal.boot,
        uptime_s=now.uptime_s,
        clock=now.state,
        offline=session.request.echo is None,
        nonce=session.request.nonce,
        request=session.request.echo,
        consent=terminal.consent,
        spoken=spoken,
        outcome=verdict.decision.outcome,
        reasons=verdict.decision.reasons,
        sentence=verdict.decision.sentence,
        comparison=None
        if comparison is None
        else Comparison(
            score=comparison.score,
            threshold=comparison.threshold,
            fmr=session.request.policy.fmr,
            match=comparison.match,
        ),
        challenge=_challenge(terminal, session, verdict),
        capture=Capture(
            source=terminal.source.value,
            frames=record.frames if record is not None else 0,
            fps=round(record.fps, 3) if record is not None else 0.0,
        ),
        reference=session.request.mark or verdict.mark,
        evidence=evidence,
        slip=None if session.slip is None else session.slip.digest,
        software=terminal.software,
    )


def _challenge(terminal: Terminal, session: Session, verdict: Verdict) -> Challenge | None:
    policy, record = session.request.policy, verdict.final.record
    if record is None:
        return None
    asked = policy.light is not LightChoice.OFF
    return Challenge(
        salt=session.salt,
        session=session.id,
        actions=session.actions,
        plan=session.plan.actions,
        pauses_s=session.plan.pauses_s,
        alternative=session.chose_alternative,
        steps=tuple(_timing(step, record) for step in record.steps),
        guess_probability=guess_probability(session.actions, len(session.plan.actions)),
        light=_light(session, verdict, record) if asked or terminal.has_ring else None,
    )


def _light(session: Session, verdict: Verdict, record: Record) -> Light:
    choice, code, found = session.request.policy.light, session.light, verdict.light
    if code is None or found is None:
        return Light(choice=choice, verdict=LightVerdict.OFF if choice is LightChoice.OFF else LightVerdict.NO_RING)
    shown = code.begun(record.last_at - record.started_at)
    return Light(
        choice=choice,
        verdict=found.verdict,
        colours=code.colours[:shown],
        starts_s=code.starts_s[:shown],
        correlation=_rounded(found.correlation),
        latency_s=_rounded(found.latency_s),
        gain=_rounded(found.gain),
        background_gain=_rounded(found.background_gain),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _timing(step: StepRecord, record: Record) -> StepTiming:
    def since_start(at: float | None) -> float | None:
        return None if at is None else round(at - record.started_at, 3)

    return StepTiming(
        action=step.action,
        cue_s=round(step.cue_at - record.started_at, 3),
        onset_s=since_start(step.onset_at),
        done_s=since_start(step.done_at),
        passed=step.passed,
    )
