"""The decision: evidence and comparison -> outcome with reasons. Pure; any denial wins, nothing missing passes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from device.liveness.evidence import Ending, Record, StepRecord
from device.liveness.light import LightFinding
from device.liveness.rules import Rules
from device.liveness.session import Answered, Ended
from device.wire.claims import Outcome
from device.wire.light import LightVerdict
from device.wire.plan import TURNS, Plan

FACES_DO_NOT_MATCH = "faces-do-not-match"
NO_COMPARISON = "no-comparison"
COMPARED_OUTSIDE_CHALLENGE = "compared-outside-challenge"
PERSON_CHANGED = Ending.PERSON_CHANGED.value
STEPS_MISSING = "steps-missing"
LIGHT_NOT_ANSWERED = "light-not-answered"
TOO_FEW_FRAMES = "too-few-frames"

# Denials say that the check was made and not passed: nobody who answers the cues does this. All others say that the
# check could not be made.
DENIALS = frozenset(
    {
        FACES_DO_NOT_MATCH,
        COMPARED_OUTSIDE_CHALLENGE,
        STEPS_MISSING,
        LIGHT_NOT_ANSWERED,
        Ending.CHALLENGE_NOT_ANSWERED,
        Ending.WRONG_ACTION,
        Ending.EARLY_ACTION,
        Ending.UNPROMPTED_ACTION,
        Ending.FLAT_FACE,
        Ending.FACE_JUMPED,
        Ending.PERSON_CHANGED,
        Ending.FACE_TOO_STILL,
        Ending.FRAMES_JUMPED,
        Ending.FRAMES_MISTIMED,
        Ending.FRAMES_REPEATED,
        Ending.FRAMES_OUT_OF_ORDER,
    }
)

SENTENCES_TOLD = 2
SENTENCES: dict[str, str] = {
    "verified": "The live person matches the document and answered every cue.",
    FACES_DO_NOT_MATCH: "The faces do not match: the live person is not the person in the document's portrait.",
    NO_COMPARISON: "The faces could not be compared: no frame of the challenge was good enough.",
    COMPARED_OUTSIDE_CHALLENGE: "The compared frames were not taken during the challenge.",
    STEPS_MISSING: "Not every step of the challenge has its evidence.",
    LIGHT_NOT_ANSWERED: "The light in the face did not change with the coloured light of the ring.",
    TOO_FEW_FRAMES: "The camera delivered too few frames a second to follow the person.",
    Ending.WITNESSED: "No face was looked at: the attendant vouches for the customer, who agreed.",
    Ending.DECLINED: "The customer declined the check.",
    Ending.CANCELLED: "The check was cancelled.",
    Ending.CONSENT_NOT_GIVEN: "Nobody pressed START to agree to the check.",
    Ending.CARD_NOT_READ: "No portrait could be read from the identity document in time.",
    Ending.NO_GOOD_VIEW: "No good view of one face was reached in time.",
    Ending.CHALLENGE_NOT_ANSWERED: "A cue was not answered in time.",
    Ending.CHALLENGE_TOO_LONG: "The challenge took too long.",
    Ending.WRONG_ACTION: "The face did something other than what the cue asked for.",
    Ending.EARLY_ACTION: "The face moved before a person could have reacted to the cue.",
    Ending.UNPROMPTED_ACTION: "The head turned although no cue was given.",
    Ending.FLAT_FACE: "The face is flat: a picture was turned, not a head.",
    Ending.FACE_JUMPED: "The head turned faster than a head can.",
    Ending.PERSON_CHANGED: "The face in front of the camera changed to another person.",
    Ending.PERSON_NOT_FOLLOWED: "The person could not be followed through the challenge.",
    Ending.SEVERAL_FACES: "More than one face was in view during the challenge.",
    Ending.FACE_LOST: "The face left the view during the challenge.",
    Ending.FACE_TOO_STILL: "The face was stiller than a living one can be.",
    Ending.FRAMES_JUMPED: "The camera's picture jumped, as cut footage does.",
    Ending.FRAMES_MISTIMED: "The frames' times do not go with their numbers.",
    Ending.FRAMES_REPEATED: "The camera's picture stood still: frames were repeated.",
    Ending.FRAMES_OUT_OF_ORDER: "The camera's frames were out of order.",
    Ending.FRAMES_MISSING: "The camera skipped frames during the challenge.",
    Ending.REFERENCE_UNUSABLE: "The document's portrait cannot be used: it needs one clear face.",
    Ending.CAPTURE_ENDED: "The camera or the recording ended before the check did.",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The live face against the reference.

    Attributes:
        score: cosine of the fused probe against the reference, -1..1.
        threshold: the least score that matches.
        compared_at: seconds, the times of the frames that were fused into the probe.
        least_likeness: the least cosine of any embedded frame of the challenge against the fused probe.
    """

    score: float
    threshold: float
    compared_at: tuple[float, ...]
    least_likeness: float

    @property
    def match(self) -> bool:
        """Whether the score reaches the threshold; a score that is no number does not."""
        return math.isfinite(self.score) and self.score >= self.threshold


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, its machine-readable reasons, and one plain sentence."""

    outcome: Outcome
    reasons: tuple[str, ...]
    sentence: str


def decide(
    final: Answered | Ended,
    comparison: Comparison | None,
    plan: Plan,
    rules: Rules,
    light: LightFinding | None = None,
) -> Decision:
    """Weighs everything; `verified` needs every required evidence and not one reason against it.

    The coloured light is experimental: it may deny; neither its absence nor its answer is evidence for anybody.
    """
    reasons = _reasons(final, comparison, plan, rules)
    if isinstance(final, Answered) and light is not None and light.verdict is LightVerdict.NOT_ANSWERED:
        reasons.append(LIGHT_NOT_ANSWERED)
    if not reasons:
        return Decision(Outcome.VERIFIED, (), SENTENCES["verified"])
    # What denies stands first: it is what the sentence tells.
    ordered = tuple(sorted(reasons, key=lambda reason: reason not in DENIALS))
    return Decision(_outcome(ordered), ordered, " ".join(SENTENCES[reason] for reason in ordered[:SENTENCES_TOLD]))


def _reasons(final: Answered | Ended, comparison: Comparison | None, plan: Plan, rules: Rules) -> list[str]:
    if isinstance(final, Ended):
        # A comparison may have been made of what was seen: a mismatch is told, a match never helps.
        mismatch = comparison is not None and not comparison.match
        return [final.why.value, *([FACES_DO_NOT_MATCH] if mismatch else [])]
    reasons = _challenge_reasons(final.record, plan, rules)
    if comparison is None:
        return [*reasons, NO_COMPARISON]
    if not comparison.match:
        reasons.append(FACES_DO_NOT_MATCH)
    if not comparison.compared_at or not _inside_challenge(comparison.compared_at, final.record):
        reasons.append(COMPARED_OUTSIDE_CHALLENGE)
    if not comparison.least_likeness >= rules.min_probe_likeness:
        reasons.append(PERSON_CHANGED)
    return reasons


def _challenge_reasons(record: Record, plan: Plan, rules: Rules) -> list[str]:
    reasons: list[str] = []
    as_planned = tuple(step.action for step in record.steps) == plan.actions
    if not as_planned or not all(step.passed and step.done_at is not None for step in record.steps):
        reasons.append(STEPS_MISSING)
    turns = [step for step in record.steps if step.action in TURNS]
    # Without a turn nothing tells a head from a picture: "not applicable" is never a pass.
    if not turns or not all(_has_depth(step, rules) for step in turns):
        reasons.append(Ending.FLAT_FACE)
    likenesses = [step.turned_likeness for step in turns]
    if record.least_likeness is None or None in likenesses:
        reasons.append(Ending.PERSON_NOT_FOLLOWED)
    if not all(likeness is None or likeness >= rules.min_turned_likeness for likeness in likenesses):
        reasons.append(Ending.PERSON_CHANGED)
    if not record.fps >= rules.min_fps:
        reasons.append(TOO_FEW_FRAMES)
    if record.frames and record.repeated / record.frames > rules.max_repeated_share:
        reasons.append(Ending.FRAMES_REPEATED)
    return [str(reason) for reason in reasons]


def _has_depth(step: StepRecord, rules: Rules) -> bool:
    if step.relief is None or step.aspect is None:
        return False
    return step.relief >= rules.min_relief and step.aspect >= rules.min_turned_aspect


def _inside_challenge(times: tuple[float, ...], record: Record) -> bool:
    return bool(record.steps) and all(record.steps[0].cue_at <= at <= record.last_at for at in times)


def _outcome(reasons: tuple[str, ...]) -> Outcome:
    if reasons == (Ending.WITNESSED,):
        return Outcome.WITNESSED
    if Ending.DECLINED in reasons:
        return Outcome.DECLINED
    if not DENIALS.isdisjoint(reasons):
        return Outcome.REJECTED
    if Ending.CANCELLED in reasons:
        return Outcome.CANCELLED
    return Outcome.INCONCLUSIVE
