"""A session's frames as a list that can be cut, doctored and played again, deaf to what the session makes of them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from device.decision import Comparison, Decision, decide
from device.liveness.rules import DEFAULT_RULES, Rules
from device.liveness.session import Answered, Consent, Ended, Press, State, step
from device.signals import Signals
from device.wire.plan import Action, Plan
from tests.liveness.conftest import Show

FPS = 15
PLAN = Plan((Action.TURN_LEFT, Action.BLINK_TWICE, Action.TURN_RIGHT), (0.7, 0.8, 0.6))
BLINK_PLAN = Plan((Action.BLINK, Action.TURN_RIGHT, Action.BLINK), (0.6, 0.7, 0.9))
LOOK_PLAN = Plan((Action.LOOK_UP, Action.TURN_LEFT, Action.BLINK), (0.6, 0.7, 0.6))


@dataclass(frozen=True)
class Shot:
    """One frame and the buttons that were pressed before it."""

    signals: Signals
    presses: tuple[Press, ...] = ()


Film = list[Shot]
Doctor = Callable[[Film], Film]


def film(plan: Plan = PLAN) -> Film:
    """The frames of a session in which a customer answered every cue, with the likenesses that were measured."""
    shots: Film = []

    def keep(signals: Signals, _: State) -> Signals:
        shots.append(Shot(signals))
        return signals

    def measure(value: float, name: str) -> Callable[[float], float]:
        def likeness(_: float) -> float:
            newest = shots[-1]
            shots[-1] = replace(newest, signals=with_view(newest.signals, **{name: value}))
            return value

        return likeness

    frontal, turned = measure(0.9, "likeness"), measure(0.8, "turned_likeness")
    final = Show(plan=plan, fps=FPS, tamper=keep, likeness=frontal, turned_likeness=turned).play()
    assert isinstance(final, Answered)
    shots[5] = replace(shots[5], presses=(Press.START,))
    # Some seconds more, for what takes longer when it is doctored.
    shots = [replace(shot, signals=embedded(shot.signals, final.at)) for shot in shots]
    return [shot for shot in shots if shot.signals.at <= final.at + 2.0]


def embedded(signals: Signals, since: float) -> Signals:
    return with_view(signals, likeness=0.9) if signals.at > since else signals


def play(shots: Iterable[Shot], plan: Plan = PLAN, rules: Rules = DEFAULT_RULES) -> State:
    """Plays the frames to a session as they are; returns its last state."""
    state: State = Consent()
    for shot in shots:
        state = step(state, shot.signals, plan, rules, shot.presses)
    return state


def judge(state: State, plan: Plan = PLAN, rules: Rules = DEFAULT_RULES) -> Decision | None:
    """The decision on a session whose face matches; None while it lasts."""
    if not isinstance(state, Answered | Ended):
        return None
    return decide(state, matching(state), plan, rules)


def matching(state: Answered | Ended) -> Comparison | None:
    """A comparison with the right person, made of a frame in the middle of the challenge."""
    if state.record is None or not state.record.steps:
        return None
    middle = (state.record.steps[0].cue_at + state.record.last_at) / 2
    return Comparison(score=0.8, threshold=0.4, compared_at=(middle,), least_likeness=0.8)


def with_view(signals: Signals, **changes: object) -> Signals:
    """The same frame with other values in its view."""
    return signals if signals.view is None else replace(signals, view=replace(signals.view, **changes))


def each(change: Callable[[Signals], Signals], start: float = -math.inf, end: float = math.inf) -> Doctor:
    """Changes the frames from `start` to `end`, seconds since the first cue's frame 0."""

    def doctor(shots: Film) -> Film:
        first = shots[0].signals.at
        inside = [start <= shot.signals.at - first < end for shot in shots]
        return [
            replace(shot, signals=change(shot.signals)) if touched else shot
            for shot, touched in zip(shots, inside, strict=True)
        ]

    return doctor


def drop(start: float, end: float) -> Doctor:
    """Leaves frames out."""

    def doctor(shots: Film) -> Film:
        first = shots[0].signals.at
        return [shot for shot in shots if not start <= shot.signals.at - first < end]

    return doctor
