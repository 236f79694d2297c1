"""Chroma of skin and background, on painted pictures."""

import numpy as np
import pytest

from device.signals import Box, Face
from device.vision.chroma import FOREHEAD, LEFT_CHEEK, RIGHT_CHEEK, TO_LINEAR, background_pixels, measure_chroma
from device.vision.eyes import LEFT_EYE, RIGHT_EYE

SKIN, WALL = (180, 120, 90), (90, 110, 130)
BOX = Box(120, 100, 80, 110)


def painted(skin=SKIN, wall=WALL, box=BOX) -> tuple[np.ndarray, Face]:
    image = np.empty((240, 320, 3), np.uint8)
    image[:] = wall
    image[int(box.y) - 60 : 240, int(box.x) - 25 : int(box.x + box.width) + 25] = skin
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[list(RIGHT_EYE), :2] = box.x + 20, box.y + 35
    landmarks[list(LEFT_EYE), :2] = box.x + 60, box.y + 35
    for point, (x, y) in {FOREHEAD: (40, 12), RIGHT_CHEEK: (15, 65), LEFT_CHEEK: (65, 65)}.items():
        landmarks[point, :2] = box.x + x, box.y + y
    return image, Face(box, 0.9, landmarks)


def ratios(colour) -> tuple[float, float]:
    red, green, blue = TO_LINEAR[list(colour)]
    return float(np.log(red / green)), float(np.log(blue / green))


def test_face_and_background_are_told_apart():
    found = measure_chroma(*painted())
    assert found.face == pytest.approx(ratios(SKIN), abs=1e-4)
    assert found.background == pytest.approx(ratios(WALL), abs=1e-4)


def test_half_the_light_is_the_same_colour():
    image, face = painted()
    half = np.searchsorted(TO_LINEAR, TO_LINEAR[image] / 2).astype(np.uint8)
    assert measure_chroma(half, face).face == pytest.approx(measure_chroma(image, face).face, abs=0.03)


@pytest.mark.parametrize("skin", [(255, 255, 255), (0, 0, 0), (255, 120, 90)])
def test_burnt_out_or_black_skin_has_no_chroma(skin):
    assert measure_chroma(*painted(skin=skin)) is None


def test_a_burnt_out_wall_is_no_background():
    found = measure_chroma(*painted(wall=(255, 255, 255)))
    assert found.face == pytest.approx(ratios(SKIN), abs=1e-4)
    assert found.background is None


@pytest.mark.parametrize("box", [Box(-500, -500, 80, 110), Box(900, 900, 80, 110), Box(-50, -50, 600, 600)])
def test_a_face_beyond_the_picture_is_no_crash(box):
    image, _ = painted()
    _, face = painted()
    moved = Face(box, 0.9, face.landmarks - 2000)
    assert background_pixels(image, box).shape[1] == 3
    assert measure_chroma(image, moved) is None
