import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.signals import Face
from device.vision.detector import Detector
from device.vision.landmarks import LandmarkFinder, Region, region_from_detection, region_from_landmarks
from device.vision.manifest import Models
from device.vision.pictures import read_picture


@pytest.fixture
def finder(models: Models) -> LandmarkFinder:
    return LandmarkFinder(models.landmarks)


@pytest.fixture(scope="session")
def portrait(media: Path) -> np.ndarray:
    return read_picture(media / "pairs" / "london" / "001_neutral.jpg")


def located(models: Models, image: np.ndarray) -> Face:
    face = LandmarkFinder(models.landmarks).find(
        image, region_from_detection(Detector(models.detector).detect(image)[0])
    )
    assert face is not None
    return face


def eye_distance(landmarks: np.ndarray) -> float:
    return float(np.linalg.norm(landmarks[468, :2] - landmarks[473, :2]))


def test_where_no_face_is_none_is_found(finder: LandmarkFinder) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    assert finder.find(noise, Region(150, 150, 200, 0)) is None
    assert finder.find(noise, Region(-1000, 5000, 200, 1)) is None


@pytest.mark.parametrize("size", [0.0, -5.0, math.nan, math.inf, 1e9])
def test_a_senseless_region_holds_no_face(finder: LandmarkFinder, size: float) -> None:
    assert finder.find(np.zeros((50, 50, 3), np.uint8), Region(10, 10, size, 0)) is None


@pytest.mark.media
def test_landmarks_lie_on_the_face(models: Models, portrait: np.ndarray) -> None:
    face = located(models, portrait)
    landmarks = face.landmarks
    assert face.score > 0.99
    assert landmarks.shape == (478, 3)
    assert landmarks.dtype == np.float32
    right_eye, left_eye, nose, mouth, chin = landmarks[[468, 473, 4, 13, 152], :2]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < mouth[1] < chin[1]
    assert landmarks[4, 2] < landmarks[[234, 454], 2].min()  # the nose is nearer than the ears
    low = face.box.x, face.box.y
    assert np.allclose(landmarks[:, :2].min(axis=0), low)


@pytest.mark.media
def test_following_from_landmarks_is_steady(models: Models, finder: LandmarkFinder, portrait: np.ndarray) -> None:
    first = located(models, portrait)
    second = finder.find(portrait, region_from_landmarks(first.landmarks))
    assert second is not None
    third = finder.find(portrait, region_from_landmarks(second.landmarks))
    assert third is not None
    error = np.linalg.norm((third.landmarks - second.landmarks)[:, :2], axis=1).mean()
    assert error < 0.02 * eye_distance(first.landmarks)


@pytest.mark.media
@pytest.mark.parametrize("degrees", [-25, 25])
def test_a_tilted_head_is_followed(
    models: Models, finder: LandmarkFinder, portrait: np.ndarray, degrees: float
) -> None:
    upright = located(models, portrait)
    turn = cv2.getRotationMatrix2D((450, 450), degrees, 1)
    tilted = cv2.warpAffine(portrait, turn, (900, 900))
    first = located(models, tilted)
    second = finder.find(tilted, region_from_landmarks(first.landmarks))
    assert second is not None
    expected = upright.landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
    error = np.linalg.norm(second.landmarks[:, :2] - expected, axis=1).mean()
    assert error < 0.04 * eye_distance(upright.landmarks)
    assert math.degrees(region_from_landmarks(second.landmarks).angle) == pytest.approx(-degrees, abs=4)


@pytest.mark.media
def test_the_result_is_the_caller_s_own(models: Models, finder: LandmarkFinder, portrait: np.ndarray) -> None:
    face = located(models, portrait)
    again = finder.find(portrait, region_from_landmarks(face.landmarks))
    assert again is not None
    kept = again.landmarks.copy()
    finder.find(portrait[::-1].copy(), region_from_landmarks(face.landmarks))
    np.testing.assert_array_equal(again.landmarks, kept)
