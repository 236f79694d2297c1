"""Blinks as timelines of eye openness, at the frame rates a terminal may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.liveness.blinks import MIN_MEMORY, RELEARN_S, Blink, EyeTrack, lose_eyes, watch_eyes
from device.liveness.rules import DEFAULT_RULES

OPEN, SHUT = 0.30, 0.03
LID_S = 0.05  # a lid falls in about this time, and rises a little slower
SHARE = DEFAULT_RULES.closed_share
FRAME_RATES = pytest.mark.parametrize("fps", [10.0, 15.0, 24.0, 30.0])
PHASES = [step / 7 for step in range(7)]  # where in a frame's interval the blink begins


def openness(at: float, start: float, end: float, level: float = OPEN) -> float:
    """A lid that is down from `start` to `end`, measured where it passes `SHARE` of its open level."""
    down = (at - start) / LID_S + (1 - SHARE)
    up = (end - at) / LID_S + (1 - SHARE)
    return max(SHUT, level * (1 - min(max(min(down, up), 0.0), 1.0)))


def watch(samples, track=None):
    """Feeds (time, left, right); returns the track and the blinks."""
    track, blinks = track or EyeTrack(), []
    for at, left, right in samples:
        track, blink = watch_eyes(track, at, left, right, SHARE)
        if blink is not None:
            blinks.append(blink)
    return track, blinks


def timeline(fps, left, right, seconds=4.0):
    return [(n / fps, left(n / fps), right(n / fps)) for n in range(int(seconds * fps))]


def wide(_):
    return OPEN


@FRAME_RATES
@pytest.mark.parametrize("phase", PHASES)
def test_a_blink_is_found_once_and_timed_between_frames(fps, phase):
    start = 2.0 + phase / fps
    end = start + 0.25

    def lid(at):
        return openness(at, start, end)

    _, blinks = watch(timeline(fps, lid, lid))
    (blink,) = blinks
    # A straight line between two frames cannot know how fast the lid fell between them.
    tolerance = 0.5 / fps
    assert blink.start == pytest.approx(start, abs=tolerance)
    assert blink.end == pytest.approx(end, abs=tolerance)
    assert blink.depth == pytest.approx(SHUT / OPEN, abs=0.01)


@FRAME_RATES
def test_interpolation_beats_the_frames_own_times(fps):
    """The mean error of the duration over all phases, against taking the first and last closed frame."""
    interpolated, by_frames = [], []
    for phase in PHASES:
        start = 2.0 + phase / fps
        end = start + 0.25

        def lid(at, start=start, end=end):
            return openness(at, start, end)

        samples = timeline(fps, lid, lid)
        (blink,) = watch(samples)[1]
        closed = [at for at, left, _ in samples if left < SHARE * OPEN]
        interpolated.append(abs(blink.duration - 0.25))
        by_frames.append(abs(closed[-1] - closed[0] - 0.25))
    assert sum(interpolated) < 0.6 * sum(by_frames)


def test_slow_lids_are_timed_to_a_few_milliseconds():
    def lid(at):  # 0.4 s down, 0.4 s up, in straight lines
        return OPEN * min(max(abs(at - 2.0) / 0.4, 0.1), 1.0)

    (blink,) = watch(timeline(15.0, lid, lid))[1]
    assert blink.start == pytest.approx(2.0 - 0.4 * SHARE, abs=0.005)
    assert blink.end == pytest.approx(2.0 + 0.4 * SHARE, abs=0.005)


@FRAME_RATES
def test_two_blinks_are_two(fps):
    def lid(at):
        return min(openness(at, 2.0, 2.2), openness(at, 2.6, 2.8))

    first, second = watch(timeline(fps, lid, lid))[1]
    assert first.end < second.start


@pytest.mark.parametrize("which", ["left", "right"])
def test_a_wink_is_no_blink(which):
    def lid(at):
        return openness(at, 2.0, 2.3)

    eyes = (lid, wide) if which == "left" else (wide, lid)
    assert watch(timeline(30.0, *eyes))[1] == []


def test_each_eye_has_its_own_open_level():
    def narrow(at):
        return openness(at, 2.0, 2.2, level=0.16)

    def lid(at):
        return openness(at, 2.0, 2.2)

    (blink,) = watch(timeline(30.0, narrow, lid))[1]
    assert blink.duration == pytest.approx(0.2, abs=0.02)
    # The narrow eye alone, held against the wide one, would always be closed.
    assert watch(timeline(30.0, lambda _: 0.16, wide))[1] == []


def test_half_closed_lids_are_no_blink():
    def lid(at):
        return 0.6 * OPEN if 2.0 <= at < 2.2 else OPEN

    assert watch(timeline(30.0, lid, lid))[1] == []


def test_a_long_closure_is_one_long_blink_that_no_rule_takes_for_an_answer():
    def lid(at):
        return openness(at, 2.0, 5.0)

    (blink,) = watch(timeline(20.0, lid, lid, seconds=7.0))[1]
    assert blink.duration == pytest.approx(3.0, abs=0.03)
    assert blink.duration > DEFAULT_RULES.max_blink_s


def test_eyes_that_stay_narrow_are_learnt_anew():
    narrowed = 0.12

    def lid(at):
        return OPEN if at < 2.0 else openness(at, 12.0, 12.2, level=narrowed)

    samples = timeline(20.0, lid, lid, seconds=14.0)
    before, blinks = watch([sample for sample in samples if sample[0] < 2.0 + RELEARN_S])
    assert blinks == []
    assert before.closed_at is not None
    after, blinks = watch([sample for sample in samples if sample[0] >= 2.0 + RELEARN_S], before)
    (blink,) = blinks
    assert (blink.start, blink.end) == (pytest.approx(12.0, abs=0.03), pytest.approx(12.2, abs=0.03))
    assert after.closed_at is None


def test_nothing_is_told_before_the_open_eye_is_known():
    track, blinks = watch([(n / 30, OPEN, OPEN) for n in range(MIN_MEMORY - 1)])
    assert track.relative(OPEN, OPEN) is None
    track, blinks = watch([(1.0, OPEN, OPEN)], track)
    assert track.relative(OPEN, OPEN) == pytest.approx(1.0)
    assert blinks == []


def test_a_closure_during_which_the_face_is_lost_is_not_timed_and_the_open_level_stays():
    def lid(at):
        return openness(at, 2.0, 2.4)

    samples = timeline(30.0, lid, lid)
    track, _ = watch([sample for sample in samples if sample[0] < 2.2])
    assert track.closed_at is not None
    track = lose_eyes(track)
    assert track.relative(OPEN, OPEN) == pytest.approx(1.0)
    assert watch([sample for sample in samples if sample[0] > 2.5], track)[1] == []


def test_the_face_comes_back_with_closed_eyes():
    track, _ = watch([(n / 30, OPEN, OPEN) for n in range(30)])
    # When the lids fell was not seen: it cannot be told from a picture of closed eyes that was slipped in.
    assert watch([(2.0, SHUT, SHUT), (2.1, SHUT, SHUT), (2.2, OPEN, OPEN)], lose_eyes(track))[1] == []


def test_drowsy_lids_that_sink_slowly_become_the_open_level():
    """The level follows a person over seconds; each blink still stands out from it."""

    def lid(at):
        return openness(at, 15.0, 15.2, level=OPEN - 0.008 * min(at, 15.5))

    (blink,) = watch(timeline(20.0, lid, lid, seconds=17.0))[1]
    assert blink.start == pytest.approx(15.0, abs=0.04)


steps = st.floats(0.001, 2.0)
eyes = st.floats(0.0, 0.6)


@given(st.lists(st.tuples(steps, eyes, eyes, st.booleans()), max_size=120))
def test_any_eyes_give_blinks_in_their_order_inside_the_time_watched(samples):
    track, at, blinks = EyeTrack(), 0.0, list[Blink]()
    for step_s, left, right, lost in samples:
        at += step_s
        if lost:
            track = lose_eyes(track)
            continue
        track, blink = watch_eyes(track, at, left, right, SHARE)
        if blink is not None:
            blinks.append(blink)
            assert blink.depth < SHARE
    edges = [edge for blink in blinks for edge in (blink.start, blink.end)]
    assert edges == sorted(edges)
    assert all(0.0 <= edge <= at for edge in edges)


@given(st.lists(st.tuples(eyes, eyes), min_size=1, max_size=60), st.floats(0.2, 3.0))
def test_blinks_do_not_depend_on_how_large_eyes_are(samples, factor):
    plain = [(n / 30, left + 0.01, right + 0.01) for n, (left, right) in enumerate(samples)]
    scaled = [(at, left * factor, right * factor) for at, left, right in plain]
    one, other = watch(plain)[1], watch(scaled)[1]
    assert [(blink.start, blink.end) for blink in other] == [
        (pytest.approx(blink.start), pytest.approx(blink.end)) for blink in one
    ]
