"""A scripted customer: the smallest thing that answers the cues of a session, frame by frame."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from device.liveness.rules import DEFAULT_RULES, Rules
from device.liveness.session import Consent, Cued, Press, State, step, wants_embedding, wants_turned_embedding
from device.signals import Change, Signals, View
from device.wire.plan import Action, Plan
from tests.liveness.captures import NEUTRAL

PLAN = Plan((Action.TURN_LEFT, Action.BLINK, Action.TURN_RIGHT), (0.8, 0.7, 1.2))
TURN_S = 1.6


def swaying(at: float, before: float) -> Change:
    """What a living face shows from one frame to the next: it sways by a hundredth of its size."""
    place = (2.0 + 0.01 * math.sin(1.7 * at), 2.0 + 0.01 * math.sin(1.1 * at))
    return Change(since=before, new=True, scene=0.002, face=0.05, shift=0.004, place=place)


def customer(action: Action, waited: float) -> View:
    """What the customer does `waited` seconds after a cue was lit: reacts after 0.6 s."""
    done = waited - 0.6
    if action in (Action.TURN_LEFT, Action.TURN_RIGHT):
        angle = 35 * math.sin(math.pi * min(max(done / TURN_S, 0), 1))
        yaw = NEUTRAL.yaw + (angle if action is Action.TURN_LEFT else -angle)
        return replace(NEUTRAL, yaw=yaw, relief=0.006 * angle, aspect=1 - 0.005 * angle)
    if action is Action.LOOK_UP:
        return replace(NEUTRAL, pitch=NEUTRAL.pitch + 25 * math.sin(math.pi * min(max(done / TURN_S, 0), 1)))
    closures = [(0.0, 0.2)] if action is Action.BLINK else [(0.0, 0.2), (0.5, 0.7)]
    closed = any(start <= done < end for start, end in closures)
    return replace(NEUTRAL, left_eye=0.05, right_eye=0.05) if closed else NEUTRAL


@dataclass
class Show:
    """One session on recorded time; `tamper` may change what is seen, frame by frame."""

    plan: Plan = PLAN
    rules: Rules = DEFAULT_RULES
    fps: float = 30.0
    answer: Callable[[Action, float], View] = customer
    tamper: Callable[[Signals, State], Signals | None] = lambda signals, _: signals
    presses: Callable[[int], tuple[Press, ...]] = lambda number: (Press.START,) if number == 5 else ()
    likeness: Callable[[float], float] = lambda _: 0.9
    turned_likeness: Callable[[float], float | None] = lambda _: 0.8
    seconds: float = 60.0

    def play(self) -> State:
        """Returns the last state."""
        state: State = Consent()
        for number in range(int(self.seconds * self.fps)):
            at = 100 + number / self.fps
            view = NEUTRAL
            if isinstance(state, Cued):
                view = self.answer(state.answer.action, at - state.answer.cue_at)
            change = swaying(at, at - 1 / self.fps)
            signals = self.tamper(Signals(at=at, number=number, faces=1, view=view, change=change), state)
            if signals is None:
                continue
            if wants_embedding(state, signals, self.rules) and signals.view is not None:
                signals = replace(signals, view=replace(signals.view, likeness=self.likeness(signals.at)))
            elif wants_turned_embedding(state, signals, self.rules) and signals.view is not None:
                signals = replace(signals, view=replace(signals.view, turned_likeness=self.turned_likeness(signals.at)))
            state = step(state, signals, self.plan, self.rules, self.presses(number))
        return state


@pytest.fixture
def show() -> type[Show]:
    return Show
