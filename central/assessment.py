"""What a result says against itself, and against the request it answers. Pure: central's own recomputation."""

from __future__ import annotations

import itertools
import math
from enum import StrEnum

from device.wire.claims import Challenge, ResultClaims
from device.wire.plan import PlanError, derive_plan, guess_probability
from device.wire.request import RequestClaims

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
    COMPARISON_CONTRADICTS_ITSELF = "comparison-contradicts-itself"
    VERIFIED_WITHOUT_EVIDENCE = "verified-without-evidence"
    UNKNOWN_REQUEST = "unknown-request"
    CONTRADICTS_REQUEST = "contradicts-request"
    TOO_MANY_RESULTS = "too-many-results"


def contradiction(claims: ResultClaims) -> Distrust | None:
    """Returns what the result says against itself, or None."""
    comparison, challenge = claims.comparison, claims.challenge
    if challenge is not None:
        if not _plan_holds(claims, challenge):
            return Distrust.PLAN_MISMATCH
        if not _steps_hold(challenge):
            return Distrust.STEPS_CONTRADICT_PLAN
    if comparison is not None and comparison.match != (comparison.score >= comparison.threshold):
        return Distrust.COMPARISON_CONTRADICTS_ITSELF
    if claims.is_verified and not _evidence_complete(claims):
        return Distrust.VERIFIED_WITHOUT_EVIDENCE
    return None


def disagreement(claims: ResultClaims, request: RequestClaims) -> Distrust | None:
    """Returns what the result says against the request that it names, or None."""
    comparison, challenge = claims.comparison, claims.challenge
    same = (
        claims.iss == request.aud
        and claims.boot == request.boot
        and claims.nonce == request.nonce
        and claims.request == request.echo()
    )
    if claims.reference is not None and request.reference is not None:
        same = same and claims.reference.commitment == request.reference.commitment
    if comparison is not None:
        same = same and comparison.is_as_strict_as(request.policy.fmr)
    if challenge is not None:
        same = same and set(challenge.actions) <= set(request.policy.actions)
        same = same and len(challenge.plan) >= request.policy.steps
    return None if same else Distrust.CONTRADICTS_REQUEST


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
    return all(
        before.done_s is not None and after.cue_s - before.done_s >= pause - FRAME_TOLERANCE_S
        for (before, after), pause in zip(itertools.pairwise(steps), challenge.pauses_s[1:], strict=False)
    )


def _evidence_complete(claims: ResultClaims) -> bool:
    challenge, comparison = claims.challenge, claims.comparison
    return (
        comparison is not None
        and comparison.match
        and challenge is not None
        and len(challenge.steps) == len(challenge.plan)
        and all(step.passed for step in challenge.steps)
        and claims.reference is not None
        and claims.capture.frames > 0
    )
