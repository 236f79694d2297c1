from pathlib import Path

import cv2
import numpy as np
import pytest

from device.vision.detector import LEFT_EYE, MOUTH, RIGHT_EYE, Detector
from device.vision.manifest import Models
from device.vision.pictures import read_picture


@pytest.fixture
def detector(models: Models) -> Detector:
    return Detector(models.detector)


@pytest.fixture(scope="session")
def portrait(media: Path) -> np.ndarray:
    return read_picture(media / "pairs" / "london" / "001_neutral.jpg")


def test_an_empty_picture_has_no_face(detector: Detector) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    for image in (np.zeros((480, 640, 3), np.uint8), noise, np.full((1, 1, 3), 128, np.uint8), noise[:1]):
        assert detector.detect(image) == []
        assert detector.search(image) == []


@pytest.mark.media
def test_key_points_are_named_from_the_customer_s_side(detector: Detector, portrait: np.ndarray) -> None:
    (face,) = detector.detect(portrait)
    points = face.keypoints
    assert face.score > 0.9
    assert points[RIGHT_EYE, 0] < points[LEFT_EYE, 0]  # his right is at the picture's left
    assert points[MOUTH, 1] > points[LEFT_EYE, 1]
    inside = (points > (face.box.x, face.box.y)) & (
        points < (face.box.x + face.box.width, face.box.y + face.box.height)
    )
    assert inside[:4].all()


@pytest.mark.media
def test_the_box_follows_the_picture_s_place_and_scale(detector: Detector, portrait: np.ndarray) -> None:
    (whole,) = detector.detect(portrait)
    wide = cv2.copyMakeBorder(cv2.resize(portrait, None, fx=0.5, fy=0.5), 0, 0, 100, 200, cv2.BORDER_REPLICATE)
    (moved,) = detector.detect(wide)
    assert (moved.box.x - 100) * 2 == pytest.approx(whole.box.x, abs=0.05 * whole.box.width)
    assert moved.box.y * 2 == pytest.approx(whole.box.y, abs=0.05 * whole.box.width)
    assert moved.box.width * 2 == pytest.approx(whole.box.width, rel=0.08)


@pytest.mark.media
@pytest.mark.parametrize("number", ["001", "037", "068", "105"])
def test_a_chip_portrait_that_the_face_fills_is_found(detector: Detector, media: Path, number: str) -> None:
    image = read_picture(media / "pairs" / "london" / f"{number}_neutral.jpg")
    box = detector.detect(image)[0].box
    left, top = max(0, round(box.x)), max(0, round(box.y - 0.25 * box.height))
    tight = image[top : round(box.y + box.height * 1.02), left : round(box.x + box.width)]
    (face,) = detector.search(cv2.resize(tight, (102, 126), interpolation=cv2.INTER_AREA))
    assert face.box.width > 50


@pytest.mark.media
def test_a_small_face_is_found_by_searching(detector: Detector, portrait: np.ndarray) -> None:
    scene = np.full((720, 1280, 3), 90, np.uint8)
    scene[300:450, 900:1050] = cv2.resize(portrait, (150, 150), interpolation=cv2.INTER_AREA)
    (face,) = detector.search(scene)
    assert 900 < face.box.x < 1050
    assert 40 < face.box.width < 80


@pytest.mark.media
def test_two_people_are_two_detections(detector: Detector, portrait: np.ndarray) -> None:
    both = np.concatenate([portrait, portrait[:, ::-1]], axis=1)
    assert len(detector.detect(both)) == 2
    assert len(detector.search(both)) == 2
