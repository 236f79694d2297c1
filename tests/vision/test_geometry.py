"""Pose, relief, aspect and eyes on geometry that the tests make: every right answer is known."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.liveness.rules import DEFAULT_RULES
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, eye_distance, openness
from device.vision.manifest import default_directory, load_manifest
from device.vision.pose import PoseSolver
from device.vision.relief import aspect, relief

PIXELS_PER_CM = 12.0
CENTRE = (320.0, 240.0)


def _canonical_face() -> tuple[np.ndarray, np.ndarray]:
    path = default_directory() / load_manifest(default_directory()).canonical_face.file
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :3], table[:, 3]


VERTICES, WEIGHTS = _canonical_face()
SOLVER = PoseSolver(VERTICES, WEIGHTS)


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """The canonical face, turned by a person: centimetres, x to the picture's right, y up, z to the viewer."""
    y, p, r = np.radians((yaw, pitch, roll))
    to_the_left = [[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]]
    upwards = [[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]]
    # The left shoulder is at the picture's right: seen from the camera, the head tilts clockwise.
    to_the_shoulder = [[math.cos(r), math.sin(r), 0], [-math.sin(r), math.cos(r), 0], [0, 0, 1]]
    return VERTICES @ (np.array(to_the_left) @ upwards @ to_the_shoulder).T


def landmarks(points: np.ndarray, distance_cm: float | None = None) -> np.ndarray:
    """(478, 3) pixels as the landmark model gives them; parallel, or in perspective from so many centimetres."""
    near = np.ones(len(points)) if distance_cm is None else distance_cm / (distance_cm - points[:, 2])
    x = CENTRE[0] + PIXELS_PER_CM * points[:, 0] * near
    y = CENTRE[1] - PIXELS_PER_CM * points[:, 1] * near
    face = np.column_stack((x, y, -PIXELS_PER_CM * points[:, 2]))
    return np.concatenate((face, np.repeat(face[:1], 10, axis=0))).astype(np.float32)  # the irises are not used here


def flat(face: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """The face on paper: each landmark where the homography takes it."""
    mapped = face.copy()
    mapped[:, :2] = cv2.perspectiveTransform(face[None, :, :2].astype(np.float64), homography)[0]
    return mapped


def tilted_print(yaw: float, distance_cm: float | None = None) -> np.ndarray:
    """A print of the frontal face, turned about its upright middle."""
    paper = VERTICES * (1, 1, 0)
    angle = math.radians(yaw)
    return landmarks(paper * (math.cos(angle), 1, 0) + paper[:, :1] * (0, 0, -math.sin(angle)), distance_cm)


FRONTAL = landmarks(turned())
YAWS = pytest.mark.parametrize("yaw", [-45.0, -20.0, 0.0, 20.0, 45.0])


@YAWS
@pytest.mark.parametrize("pitch", [-25.0, 0.0, 25.0])
@pytest.mark.parametrize("roll", [0.0, 15.0])
def test_yaw_and_pitch_are_exact_in_a_parallel_projection(yaw, pitch, roll):
    pose = SOLVER.solve(landmarks(turned(yaw, pitch, roll)))
    assert (pose.yaw, pose.pitch) == pytest.approx((yaw, pitch), abs=0.01)


@pytest.mark.parametrize("roll", [-30.0, -10.0, 10.0, 30.0])
def test_roll_is_positive_to_the_left_shoulder(roll):
    pose = SOLVER.solve(landmarks(turned(roll=roll)))
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((0, 0, roll), abs=0.01)


def test_the_signs_are_the_customers():
    left = landmarks(turned(yaw=30))
    assert left[4, 0] > FRONTAL[4, 0]  # the nose points to the picture's right
    assert SOLVER.solve(left).yaw > 0
    up = landmarks(turned(pitch=20))
    assert up[4, 1] < FRONTAL[4, 1]
    assert SOLVER.solve(up).pitch > 0
    to_the_shoulder = landmarks(turned(roll=20))
    assert to_the_shoulder[10, 0] > FRONTAL[10, 0]  # the forehead leans to the picture's right
    assert SOLVER.solve(to_the_shoulder).roll > 0


@YAWS
def test_pose_holds_in_perspective_at_arms_length(yaw):
    pose = SOLVER.solve(landmarks(turned(yaw=yaw, pitch=-8), distance_cm=50))
    assert pose.yaw == pytest.approx(yaw, abs=4)
    assert pose.pitch == pytest.approx(-8, abs=4)


@given(st.floats(-60, 60), st.floats(-40, 40), st.floats(0.2, 8.0), st.floats(-500, 500), st.floats(-500, 500))
def test_pose_depends_neither_on_size_nor_on_place(yaw, pitch, scale, x, y):
    face = landmarks(turned(yaw=yaw, pitch=pitch))
    moved = (face * scale + (x, y, 0)).astype(np.float32)
    one, other = SOLVER.solve(face), SOLVER.solve(moved)
    assert (other.yaw, other.pitch, other.roll) == pytest.approx((one.yaw, one.pitch, one.roll), abs=0.05)


@pytest.mark.parametrize("points", [np.zeros((478, 3)), np.ones((478, 3)), FRONTAL * (0, 1, 1), FRONTAL * (1, 1, 0)])
def test_a_degenerate_face_has_some_finite_pose(points):
    pose = SOLVER.solve(points.astype(np.float32))
    assert all(map(math.isfinite, (pose.yaw, pose.pitch, pose.roll)))


@pytest.mark.parametrize(
    "homography",
    [
        np.eye(3),
        np.array([[0.7, 0, 30], [0, 1, 0], [0, 0, 1]]),
        np.array([[0.8, -0.3, 10], [0.2, 0.9, -40], [0, 0, 1]]),
        np.array([[0.7, 0.1, 9], [0.1, 0.9, 3], [8e-4, -3e-4, 1]]),
    ],
    ids=["the same", "narrowed", "affine", "perspective"],
)
def test_any_homography_of_a_face_has_no_relief(homography):
    assert relief(FRONTAL, flat(FRONTAL, homography)) < 0.002


@pytest.mark.parametrize("distance_cm", [None, 40.0])
@pytest.mark.parametrize("yaw", [-45.0, -20.0, 20.0, 45.0])
def test_a_turned_print_has_no_relief(yaw, distance_cm):
    assert relief(tilted_print(0.0, distance_cm), tilted_print(yaw, distance_cm)) < 0.002


@pytest.mark.parametrize("distance_cm", [None, 50.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_turned_head_has_relief_that_grows_with_the_turn(side, distance_cm):
    frontal = landmarks(turned(), distance_cm)
    reliefs = [relief(frontal, landmarks(turned(yaw=side * yaw), distance_cm)) for yaw in (5, 10, 20, 25, 30, 35, 45)]
    assert reliefs == sorted(reliefs)
    assert min(reliefs[2:]) > DEFAULT_RULES.min_relief


def test_relief_is_measured_in_eye_distances():
    turned_face = landmarks(turned(yaw=30))
    assert relief(FRONTAL * 3, turned_face * 3) == pytest.approx(relief(FRONTAL, turned_face), rel=1e-3)


def test_without_extent_there_is_no_relief():
    assert relief(FRONTAL, np.zeros_like(FRONTAL)) is None
    nowhere = relief(np.zeros_like(FRONTAL), FRONTAL)
    assert nowhere is None or nowhere >= 0


@pytest.mark.parametrize("yaw", [-40.0, 40.0])
def test_a_print_tilted_by_forty_degrees_is_too_narrow(yaw):
    share = aspect(tilted_print(yaw)) / aspect(FRONTAL)
    assert share == pytest.approx(math.cos(math.radians(40)), abs=0.01)
    assert share < DEFAULT_RULES.min_aspect


@pytest.mark.parametrize("yaw", [-20.0, -10.0, 10.0, 20.0])
def test_a_print_tilted_a_little_is_not(yaw):
    assert aspect(tilted_print(yaw)) / aspect(FRONTAL) > DEFAULT_RULES.min_aspect


@pytest.mark.parametrize("roll", [-30.0, 30.0])
def test_aspect_does_not_change_with_roll_or_size(roll):
    assert aspect(landmarks(turned(roll=roll)) * 2) == pytest.approx(aspect(FRONTAL), rel=1e-3)


def test_a_face_without_height_has_no_aspect():
    assert aspect(np.zeros_like(FRONTAL)) == 0.0


def lids(face: np.ndarray, eye: tuple[int, ...], share: float) -> np.ndarray:
    """Moves the upper lid of one eye so that its opening is `share` of what it was."""
    moved = face.copy()
    _, upper_outer, upper_inner, _, lower_inner, lower_outer = eye
    for upper, lower in ((upper_outer, lower_outer), (upper_inner, lower_inner)):
        moved[upper] = face[lower] + share * (face[upper] - face[lower])
    return moved


@pytest.mark.parametrize(("eye", "other"), [(LEFT_EYE, RIGHT_EYE), (RIGHT_EYE, LEFT_EYE)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.5])
def test_openness_follows_the_lids_of_its_own_eye_alone(eye, other, share):
    face = lids(FRONTAL, eye, share)
    assert openness(face, eye) == pytest.approx(share * openness(FRONTAL, eye), rel=1e-3)
    assert openness(face, other) == openness(FRONTAL, other)


def test_the_left_eye_is_the_customers():
    assert FRONTAL[list(LEFT_EYE), 0].mean() > FRONTAL[list(RIGHT_EYE), 0].mean()
    assert openness(FRONTAL, LEFT_EYE) == pytest.approx(openness(FRONTAL, RIGHT_EYE), rel=1e-3)
    assert 0.15 < openness(FRONTAL, LEFT_EYE) < 0.45


@YAWS
def test_openness_and_eye_distance_hold_while_the_head_turns(yaw):
    face = landmarks(turned(yaw=yaw))
    assert eye_distance(face) == pytest.approx(eye_distance(FRONTAL), rel=1e-3)
    assert openness(face, LEFT_EYE) == pytest.approx(openness(FRONTAL, LEFT_EYE), rel=0.12)


def test_a_point_is_no_eye():
    assert openness(np.zeros_like(FRONTAL), LEFT_EYE) == 0.0
