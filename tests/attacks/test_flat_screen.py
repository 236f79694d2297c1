"""A screen that answers every cue: it shows the live face, blinks when asked, and is tilted by hand for turns.

This once passed: seen from far aside, a flat face looks turned to the landmark model, with a relief that it imagines.
"""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from device.camera.animation import HeadRenderer
from device.camera.motion import AnimatedPerson
from device.camera.portrait import HEIGHT, WIDTH, load_portrait
from device.evaluation.sessions import answering, draw, verify_on_desk
from device.vision.assembly import load_vision
from device.vision.inference import Runtime, available_runtimes
from device.vision.manifest import default_directory
from device.vision.reference import PortraitReader
from device.wire.claims import Outcome
from device.wire.plan import DEFAULT_ACTIONS

REHEARSAL = default_directory() / "rehearsal"
SEEDS = range(4)
GAINS = (1.5, 1.8, 2.1)  # degrees of tilt for each degree that a head would turn: 29 to 33 of them


class FlatScreen:
    """Shows what a head renderer draws, without its turns, on a plane that is turned instead."""

    def __init__(self, head, gain, focal_length):
        self._head, self._gain, self._focal_length = head, gain, focal_length

    def render(self, posture):
        shown = self._head.render(replace(posture, yaw=0.0))
        angle = math.radians(max(-75.0, min(posture.yaw * self._gain, 75.0)))
        corners = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
        seen = np.array([self._project(x - WIDTH / 2, y - HEIGHT / 2, angle) for x, y in corners], np.float32)
        tilt = cv2.getPerspectiveTransform(corners, seen)
        return cv2.warpPerspective(shown, tilt, (WIDTH, HEIGHT), borderValue=(120, 120, 120))

    def _project(self, x, y, angle):
        scale = self._focal_length / (self._focal_length + x * math.sin(angle))
        return x * math.cos(angle) * scale + WIDTH / 2, y * scale + HEIGHT / 2


@pytest.fixture(scope="module", params=list(Runtime), ids=str)
def vision(request):
    if request.param not in available_runtimes():
        pytest.skip(f"{request.param} is not installed here: this test did not run on it")
    return load_vision(default_directory(), request.param)


@pytest.fixture(scope="module")
def reference(vision):
    return PortraitReader(vision.models).read(REHEARSAL / "astronaut.png").embedding


@pytest.fixture(scope="module")
def head():
    names = ("astronaut.png", "astronaut_head.png", "astronaut_landmarks.csv")
    return HeadRenderer(load_portrait(*(REHEARSAL / name for name in names)))


def outcome(vision, reference, person, seed):
    return verify_on_desk(answering(person), vision, reference, draw(seed, DEFAULT_ACTIONS))[1]["outcome"]


@pytest.mark.parametrize("gain", GAINS)
def test_a_screen_that_blinks_and_is_tilted_is_never_verified(vision, reference, head, gain):
    screen = AnimatedPerson("a tilted screen", FlatScreen(head, gain, focal_length=960.0))
    assert [outcome(vision, reference, screen, seed) for seed in SEEDS].count(Outcome.VERIFIED) == 0


def test_the_same_head_turned_in_depth_is_verified(vision, reference, head):
    """Else the test above would pass for any other reason."""
    person = AnimatedPerson("the animation", head)
    assert [outcome(vision, reference, person, seed) for seed in range(3)] == [Outcome.VERIFIED] * 3
