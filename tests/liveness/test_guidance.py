"""What the customer is told first, and that it does not flicker."""

import itertools
import math
from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.liveness.capture import SCALES, Component, quality_score, severities
from device.liveness.guidance import FAVOUR, Guidance, guide
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Ended, Pausing, Positioning, step
from device.panel.prompts import Scene, Shown
from device.panel.staging import show_state
from device.signals import CaptureQuality, Signals, View
from device.wire.plan import Action, Plan
from tests.liveness.captures import GOOD_CAPTURE, NEUTRAL

CAPTURE = {field.name for field in fields(CaptureQuality)}
PLAN = Plan((Action.TURN_LEFT, Action.BLINK, Action.TURN_RIGHT), (0.8, 0.7, 1.2))
MIN_TOLD_S = 0.7
DOCUMENT = Path(__file__).parents[2] / "docs" / "quality.md"

finite = st.floats(allow_nan=False, allow_infinity=False)
captures = st.builds(CaptureQuality, **dict.fromkeys(CAPTURE, finite))
measured = {field.name: finite for field in fields(View) if field.default is MISSING}
any_views = st.builds(View, **{**measured, "quality": captures})


def view(**changes: float) -> View:
    quality = replace(GOOD_CAPTURE, **{name: value for name, value in changes.items() if name in CAPTURE})
    return replace(NEUTRAL, quality=quality, **{name: value for name, value in changes.items() if name not in CAPTURE})


def seen(one: View | None = NEUTRAL, at: float = 0.0, faces: int = 1) -> Signals:
    return Signals(at=at, number=0, faces=faces, view=one)


def told(before: Guidance | None = None, **changes: float) -> Guidance | None:
    return guide(seen(view(**changes)), DEFAULT_RULES, before)


@pytest.mark.parametrize("before", [None, *Guidance])
def test_a_good_view_needs_no_hint(before):
    assert guide(seen(), DEFAULT_RULES, before) is None


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"width": 0.1}, Guidance.CLOSER),
        ({"eye_distance": 15}, Guidance.CLOSER),
        ({"width": 0.9}, Guidance.BACK),
        ({"margin": -0.1}, Guidance.BACK),
        ({"margin": -0.1, "centre_x": 0.3}, Guidance.MOVE_LEFT),
        ({"centre_x": 0.2}, Guidance.MOVE_LEFT),
        ({"centre_x": 0.8}, Guidance.MOVE_RIGHT),
        ({"centre_y": 0.8}, Guidance.MOVE_UP),
        ({"centre_y": 0.2}, Guidance.MOVE_DOWN),
        ({"yaw": -25}, Guidance.LOOK_STRAIGHT),
        ({"pitch": 30}, Guidance.LOOK_STRAIGHT),
        ({"roll": -40}, Guidance.LOOK_STRAIGHT),
        ({"brightness": 0.05}, Guidance.MORE_LIGHT),
        ({"under_exposed": 0.9}, Guidance.MORE_LIGHT),
        ({"dynamic_range": 4, "brightness": 0.2}, Guidance.MORE_LIGHT),
        ({"dynamic_range": 4, "brightness": 0.9}, Guidance.LESS_LIGHT),
        ({"over_exposed": 0.8}, Guidance.LESS_LIGHT),
        ({"dynamic_range": 4}, Guidance.LIGHT_FROM_FRONT),
        ({"uniformity": 0.1}, Guidance.LIGHT_FROM_FRONT),
        ({"sharpness": 0.05}, Guidance.HOLD_STILL),
        ({"left_eye": 0.02, "right_eye": 0.02}, Guidance.OPEN_EYES),
        ({"eye_visibility": 0.2}, Guidance.UNCOVER_EYES),
        ({"mouth_opening": 0.4}, Guidance.CLOSE_MOUTH),
    ],
)
def test_each_fault_has_its_hint(changes, hint):
    assert told(**changes) is hint


def test_somebody_with_one_eye_is_not_told_to_open_the_other():
    assert told(left_eye=0.0) is None


def test_nobody_and_somebody_else_come_first():
    assert guide(seen(None), DEFAULT_RULES) is Guidance.NO_FACE
    assert guide(seen(view(width=0.1), faces=2), DEFAULT_RULES) is Guidance.ONE_PERSON_ONLY


def test_the_worst_fault_is_told_first():
    assert told(width=0.22, yaw=40) is Guidance.LOOK_STRAIGHT
    assert told(width=0.05, yaw=17) is Guidance.CLOSER


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"sharpness": 0.0, "brightness": 0.1}, Guidance.MORE_LIGHT),
        ({"uniformity": 0.0, "yaw": 20}, Guidance.LOOK_STRAIGHT),
        ({"sharpness": 0.0, "width": 0.2}, Guidance.CLOSER),
    ],
)
def test_a_cause_is_told_before_its_effect(changes, cause):
    assert told(**changes) is cause


def test_a_hint_stays_until_its_fault_is_clearly_mended():
    assert told(yaw=14.5) is None
    assert told(Guidance.LOOK_STRAIGHT, yaw=14.5) is Guidance.LOOK_STRAIGHT
    assert told(Guidance.LOOK_STRAIGHT, yaw=12) is None


def test_a_rival_that_is_hardly_worse_does_not_take_over():
    assert told(yaw=20, width=0.185) is Guidance.CLOSER
    assert told(Guidance.LOOK_STRAIGHT, yaw=20, width=0.185) is Guidance.LOOK_STRAIGHT
    assert told(Guidance.LOOK_STRAIGHT, yaw=20, width=0.1) is Guidance.CLOSER


@settings(max_examples=60)
@given(any_views, st.none() | st.sampled_from(Guidance), st.booleans(), st.integers(0, 3))
def test_any_view_gives_one_hint_or_none(one, before, blinking, faces):
    hint = guide(seen(one, faces=faces), DEFAULT_RULES, before, blinking=blinking)
    assert hint is None or isinstance(hint, Guidance)
    bad = severities(one, DEFAULT_RULES)
    assert set(bad) == set(Component) and all(severity >= 0 for severity in bad.values())
    assert (hint is None) or faces > 1 or max(bad.values()) * FAVOUR > 1
    assert not math.isnan(quality_score(one, DEFAULT_RULES))


@settings(max_examples=60)
@given(
    st.sampled_from(sorted([*CAPTURE, "yaw", "pitch", "roll", "left_eye"])),
    st.floats(-100, 100),
    st.floats(-100, 100),
    st.sampled_from([{}, {"yaw": 30.0}, {"dynamic_range": 3.0}, {"sharpness": 0.0}]),
)
def test_a_frame_whose_components_are_all_better_never_scores_less(name, value, other, fault):
    one, two = view(**{**fault, name: value}), view(**{**fault, name: other})
    worse, better = sorted((one, two), key=lambda each: -sum(severities(each, DEFAULT_RULES).values()))
    assert quality_score(worse, DEFAULT_RULES) <= quality_score(better, DEFAULT_RULES) + 1e-9


def test_no_component_of_a_good_view_is_near_its_working_point():
    assert max(severities(NEUTRAL, DEFAULT_RULES).values()) * FAVOUR < 1
    assert quality_score(NEUTRAL, DEFAULT_RULES) > 0.9
    assert set(SCALES) == set(Component)


def positioned(views: list[View | None], fps: float = 30.0) -> list[tuple[float, object]]:
    """The session's state after each frame, until positioning is over."""
    state, states = Positioning(since=0.0, last_at=0.0), []
    for number, one in enumerate(views, start=1):
        if isinstance(state, Positioning):
            at = number / fps
            state = step(state, replace(seen(one, at), number=number), PLAN, DEFAULT_RULES)
            states.append((at, state))
    return states


@settings(max_examples=40)
@given(st.lists(st.sampled_from([NEUTRAL, view(yaw=16), view(width=0.2), view(brightness=0.1), None]), max_size=120))
def test_whatever_is_seen_a_hint_is_shown_for_a_while(views):
    shown, changes = Shown(Scene.POSITION, 0.0), []
    for at, state in positioned(views):
        following = show_state(shown, state, at)
        if following.scene is Scene.POSITION and following.guidance is not shown.guidance:
            changes.append(at)
        shown = following
    assert all(later - earlier >= MIN_TOLD_S for earlier, later in itertools.pairwise(changes))


def test_noise_on_a_working_point_does_not_keep_a_customer_waiting():
    views = [view(yaw=15 + (0.5 if number % 2 else -0.5)) for number in range(20)]
    hints = {state.guidance for _, state in positioned(views)[1:]}
    assert hints == {Guidance.LOOK_STRAIGHT}
    assert isinstance(positioned([*views, *[view(yaw=12)] * 25])[-1][1], Pausing)


def test_a_blink_does_not_begin_the_wait_again():
    closed = view(left_eye=0.03, right_eye=0.03)
    states = positioned([NEUTRAL] * 10 + [closed] * 5 + [NEUTRAL] * 5)
    assert isinstance(states[-1][1], Pausing)
    assert all(state.guidance is None for _, state in states[1:-1])


def test_eyes_that_stay_closed_are_told():
    closed = view(left_eye=0.03, right_eye=0.03)
    assert positioned([closed] * 3)[-1][1].guidance is Guidance.OPEN_EYES
    assert positioned([view(yaw=16)] * 8 + [closed] * 25)[-1][1].guidance is Guidance.OPEN_EYES


def test_nobody_ends_the_wait():
    assert isinstance(positioned([None] * 40, fps=1.0)[-1][1], Ended)


def test_the_document_has_every_component_with_its_working_point():
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in DOCUMENT.read_text().splitlines() if "|" in line
    ]
    written = {row[0]: row[3:5] for row in rows if len(row) == 6}
    for component, scale in SCALES.items():
        working_point, loss = written[component]
        assert float(working_point) == scale.working_point(DEFAULT_RULES), component
        assert float(loss) == scale.loss if scale.loss else not loss.replace(".", "").isdecimal(), component
