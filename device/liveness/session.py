"""The session: every state and every transition, one pure function.

    Consent --START--> Positioning --good view held--> Pausing --neutral for the derived pause--> Cued
                                                         ^                                         |
                                                         +------------- step answered -------------+--> Answered
    Consent --START--> Reading --portrait of the identity document read--> Positioning, where that is the reference
    Consent --START--> Ended(witnessed), where the attendant vouches and nothing is looked at
    any --CANCEL, a broken chain of frames, a wrong or missing answer--> Ended(why)

`Answered` says that every cue was answered by one person who was followed throughout. It is not yet a verification:
`device.decision` weighs it together with the comparison.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from device.liveness.answers import Answer, watch
from device.liveness.blinks import Blink
from device.liveness.continuity import Track, broken, embedding_due, extend, follow, turned_embedding_due
from device.liveness.evidence import Ending, Record
from device.liveness.guidance import Guidance, guide
from device.liveness.motion import Motion
from device.liveness.reading import Reading, is_read, read_card
from device.liveness.rules import Rules
from device.signals import Signals
from device.wire.plan import Plan


class Press(StrEnum):
    """What a finger does to a button of the panel. Only a short press of START agrees to anything."""

    START = "start"
    START_HELD = "start-held"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Consent:
    """Waits for START: the customer's agreement.

    Attributes:
        since: seconds, the first frame.
        card: an identity document has to be read next.
        witnessed: the attendant vouches for the customer: agreeing is all there is to do, and no frame is looked at.
    """

    since: float | None = None
    card: bool = False
    witnessed: bool = False


@dataclass(frozen=True, slots=True)
class Positioning:
    """Leads the customer to a good view."""

    since: float
    last_at: float
    track: Track = Track()
    good_since: float | None = None
    guidance: Guidance | None = Guidance.NO_FACE


@dataclass(frozen=True, slots=True)
class Pausing:
    """Waits for a neutral face that lasts for the plan's pause before the next cue."""

    track: Track
    record: Record
    neutral_since: float | None = None


@dataclass(frozen=True, slots=True)
class Cued:
    """A cue is lit; its answer is watched."""

    track: Track
    record: Record
    answer: Answer


@dataclass(frozen=True, slots=True)
class Answered:
    """Every cue was answered."""

    at: float
    record: Record


@dataclass(frozen=True, slots=True)
class Ended:
    """The session ended early; `record` is None when no challenge had begun."""

    at: float
    why: Ending
    record: Record | None = None


State = Consent | Reading | Positioning | Pausing | Cued | Answered | Ended


def step(state: State, signals: Signals, plan: Plan, rules: Rules, presses: Collection[Press] = ()) -> State:
    """Takes one frame and the buttons pressed since the last; returns the next state. Final states stay."""
    if isinstance(state, Answered | Ended):
        return state
    if _out_of_order(state, signals):
        return Ended(_last_at(state) or 0.0, Ending.FRAMES_OUT_OF_ORDER, _record(state))
    signals = signals.without_nonsense()
    if Press.CANCEL in presses:
        why = Ending.DECLINED if isinstance(state, Consent) else Ending.CANCELLED
        return Ended(signals.at, why, _record(state))
    if isinstance(state, Consent):
        return _consent(state, signals, rules, presses)
    if isinstance(state, Reading):
        return _read(state, signals, rules)
    if isinstance(state, Positioning):
        return _position(state, signals, rules)
    return _challenge(state, signals, plan, rules)


def wants_embedding(state: State, signals: Signals, rules: Rules) -> bool:
    """Whether the frame behind `signals` is to be embedded before `step` takes them."""
    if not isinstance(state, Pausing | Cued):
        return False
    return embedding_due(state.track, signals.without_nonsense(), signals.at - state.record.last_at, rules)


def wants_turned_embedding(state: State, signals: Signals, rules: Rules) -> bool:
    """Whether the frame behind `signals` shows the head turned and is to be compared with the frontal ones."""
    return isinstance(state, Pausing | Cued) and turned_embedding_due(state.track, signals.without_nonsense(), rules)


def _consent(state: Consent, signals: Signals, rules: Rules, presses: Collection[Press]) -> State:
    # A press from before the prompt was lit agrees to nothing.
    if state.since is not None and Press.START in presses:
        at = signals.at
        if state.witnessed:
            return Ended(at, Ending.WITNESSED)
        return Reading(since=at, last_at=at) if state.card else Positioning(since=at, last_at=at)
    since = signals.at if state.since is None else state.since
    if signals.at - since > rules.consent_limit_s:
        return Ended(signals.at, Ending.CONSENT_NOT_GIVEN)
    return replace(state, since=since)


def _read(state: Reading, signals: Signals, rules: Rules) -> State:
    at = signals.at
    if at - state.since > rules.card_limit_s:
        return Ended(at, Ending.CARD_NOT_READ)
    state = read_card(state, signals)
    return Positioning(since=at, last_at=at) if is_read(state, rules) else state


def _position(state: Positioning, signals: Signals, rules: Rules) -> State:
    at = signals.at
    if at - state.since > rules.position_limit_s:
        return Ended(at, Ending.NO_GOOD_VIEW)
    track, _ = follow(state.track, signals, rules)
    closed_at = track.eyes.closed_at
    blinking = closed_at is not None and at - closed_at <= rules.max_blink_s
    guidance = guide(signals, rules, state.guidance, blinking=blinking)
    if guidance is not None or signals.view is None:
        return replace(state, last_at=at, track=track, good_since=None, guidance=guidance)
    track = track.learn_neutral(signals.view)
    good_since = at if state.good_since is None else state.good_since
    if at - good_since >= rules.position_hold_s and at - state.since >= rules.choice_s:
        # Nothing seen before counts as evidence: continuity begins here.
        track = replace(track, embedded_at=None, frontal_since=None, motion=Motion())
        return Pausing(track, Record(started_at=at, last_at=at))
    return replace(state, last_at=at, track=track, good_since=good_since, guidance=None)


def _challenge(state: Pausing | Cued, signals: Signals, plan: Plan, rules: Rules) -> State:
    record = extend(state.record, signals)
    track, blink = follow(state.track, signals, rules)
    turning = isinstance(state, Cued) and state.answer.may_lose_face(rules)
    why = broken(track, record, signals, rules, turning=turning)
    if why is None and signals.at - record.started_at > rules.max_challenge_s:
        why = Ending.CHALLENGE_TOO_LONG
    state = replace(state, track=track, record=record)
    if why is not None:
        return _end(state, signals.at, why)
    if isinstance(state, Pausing):
        return _pause(state, signals, plan, rules)
    return _cued(state, signals, plan, rules, blink)


def _pause(state: Pausing, signals: Signals, plan: Plan, rules: Rules) -> State:
    view, at, track = signals.view, signals.at, state.track
    if view is None:
        return replace(state, neutral_since=None)
    turned = abs(track.yaw_from_neutral(view))
    if turned >= rules.turn_peak_deg:
        return _end(state, at, Ending.UNPROMPTED_ACTION)
    if turned >= rules.neutral_deg:
        return replace(state, neutral_since=None)
    state = replace(
        state, track=track.learn_neutral(view), neutral_since=at if state.neutral_since is None else state.neutral_since
    )
    paused = at - (state.neutral_since or at) >= plan.pauses_s[len(state.record.steps)]
    if paused and track.eyes.closed_at is None and _embedded_since(track, state.neutral_since):
        return Cued(state.track, state.record, Answer(plan.actions[len(state.record.steps)], cue_at=at))
    return state


def _cued(state: Cued, signals: Signals, plan: Plan, rules: Rules, blink: Blink | None) -> State:
    answer = watch(state.answer, signals.at, signals.view, state.track, blink, rules)
    state = replace(state, answer=answer)
    if answer.wrong is not None:
        return _end(state, signals.at, answer.wrong)
    # The step's end is tied to the person: it stands only with an embedded frame after the action.
    if answer.passed_at is None or not _embedded_since(state.track, answer.done_at):
        return state
    record = replace(state.record, steps=(*state.record.steps, answer.record()))
    if len(record.steps) == len(plan.actions):
        return Answered(signals.at, record)
    # The time in which a head showed that it stays is part of the pause. The wait for a second blink is not: cues that
    # came so early would let one recording answer several plans (docs/adr/0050).
    return Pausing(state.track, record, answer.neutral_since)


def _embedded_since(track: Track, moment: float | None) -> bool:
    return moment is not None and track.embedded_at is not None and track.embedded_at >= moment


def _end(state: Pausing | Cued, at: float, why: Ending) -> Ended:
    record = state.record
    if isinstance(state, Cued):
        unfinished = replace(state.answer, wrong=why).record()
        record = replace(record, steps=(*record.steps, unfinished))
    return Ended(at, why, record)


def _record(state: State) -> Record | None:
    return state.record if isinstance(state, Pausing | Cued) else None


def _last_at(state: State) -> float | None:
    if isinstance(state, Consent):
        return state.since
    if isinstance(state, Reading | Positioning):
        return state.last_at
    return state.record.last_at if isinstance(state, Pausing | Cued) else state.at


def _out_of_order(state: State, signals: Signals) -> bool:
    """Time must go on from frame to frame; a time that is no number goes nowhere."""
    last_at = _last_at(state)
    if not math.isfinite(signals.at):
        return True
    if last_at is None:
        return False
    return signals.at < last_at if isinstance(state, Consent) else signals.at <= last_at
