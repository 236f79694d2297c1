"""Calibration, frame by frame: what is answered, and what is never guessed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.liveness.calibrating import (
    FAR_FRAMES,
    LOOK_LIMIT_S,
    MIN_LEAD,
    SAME_FRAMES,
    TURN_LIMIT_S,
    TURN_PEAK_DEG,
    Failed,
    Found,
    Looking,
    Sighting,
    Turning,
    look,
    turn,
)
from device.liveness.evidence import Ending
from device.liveness.session import Ended
from device.signals import Signals
from device.wire.plan import Action, Plan
from tests.liveness.captures import NEUTRAL
from tests.liveness.conftest import Show

NOBODY = Signals(at=0.0, number=0, faces=0, view=None)


def face(**changes) -> Signals:
    return replace(NOBODY, faces=1, view=replace(NEUTRAL, **{"yaw": 0.0, "roll": 0.0} | changes))


def looked(seen, frames=SAME_FRAMES, state=None):
    """Looks at faces (with a score of 0.9) or at sightings, by rotation."""
    state = state or Looking()
    sightings = {rotation: Sighting(NOBODY, 0.0) for rotation in (0, 90, 180, 270)} | {
        rotation: each if isinstance(each, Sighting) else Sighting(each, 0.9) for rotation, each in seen.items()
    }
    for number in range(frames):
        if isinstance(state, Looking):
            state = look(state, number / 10, sightings)
    return state


def turned(*angles):
    state = looked({0: face(yaw=3.0)})
    for number, angle in enumerate(angles):
        if isinstance(state, Turning):
            state = turn(state, 1 + number / 10, face(yaw=3.0 + angle))
    return state


LEFT = (0, 10, 20, 30, 32, 30, 20, 10, 2, 1, 0)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_rotation_is_the_one_in_which_the_face_stands_upright(rotation):
    state = looked({rotation: face()})
    assert isinstance(state, Turning)
    assert state.rotation == rotation


def test_a_face_found_upside_down_does_not_count():
    assert isinstance(looked({0: face(), 180: face(roll=175.0)}), Turning)
    assert isinstance(looked({180: face(roll=175.0)}), Looking)


def test_a_face_that_seems_upright_twice_is_told_by_its_score():
    imagined = Sighting(face(), 0.9 - MIN_LEAD - 0.01)
    state = looked({0: imagined, 180: face()})
    assert isinstance(state, Turning)
    assert state.rotation == 180
    assert isinstance(looked({0: Sighting(face(), 0.85), 180: face()}, frames=100), Looking)


def test_several_people_are_no_answer():
    state = looked({0: replace(face(), faces=2)}, frames=100)
    assert isinstance(state, Looking)
    assert state.advice == "one person only before the camera"


def test_the_frames_have_to_agree_in_a_row():
    state = looked({0: face()}, frames=SAME_FRAMES - 1)
    state = looked({90: face()}, frames=SAME_FRAMES - 1, state=state)
    assert isinstance(state, Looking)


def test_without_a_face_it_ends_with_what_to_do():
    state = Looking()
    for at in (0.0, LOOK_LIMIT_S + 0.1):
        state = look(state, at, {0: Sighting(NOBODY, 0.0)})
    assert state == Failed(
        "no answer: look straight at the camera, from as near as a customer, in good light; then run again"
    )


def test_a_left_that_is_at_the_pictures_left_is_a_mirror():
    assert turned(*LEFT) == Found(0, False, NEUTRAL.quality.brightness, NEUTRAL.width)
    mirrored = turned(*(-angle for angle in LEFT))
    assert isinstance(mirrored, Found)
    assert mirrored.mirrored
    assert not mirrored.agrees(turned(*LEFT))


def test_a_turn_to_both_sides_is_no_answer():
    state = turned(*LEFT[:-3], *(-angle for angle in LEFT))
    assert isinstance(state, Failed)
    assert "both sides" in state.advice


@pytest.mark.parametrize(
    ("angles", "advice"),
    [
        ([0.0], "no turn was seen"),
        ([0, *[TURN_PEAK_DEG - 1] * 9, 0, 0, 0], "too small"),
        ([0, 30, 30, 30, 30, 30, 30], "did not come back"),
    ],
)
def test_a_turn_that_tells_too_little_ends_with_what_to_do(angles, advice):
    state = turned(*angles)
    assert isinstance(state, Turning)
    state = turn(state, state.since + TURN_LIMIT_S + 0.1, face())
    assert isinstance(state, Failed)
    assert advice in state.advice
    assert "run again" in state.advice


@given(st.lists(st.floats(-180, 180), max_size=60))
def test_mirrored_is_only_ever_said_after_a_clear_turn_to_one_side(angles):
    state = turned(*angles)
    if isinstance(state, Found):
        side = -1 if state.mirrored else 1
        far = [angle * side for angle in angles if abs(angle) >= TURN_PEAK_DEG]
        assert far
        assert max(far) >= TURN_PEAK_DEG
        assert sum(angle * side > 0 for angle in angles) >= FAR_FRAMES


def test_a_mirror_that_was_not_calibrated_fails_every_turn_as_a_wrong_action():
    for action in (Action.TURN_LEFT, Action.TURN_RIGHT):
        plan = Plan((action, Action.BLINK, Action.TURN_RIGHT), (0.8, 0.7, 1.2))

        def mirrored(signals, _):
            return replace(signals, view=replace(signals.view, yaw=-signals.view.yaw))

        state = Show(plan=plan, tamper=mirrored).play()
        assert isinstance(state, Ended)
        assert state.why is Ending.WRONG_ACTION
