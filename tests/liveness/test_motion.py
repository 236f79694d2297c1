"""Motion as timelines of changes: what a cut is, and what is only a quick head, a jolt or a doubled frame."""

import math

import pytest

from device.liveness.motion import Motion, jumped, stalls, watch_motion
from device.liveness.rules import DEFAULT_RULES
from device.liveness.sway import Pace, Sway, watch_pace, watch_sway
from device.signals import Change, Signals

FPS = 30.0


def watch(shifts, faces=None, doubled=False):
    """Feeds changes of the face's place; returns the motion and whether a cut was seen. None is a near copy."""
    motion, cut, since = Motion(), False, 0.0
    for number, shift in enumerate(shifts, start=1):
        at = number / FPS
        face = 0.1 if faces is None else faces[number - 1]
        change = Change(since, new=shift is not None, scene=0.01, face=face, shift=shift or 0.0, place=(1.0, 1.0))
        motion = watch_motion(motion, Signals(at, number, 1, None, change=change), DEFAULT_RULES)
        cut = cut or jumped(motion, DEFAULT_RULES)
        since = at if change.new else since
    return motion, cut


def test_a_cut_among_still_frames_is_seen():
    assert watch([0.002] * 10 + [0.12] + [0.002] * 5)[1]


def test_a_cut_is_seen_two_changes_later():
    shifts = [0.002] * 10 + [0.12, 0.002]
    assert not watch(shifts)[1]
    assert watch([*shifts, 0.002])[1]


def test_a_quick_head_is_no_cut():
    assert not watch([0.002, 0.03, 0.09, 0.2, 0.3, 0.25, 0.12, 0.05, 0.002] * 3)[1]


def test_motion_that_a_converter_doubled_is_no_cut():
    """A near copy, then twice the way: the fastest clip at hand moves 0.3 of a face so."""
    assert not watch([0.08, None, 0.16, 0.09, 0.08, None, 0.15, 0.07, 0.08])[1]


def test_another_picture_at_the_same_place_is_a_cut():
    assert watch([0.002] * 12, faces=[0.05] * 6 + [0.5] + [0.05] * 5)[1]


def test_a_leap_is_a_cut_whatever_is_around():
    assert watch([0.9, 0.95, 1.3])[1]


@pytest.mark.parametrize(("pattern", "stands"), [([0.04, None], True), ([0.04, 0.04, 0.04, None], False)])
def test_footage_at_half_its_speed_stands_in_every_other_frame(pattern, stands):
    assert stalls(watch(pattern * 20)[0], DEFAULT_RULES) is stands


def test_a_still_face_between_motions_does_not_stall():
    assert not stalls(watch([0.04] * 15 + [None] * 60 + [0.04] * 15)[0], DEFAULT_RULES)


def test_an_unmeasured_change_explains_nothing_after_it():
    motion, _ = watch([0.002] * 10)
    assert watch_motion(motion, Signals(1.0, 99, 1, None), DEFAULT_RULES).moves == ()


def sway_of(path, seconds=4.0, fps=FPS):
    sway = Sway()
    for number in range(int(seconds * fps)):
        sway = watch_sway(sway, number / fps, path(number / fps), DEFAULT_RULES.sway_s)
    return sway.least


@pytest.mark.parametrize("fps", [10.0, 15.0, 30.0])
def test_trembling_landmarks_of_a_still_face_do_not_sway(fps):
    tremble = (0.001, -0.001, 0.0005, -0.0005)
    assert sway_of(lambda at: (2.0 + tremble[round(at * fps) % 4], 2.0), fps=fps) < DEFAULT_RULES.min_sway


@pytest.mark.parametrize("fps", [10.0, 15.0, 30.0])
def test_the_stillest_person_at_hand_sways_enough(fps):
    """Four thousandths of a face in two seconds."""
    assert sway_of(lambda at: (2.0 + 0.003 * math.sin(2.0 * at), 2.0), fps=fps) > DEFAULT_RULES.min_sway


def test_the_sway_of_a_face_that_is_away_is_not_measured():
    assert sway_of(lambda at: None if at % 1.0 < 0.1 else (2.0, 2.0)) is None


def pace_of(frames):
    pace = Pace()
    for at, number in frames:
        pace = watch_pace(pace, Signals(at, number, 0, None))
    return pace


def test_an_exposure_that_doubles_halves_the_rate_and_is_fine():
    times = [number / 30 for number in range(60)] + [2 + number / 15 for number in range(45)]
    assert pace_of(zip(times, range(105), strict=True)).ratio == pytest.approx(2.0, abs=0.1)


def test_frames_that_a_slow_reader_missed_are_fine():
    assert pace_of((number / 30, number) for number in range(120) if number % 3 != 1).ratio < 1.1


def test_times_that_do_not_go_with_the_numbers():
    times = [number / 30 for number in range(60)] + [2 + number / 7 for number in range(45)]
    assert pace_of(zip(times, range(105), strict=True)).ratio > DEFAULT_RULES.max_pace_ratio


def test_a_number_that_comes_twice():
    assert not pace_of([(0.0, 0), (0.1, 1), (0.2, 1)]).rising
