import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.vision.alignment import SIDE, aligned_crop, five_points, similarity_transform

POINTS = np.array([(0.0, 0.0), (10, 0), (5, 6), (2, 11), (8, 11)])


@given(st.floats(0.05, 20), st.floats(-math.pi, math.pi), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_a_similarity_is_recovered(scale: float, angle: float, right: float, down: float) -> None:
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = similarity_transform(POINTS, POINTS @ turn.T + (right, down))
    np.testing.assert_allclose(found, np.column_stack([turn, (right, down)]), atol=1e-8 * (1 + abs(right) + abs(down)))


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    found = similarity_transform(POINTS, POINTS * (-1, 1))
    assert np.linalg.det(found[:, :2]) >= 0


def test_points_in_one_place_give_a_finite_shift() -> None:
    assert np.isfinite(similarity_transform(np.zeros((5, 2)), POINTS)).all()


def test_a_face_of_any_size_and_tilt_gives_the_same_crop() -> None:
    rng = np.random.default_rng(11)
    landmarks = rng.uniform(80, 320, (478, 3)).astype(np.float32)
    landmarks[[33, 133, 468], :2], landmarks[[362, 263, 473], :2] = (160, 180), (240, 180)
    landmarks[4, :2], landmarks[61, :2], landmarks[291, :2] = (200, 225), (165, 270), (235, 270)
    ramp = np.linspace(0, 255, 400).astype(np.uint8)
    image = np.stack([np.tile(ramp, (400, 1)), np.tile(ramp[:, None], (1, 400)), np.full((400, 400), 9, np.uint8)], -1)
    upright = aligned_crop(image, landmarks)
    turned = landmarks.copy()
    turned[:, :2] = landmarks[:, [1, 0]] * (1, -1) + (0, 399)  # with the picture, a quarter turn against the clock
    quarter = aligned_crop(np.ascontiguousarray(np.rot90(image)), turned)
    assert upright.shape == (SIDE, SIDE, 3)
    assert np.abs(upright.astype(int) - quarter).max() <= 3


def test_the_five_points_are_eyes_nose_and_mouth() -> None:
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[[33, 133, 468], 0] = 1, 2, 3
    landmarks[4, :2] = 7, 8
    np.testing.assert_allclose(five_points(landmarks)[[0, 2]], [(2, 0), (7, 8)])
