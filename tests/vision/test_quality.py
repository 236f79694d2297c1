"""Quality components on faces that the tests paint: each fault moves its own component."""

from dataclasses import astuple, replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.liveness.rules import DEFAULT_RULES
from device.signals import Box, Face
from device.vision.quality import OUTLINE, measure_quality, mouth_opening

SIDE = 128
CENTRE, EYES, CHIN = 64.0, 50.0, 126.0


def landmarks() -> np.ndarray:
    """(478, 3) pixels of a round face that fills a square of 128 pixels."""
    points = np.full((478, 3), (CENTRE, 70.0, 0.0), np.float32)
    turns = np.linspace(-np.pi / 2, 1.5 * np.pi, len(OUTLINE), endpoint=False)
    points[list(OUTLINE), 0] = CENTRE + 62 * np.cos(turns)
    points[list(OUTLINE), 1] = CENTRE + 62 * np.sin(turns)
    points[[33, 133], 0], points[[362, 263], 0] = (30, 50), (78, 98)
    points[[33, 133, 362, 263], 1] = EYES
    points[[61, 291], 0], points[[61, 291, 13, 14], 1] = (48, 80), 98
    return points


FACE = Face(Box(0, 0, SIDE, SIDE), 1.0, landmarks())


def stripes(low: int, high: int) -> np.ndarray:
    columns = np.where(np.arange(SIDE) // 4 % 2, high, low).astype(np.uint8)
    return np.repeat(columns[None], SIDE, axis=0)


def plain(level: int) -> np.ndarray:
    return np.full((SIDE, SIDE), level, np.uint8)


def measured(image: np.ndarray):
    quality = measure_quality(image, FACE)
    assert quality is not None
    return quality


@pytest.mark.parametrize("level", [0, 51, 255])
def test_brightness_is_the_mean_luma_and_a_plain_face_has_no_range(level):
    quality = measured(plain(level))
    assert quality.brightness == pytest.approx(level / 255, abs=1e-6)
    assert (quality.dynamic_range, quality.sharpness, quality.uniformity) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(("level", "under", "over"), [(25, 1, 0), (26, 0, 0), (246, 0, 0), (247, 0, 1)])
def test_exposure_counts_what_is_nearly_black_and_what_is_burnt_out(level, under, over):
    quality = measured(plain(level))
    assert (quality.under_exposed, quality.over_exposed) == (under, over)


def test_the_dynamic_range_is_the_entropy_of_the_luma():
    assert measured(stripes(51, 204)).dynamic_range == pytest.approx(1.0, abs=0.01)


def test_light_from_one_side_tells_on_the_cheeks():
    image = plain(180)
    image[:, : SIDE // 2] = 60
    assert measured(image).uniformity == pytest.approx(1 / 3)
    assert measured(image[:, ::-1]).uniformity == pytest.approx(1 / 3)
    assert measured(image.T).uniformity == 1.0


def test_dark_glasses_hide_the_eyes_and_a_patch_on_one_eye_does_not():
    image = plain(160)
    image[40:60, 70:106] = 32
    assert measured(image).eye_visibility == pytest.approx(1.0)
    image[40:60, 22:58] = 32
    assert measured(image).eye_visibility == pytest.approx(0.2)


def speckled() -> np.ndarray:
    """Structure of the size of lids and lips, in every direction."""
    noise = np.random.default_rng(3).normal(size=(SIDE, SIDE))
    return np.uint8(np.clip(128 + 300 * cv2.GaussianBlur(noise, (0, 0), 3), 0, 255))


def moved(image: np.ndarray, degrees: float, length: int = 21) -> np.ndarray:
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D((length // 2, length // 2), degrees, 1)
    line = cv2.warpAffine(line, turn, (length, length))
    return cv2.filter2D(image, -1, line / line.sum())


def test_the_further_out_of_focus_the_less_sharp():
    levels = [
        measured(cv2.GaussianBlur(speckled(), (0, 0), sigma) if sigma else speckled()).sharpness
        for sigma in (0, 1, 2, 4, 8)
    ]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < DEFAULT_RULES.min_sharpness < levels[0]


@pytest.mark.parametrize("degrees", [0, 45, 90, 135])
def test_motion_in_any_direction_blurs(degrees):
    assert measured(moved(speckled(), degrees)).sharpness < measured(speckled()).sharpness / 3


def test_little_light_and_little_contrast_are_not_taken_for_blur():
    sharp = measured(speckled()).sharpness
    assert measured(np.uint8(speckled() * 0.3)).sharpness == pytest.approx(sharp, rel=0.05)
    assert measured(np.uint8(speckled() * 0.3 + 150)).sharpness == pytest.approx(sharp, rel=0.05)


def test_only_the_face_counts():
    image = np.zeros((200, 300), np.uint8)
    image[20:148, 100:228] = stripes(51, 204)
    there = Face(Box(100, 20, SIDE, SIDE), 1.0, landmarks() + np.float32((100, 20, 0)))
    assert replace(measure_quality(image, there), margin=0.0) == measured(stripes(51, 204))


def test_what_lies_outside_the_outline_is_not_the_face():
    image = plain(120)
    image[:12, :12] = image[:12, -12:] = image[-12:, :12] = image[-12:, -12:] = 255
    assert measured(image).over_exposed == 0.0


def test_the_margin_is_told_in_widths_of_the_face_and_is_negative_beyond_the_edge():
    picture = np.zeros((400, 600), np.uint8)
    assert [
        measure_quality(picture, Face(Box(x, y, 100, 120), 1.0, landmarks())).margin
        for x, y in [(250, 140), (480, 140), (-50, 140), (250, 330)]
    ] == pytest.approx([1.4, 0.2, -0.5, -0.5])


def test_the_mouth_opening_is_relative_to_the_face():
    face = landmarks()
    face[13, 1] -= 7.6
    assert mouth_opening(landmarks()) == 0.0
    assert mouth_opening(face) == pytest.approx(7.6 / (CHIN - EYES), rel=0.01)
    assert mouth_opening(face * 3) == pytest.approx(mouth_opening(face), rel=1e-5)


def test_a_point_has_no_mouth():
    assert mouth_opening(np.zeros((478, 3), np.float32)) == 0.0


@pytest.mark.parametrize("box", [Box(-50, -50, 40, 40), Box(500, 0, 9, 9), Box(10, 10, 0, 9), Box(10, 10, 1, 1)])
def test_a_box_outside_of_the_picture_has_no_quality(box):
    assert measure_quality(np.zeros((100, 100), np.uint8), Face(box, 1.0, landmarks())) is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0, 40.0, 1e4]), st.floats(-60, 60), st.floats(0, 120))
def test_any_landmarks_give_finite_components_within_their_range_or_none(seed, spread, corner, size):
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (40, 50), np.uint8)
    points = random.normal(20, spread, (478, 3)).astype(np.float32)
    quality = measure_quality(image, Face(Box(corner, corner, size, size), 1.0, points))
    if quality is None:
        return
    assert np.isfinite(astuple(quality)).all()
    shares = (quality.brightness, quality.under_exposed, quality.over_exposed, quality.uniformity)
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in shares)
    assert 0 <= quality.dynamic_range <= 8
    assert 0 <= quality.eye_visibility <= 255
