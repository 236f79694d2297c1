"""The transitions that the session makes, recorded while the real one is driven through everything that ends it."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from device.decision import Decision, decide
from device.liveness.light import LightFinding
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Answered, Consent, Ended, Press, State, step
from device.panel.prompts import Scene, Shown
from device.panel.staging import show_state
from device.signals import CardFault, CardView
from device.wire.claims import Outcome
from device.wire.light import LightVerdict
from tests.liveness.captures import NEUTRAL
from tests.liveness.conftest import swaying
from tests.liveness.footage import FPS, PLAN, Doctor, Film, Shot, drop, each, film, matching, with_view

_LONG_S = 60.0
ASIDE_DEG = 12.0  # not neutral, and no turn either


@dataclass
class Transitions:
    """What a session was seen to do.

    Attributes:
        made: (from, to) for each change of state, by the states' names.
        endings: (from, reason, outcome) for each end, with the first reason of the decision; none verifies.
        scenes: what the panel showed in each state, in the order in which it came.
    """

    made: set[tuple[str, str]] = field(default_factory=set)
    endings: set[tuple[str, str, Outcome]] = field(default_factory=set)
    scenes: dict[str, list[Scene]] = field(default_factory=dict)

    def play(self, shots: Iterable[Shot], state: State) -> State:
        """Plays the frames as they are, and keeps what happens; returns the last state."""
        shown = Shown(Scene.IDLE, 0.0)
        for shot in shots:
            after = step(state, shot.signals, PLAN, DEFAULT_RULES, shot.presses)
            self._keep(state, after)
            if isinstance(after, Ended):
                return after
            state, shown = after, show_state(shown, after, shot.signals.at)
            told = self.scenes.setdefault(type(state).__name__, [])
            if shown.scene not in told:
                told.append(shown.scene)
        return state

    def _keep(self, state: State, after: State) -> None:
        before, now = type(state).__name__, type(after).__name__
        if isinstance(after, Ended):
            self._end(before, decide(after, matching(after), PLAN, DEFAULT_RULES))
        elif before != now:
            self.made.add((before, now))
        if isinstance(after, Answered):
            for decision in _decisions(after):
                self._end(now, decision)

    def _end(self, state: str, decision: Decision) -> None:
        self.endings.add((state, decision.reasons[0] if decision.reasons else "", decision.outcome))


def _decisions(final: Answered) -> Iterator[Decision]:
    """What is decided when every cue was answered: with every evidence, and without each of them."""
    good, steps = matching(final), final.record.steps
    assert good is not None

    def lacking(**values: object) -> Answered:
        return replace(final, record=replace(final.record, **values))

    def shown(**values: object) -> Answered:
        return lacking(steps=tuple(replace(each_step, **values) for each_step in steps))

    no_answer = LightFinding(LightVerdict.NOT_ANSWERED)
    for comparison in (
        good,
        None,
        replace(good, score=0.0),
        replace(good, compared_at=(0.0,)),
        replace(good, least_likeness=0.0),
    ):
        yield decide(final, comparison, PLAN, DEFAULT_RULES)
    yield decide(final, good, PLAN, DEFAULT_RULES, no_answer)
    for other in (
        lacking(steps=steps[:-1]),
        lacking(frames=9),
        lacking(repeated=final.record.frames),
        shown(relief=None),
        shown(turned_likeness=None),
    ):
        yield decide(other, good, PLAN, DEFAULT_RULES)


def record() -> Transitions:
    """Drives the session through everything that it can do."""
    found, whole = Transitions(), film(PLAN)
    for shots in _beginnings(whole):
        for begin in (Consent(), Consent(card=True), Consent(witnessed=True)):
            found.play(shots, begin)
    cues = _cues(whole)
    for cue in cues:
        for doctor in _faults(cue - 0.5) + _faults(cue + 0.1) + _answers(cue):
            found.play(doctor(whole), Consent())
    limit_s = DEFAULT_RULES.max_challenge_s
    for shots in (
        _lingering(whole, cues[0], limit_s),
        _lingering(whole, cues[0], limit_s - 3),
        _lingering(whole, cues[0], 4, still=True),
    ):
        found.play(shots, Consent())
    return found


def _cues(whole: Film) -> list[float]:
    """Seconds from the film's first frame to each cue."""
    final = Transitions().play(whole, Consent())
    assert isinstance(final, Answered)
    return [each_step.cue_at - whole[0].signals.at for each_step in final.record.steps]


def _beginnings(whole: Film) -> Iterator[Film]:
    """Agreeing, refusing and doing nothing; then a document that is read, one that is not, and nobody to be seen."""
    read = each(lambda s: replace(s, card=CardView(fault=None, agreeing=99)), 1.0, 1.1)
    seen = [replace(shot, signals=replace(shot.signals, card=None)) for shot in whole]
    yield whole
    yield read(seen)
    yield [replace(shot, presses=(Press.CANCEL,)) for shot in whole]
    yield [*whole[:9], replace(whole[9], presses=(Press.CANCEL,))]
    yield [*read(seen)[:25], replace(whole[25], presses=(Press.CANCEL,))]
    for place in (4, 9):
        yield [*whole[:place], replace(whole[place], signals=replace(whole[place].signals, at=math.nan))]
    yield _waiting(whole, pressed=False)
    yield _waiting(whole, pressed=True)


def _waiting(whole: Film, *, pressed: bool) -> Film:
    """A minute in which nobody is seen, and no document."""
    fault = CardView(fault=CardFault.NO_PORTRAIT, agreeing=0)
    first = whole[0].signals
    times = (first.at + place / 5 for place in range(round(_LONG_S * 5)))
    shots = [Shot(replace(first, at=at, number=place, view=None, card=fault)) for place, at in enumerate(times)]
    return [replace(shot, presses=(Press.START,) if pressed and place == 5 else ()) for place, shot in enumerate(shots)]


def _faults(start: float) -> list[Doctor]:
    """Whatever ends a challenge at any time, from `start` on."""
    late = start + 2.5

    def changed(**values: object) -> Doctor:
        return each(lambda s: replace(s, change=replace(s.change, **values)), start, late)

    def viewed(until: float = late, **values: object) -> Doctor:
        return each(lambda s: with_view(s, **values), start, until)

    def still(shots: Film) -> Film:
        return each(lambda s: replace(s, change=replace(s.change, place=(2.0, 2.0))))(shots)

    return [
        drop(start, start + 0.5),
        each(lambda s: replace(s, repeated=True), start, late),
        each(lambda s: replace(s, faces=2), start, late),
        each(lambda s: replace(s, view=None), start, late),
        each(lambda s: replace(s, number=0), start, late),
        each(lambda s: replace(s, number=s.number * 9), start, late),
        each(lambda s: replace(s, at=s.at - 1.0), start, late),
        changed(shift=1.5),
        still,
        viewed(aspect=0.5, nod=0.0),
        viewed(likeness=None),
        viewed(likeness=0.1),
        viewed(yaw=60.0),
        _cancelled(start),
    ]


def _answers(cue: float) -> list[Doctor]:
    """What is no answer to a cue."""

    def turned(wait: float, yaw: float, seconds: float = 0.6) -> Doctor:
        return each(lambda s: with_view(s, yaw=yaw, relief=0.2, aspect=0.95), cue + wait, cue + wait + seconds)

    return [
        each(lambda s: with_view(s, yaw=NEUTRAL.yaw, left_eye=0.3, right_eye=0.3, likeness=0.9), cue, cue + 8),
        each(lambda s: with_view(s, relief=0.0)),
        each(lambda s: with_view(s, turned_likeness=None)),
        *(turned(wait, yaw) for wait in (0.05, 0.5) for yaw in (14.0, -14.0, 25.0, -25.0)),
        *(turned(1.0, yaw, 0.01) for yaw in (80.0, -80.0)),
    ]


def _cancelled(start: float) -> Doctor:
    def doctor(shots: Film) -> Film:
        first = shots[0].signals.at
        return [replace(shot, presses=(Press.CANCEL,)) if shot.signals.at - first >= start else shot for shot in shots]

    return doctor


def _lingering(whole: Film, cue: float, seconds: float, *, still: bool = False) -> Film:
    """The film up to a cue, then a face that stays aside a little for so long, then one that looks ahead."""
    first = whole[0].signals.at
    shots = [shot for shot in whole if shot.signals.at - first < cue - 0.3]
    last = shots[-1].signals
    for place in range(1, round((seconds + 5) * FPS)):
        at = last.at + place / FPS
        change = swaying(at, at - 1 / FPS)
        moved = replace(
            last, at=at, number=last.number + place, change=replace(change, place=(2.0, 2.0)) if still else change
        )
        yaw = ASIDE_DEG if place < seconds * FPS else NEUTRAL.yaw
        shots.append(Shot(with_view(moved, yaw=yaw, likeness=0.9)))
    return shots
