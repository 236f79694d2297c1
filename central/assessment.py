"""What a result says against itself, and against the request it answers. Pure: central's own recomputation."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Self

from device.wire.claims import Challenge, Grade, Outcome, RequestEcho, ResultClaims, StepTiming
from device.wire.evidence import EvidenceKind
from device.wire.fields import Claims, Nonce, Sha256, TerminalId, Uuid
from device.wire.light import LightChoice, LightVerdict, derive_light
from device.wire.plan import (
    MAX_CHALLENGE_S,
    MAX_REACTION_S,
    MAX_STEP_S,
    MIN_FPS,
    MIN_REACTION_S,
    PlanError,
    derive_plan,
    guess_probability,
)
from device.wire.request import Policy, RequestClaims

ROUNDING_S = 0.002
FRAME_TOLERANCE_S = 0.15
"""Step times are those of frames: a pause may look shorter by up to a frame at each end."""


class Distrust(StrEnum):
    """Why a result that is well signed is quarantined."""

    FORK = "fork"
    STALE_EPOCH = "stale-epoch"
    UNANCHORED_EPOCH = "unanchored-epoch"
    MALFORMED_CLAIMS = "malformed-claims"
    REVOKED = "revoked"
    NOT_LIVE = "not-live"
    PLAN_MISMATCH = "plan-mismatch"
    STEPS_CONTRADICT_PLAN = "steps-contradict-plan"
    LIGHT_MISMATCH = "light-mismatch"
    WITNESSED_CONTRADICTS_ITSELF = "witnessed-contradicts-itself"
    COMPARISON_CONTRADICTS_ITSELF = "comparison-contradicts-itself"
    VERIFIED_WITHOUT_EVIDENCE = "verified-without-evidence"
    UNKNOWN_REQUEST = "unknown-request"
    CONTRADICTS_REQUEST = "contradicts-request"
    TOO_MANY_RESULTS = "too-many-results"


class Asked(Claims):
    """What a request asked for, without the portrait: enough to judge its results by, and fit to be kept."""

    aud: TerminalId
    boot: Uuid
    nonce: Nonce
    echo: RequestEcho
    policy: Policy
    grade: Grade
    commitment: Sha256 | None = None

    @classmethod
    def of(cls, request: RequestClaims) -> Self:
        """What is to be kept of a request."""
        return cls(
            aud=request.aud,
            boot=request.boot,
            nonce=request.nonce,
            echo=request.echo(),
            policy=request.policy,
            grade=request.grade,
            commitment=request.reference.commitment if request.reference else None,
        )


def contradiction(claims: ResultClaims) -> Distrust | None:
    """Returns what the result says against itself, or None."""
    comparison, challenge = claims.comparison, claims.challenge
    if challenge is not None:
        if not _plan_holds(claims, challenge):
            return Distrust.PLAN_MISMATCH
        if not _steps_hold(challenge):
            return Distrust.STEPS_CONTRADICT_PLAN
        if not _light_holds(claims, challenge):
            return Distrust.LIGHT_MISMATCH
    if comparison is not None and comparison.match != (comparison.score >= comparison.threshold):
        return Distrust.COMPARISON_CONTRADICTS_ITSELF
    if claims.outcome == Outcome.WITNESSED and (claims.offline or _looked_at_somebody(claims)):
        return Distrust.WITNESSED_CONTRADICTS_ITSELF
    if claims.is_verified and not _evidence_complete(claims):
        return Distrust.VERIFIED_WITHOUT_EVIDENCE
    return None


def disagreement(claims: ResultClaims, asked: Asked) -> Distrust | None:
    """Returns what the result says against the request that it names, or None."""
    comparison, challenge = claims.comparison, claims.challenge
    same = (
        claims.iss == asked.aud
        and claims.boot == asked.boot
        and claims.nonce == asked.nonce
        and claims.request == asked.echo
    )
    if asked.grade == Grade.WITNESSED:
        same = same and not _looked_at_somebody(claims)
    else:
        same = same and claims.outcome != Outcome.WITNESSED
    if claims.reference is not None:
        same = same and claims.reference.grade == asked.grade and asked.grade in asked.policy.grades
        if asked.commitment is not None:
            same = same and claims.reference.commitment == asked.commitment
    if comparison is not None:
        same = same and comparison.is_as_strict_as(asked.policy.fmr)
    if challenge is not None:
        same = same and _challenge_as_asked(challenge, asked.policy)
        choice = LightChoice.OFF if challenge.light is None else challenge.light.choice
        same = same and choice == asked.policy.light
    same = same and _evidence_as_asked(claims, asked.policy.evidence)
    return None if same else Distrust.CONTRADICTS_REQUEST


def _looked_at_somebody(claims: ResultClaims) -> bool:
    """Whether there is anything that only a camera can have made."""
    made = (claims.comparison, claims.challenge, claims.reference, claims.evidence)
    return any(one is not None for one in made) or claims.capture.frames > 0


def _challenge_as_asked(challenge: Challenge, asked: Policy) -> bool:
    """Whether the plan is drawn from what was asked for or offered, and no easier to guess than what was asked for."""
    try:
        strongest_needed = guess_probability(asked.actions, asked.steps)
    except PlanError:
        return False
    if challenge.guess_probability > strongest_needed * (1 + 1e-6):
        return False
    other = asked.alternative
    if challenge.alternative:
        return other is not None and (set(challenge.actions), len(challenge.plan)) == (set(other.actions), other.steps)
    return set(challenge.actions) <= set(asked.actions) and len(challenge.plan) >= asked.steps


def _evidence_as_asked(claims: ResultClaims, asked: tuple[str, ...]) -> bool:
    """Whether there is none that nobody asked for, and some where a verified person has to have left it."""
    given = claims.evidence.kinds if claims.evidence else ()
    wanted = {EvidenceKind.SIGNALS} & set(asked) if claims.is_verified else set()
    missing = claims.is_verified and bool(asked) and not given
    return not missing and wanted <= set(given) <= set(asked)


def _plan_holds(claims: ResultClaims, challenge: Challenge) -> bool:
    steps = len(challenge.plan)
    try:
        plan = derive_plan(
            nonce=claims.nonce,
            salt=challenge.salt,
            session=challenge.session,
            terminal=claims.iss,
            actions=challenge.actions,
            steps=steps,
        )
        guess = guess_probability(challenge.actions, steps)
    except PlanError:
        return False
    return (
        plan.actions == challenge.plan
        and plan.pauses_s == challenge.pauses_s
        and math.isclose(guess, challenge.guess_probability, rel_tol=1e-6)
    )


def _steps_hold(challenge: Challenge) -> bool:
    """Whether the steps are a beginning of the plan, in order of time, with the derived pauses before the cues."""
    steps = challenge.steps
    if tuple(step.action for step in steps) != challenge.plan[: len(steps)]:
        return False
    for step in steps:
        times = [at for at in (step.cue_s, step.onset_s, step.done_s) if at is not None]
        if times != sorted(times) or (step.passed and len(times) != 3):
            return False
    if any(not step.passed for step in steps[:-1]):
        return False
    # The first pause begins with the challenge, every other one when the step before is done.
    ends = [0.0, *(step.done_s for step in steps[:-1])]
    return all(
        end is not None and step.cue_s - end >= pause - FRAME_TOLERANCE_S
        for end, step, pause in zip(ends, steps, challenge.pauses_s, strict=False)
    )


def _light_holds(claims: ResultClaims, challenge: Challenge) -> bool:
    """Whether the colours are a beginning of the derived code, and none were shown to somebody who asked for none."""
    light = challenge.light
    if light is None:
        return True
    if light.choice == LightChoice.OFF or light.verdict in (LightVerdict.OFF, LightVerdict.NO_RING):
        # Absent from the claims, both are empty.
        return not light.colours and light.verdict in (LightVerdict.OFF, LightVerdict.NO_RING)
    code = derive_light(nonce=claims.nonce, salt=challenge.salt, session=challenge.session, terminal=claims.iss)
    shown = len(light.colours)
    return shown > 0 and (light.colours, light.starts_s) == (code.colours[:shown], code.starts_s[:shown])


def _timely(step: StepTiming) -> bool:
    """Whether a passed step kept to the session's times."""
    if step.onset_s is None or step.done_s is None:
        return False
    reaction_s = step.onset_s - step.cue_s
    return (
        MIN_REACTION_S - ROUNDING_S <= reaction_s <= MAX_REACTION_S + FRAME_TOLERANCE_S
        and step.done_s - step.cue_s <= MAX_STEP_S + FRAME_TOLERANCE_S
    )


def _evidence_complete(claims: ResultClaims) -> bool:
    challenge, comparison = claims.challenge, claims.comparison
    return (
        not claims.reasons
        and claims.capture.fps >= MIN_FPS
        and challenge is not None
        and all(_timely(step) for step in challenge.steps)
        and bool(challenge.steps)
        and (challenge.steps[-1].done_s or 0.0) <= MAX_CHALLENGE_S + FRAME_TOLERANCE_S
        and comparison is not None
        and comparison.match
        and len(challenge.steps) == len(challenge.plan)
        and all(step.passed for step in challenge.steps)
        and claims.reference is not None
        and claims.capture.frames > 0
        and (challenge.light is None or challenge.light.verdict != LightVerdict.NOT_ANSWERED)
    )
