"""Change between pictures: a drawn face that moves, is copied with noise, is lost and comes back."""

import cv2
import numpy as np
import pytest

from device.signals import Box, Face
from device.vision.change import ChangeWatcher

RANDOM = np.random.default_rng(0)
WALL = cv2.resize(RANDOM.integers(60, 200, (12, 16, 3), dtype=np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
SKIN = cv2.resize(RANDOM.integers(40, 220, (9, 9, 3), dtype=np.uint8), (100, 120), interpolation=cv2.INTER_CUBIC)
OTHER = cv2.resize(RANDOM.integers(40, 220, (9, 9, 3), dtype=np.uint8), (100, 120), interpolation=cv2.INTER_CUBIC)
POINTS = RANDOM.uniform((0, 0, 0), (100, 120, 1), (478, 3)).astype(np.float32)
POINTS[[33, 133, 468]] = (30, 45, 0)
POINTS[[362, 263, 473]] = (70, 45, 0)
POINTS[4], POINTS[61], POINTS[291] = (50, 70, 0), (35, 90, 0), (65, 90, 0)


def seen(at, x=100, skin=SKIN, noise=0.0):
    picture = WALL.copy()
    picture[60:180, x : x + 100] = skin
    if noise:
        picture = np.clip(picture + RANDOM.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
    face = Face(Box(x, 60, 100, 120), 1.0, POINTS + np.array([x, 60, 0], np.float32))
    return at, cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), face


def test_the_first_picture_has_no_change():
    assert ChangeWatcher().watch(*seen(0.0)) is None


def test_a_shift_is_told_in_face_sizes():
    watcher = ChangeWatcher()
    watcher.watch(*seen(0.0))
    change = watcher.watch(*seen(1 / 30, x=111))
    assert change.shift == pytest.approx(0.1, abs=0.005)
    assert change.face < 0.2  # the wall around it
    assert (change.new, change.since) == (True, 0.0)


def test_a_copy_with_a_sensors_noise_is_a_copy_and_the_next_motion_is_measured_from_before_it():
    watcher = ChangeWatcher()
    watcher.watch(*seen(0.0, noise=1.0))
    assert not watcher.watch(*seen(1 / 30, noise=1.0)).new
    moved = watcher.watch(*seen(2 / 30, x=111, noise=1.0))
    assert (moved.new, moved.since) == (True, 0.0)


def test_another_face_in_the_same_place_changes_the_face():
    watcher = ChangeWatcher()
    watcher.watch(*seen(0.0))
    assert watcher.watch(*seen(1 / 30, skin=OTHER)).face > 0.5


def test_brighter_light_is_no_other_face():
    watcher = ChangeWatcher()
    watcher.watch(*seen(0.0))
    at, luma, face = seen(1 / 30)
    assert watcher.watch(at, cv2.add(luma, 20), face).face < 0.03


def test_a_face_that_is_lost_for_a_moment_is_compared_with_the_one_that_comes_back():
    watcher = ChangeWatcher()
    watcher.watch(*seen(0.0))
    gone = watcher.watch(*seen(1 / 30)[:2], None)
    assert (gone.new, gone.face, gone.shift, gone.place) == (True, None, None, None)
    back = watcher.watch(*seen(2 / 30, skin=OTHER))
    assert back.since == 0.0
    assert back.face > 0.5


@pytest.mark.parametrize("at", [-1.0, 0.0, 2.0])
def test_time_that_stands_runs_back_or_leaps_gives_no_change(at):
    watcher = ChangeWatcher()
    watcher.watch(*seen(0.0))
    assert watcher.watch(*seen(at, x=120)) is None


def test_a_still_scene_is_watched_on():
    watcher = ChangeWatcher()
    changes = [watcher.watch(*seen(number / 30)) for number in range(30)]
    assert all(change is not None and not change.new for change in changes[1:])
