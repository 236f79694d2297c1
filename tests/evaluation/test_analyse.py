"""`analyse` against the catalogue's events, with the real models on both runtimes."""

import functools

import pytest

from device.camera import RecordingEndedError
from device.camera.recording import RecordingCamera
from device.evaluation.analyse import analyse
from device.vision.assembly import load_vision
from device.vision.manifest import default_directory
from tests.evaluation.clip_events import catalogue, found_direction, match_blinks

# One process for all: what was found in the clips is computed once for each runtime.
pytestmark = [pytest.mark.media, pytest.mark.xdist_group("analyse")]


SECONDS = 60.0  # one clip lasts 200 s; docs/evaluation.md has the figures over its whole length


class Beginning(RecordingCamera):
    """A recording that ends after some seconds."""

    def __init__(self, path, seconds):
        super().__init__(path)
        self._seconds = seconds

    def read(self):
        frame = super().read()
        if frame.taken_at > self._seconds:
            raise RecordingEndedError("enough was seen")
        return frame


@functools.cache  # pytest sets a module's fixture up anew for each turn of the runtimes
def _analysed(vision, media):
    found = []
    for events in catalogue(media):
        camera = Beginning(media / "videos" / events.name, SECONDS)
        try:
            found.append((events.until(SECONDS), analyse(camera, vision.follower)))
        finally:
            camera.close()
    return found


@functools.cache
def _vision(runtime):
    return load_vision(default_directory(), runtime)


@pytest.fixture
def analysed(vision, media):
    """What was found in every clip."""
    return _analysed(_vision(vision.models.runtime), media)


def test_blinks_are_found(analysed):
    counts = [match_blinks(events, document["blinks"]) for events, document in analysed if events.blinks]
    right, wrong, missed = (sum(column) for column in zip(*counts, strict=True))
    assert 2 * right / (2 * right + wrong + missed) >= 0.8, counts


def test_no_blink_is_found_where_there_is_none(analysed):
    assert {
        events.name: document["blinks"] for events, document in analysed if not events.blinks and document["blinks"]
    } == {}


def test_every_turn_beyond_25_degrees_is_found_in_its_direction(analysed):
    for events, document in analysed:
        for direction, start, end in events.turns:
            assert found_direction(document["turns"], start, end) == direction, (events.name, start, document["turns"])
