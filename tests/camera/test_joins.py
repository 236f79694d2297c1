"""Morph cuts: between two pictures of a moved thing, the thing moves."""

import cv2
import numpy as np
import pytest

from device.camera.joins import JOIN_PICTURES, morph

WALL = np.full((120, 160, 3), 90, np.uint8)


def disc(x):
    return cv2.circle(WALL.copy(), (x, 60), 25, (220, 180, 140), -1)


def centre(picture):
    columns = np.nonzero(picture[60, :, 0] > 155)[0]
    return columns.mean()


def test_the_thing_moves_step_by_step():
    places = [centre(picture) for picture in morph(disc(70), disc(85))]
    share = 15 / (JOIN_PICTURES + 1)
    assert places == pytest.approx([70 + share * (step + 1) for step in range(JOIN_PICTURES)], abs=1.5)


def test_the_pictures_are_new_and_like_those_given():
    pictures = morph(disc(70), disc(85))
    assert len(pictures) == JOIN_PICTURES
    assert {(picture.shape, picture.dtype) for picture in pictures} == {(WALL.shape, WALL.dtype)}
