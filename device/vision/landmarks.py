"""Places 478 landmarks on a face: MediaPipe's 256 px face mesh (Kartynnik et al. 2019, Grishchenko et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Box, Face
from device.vision.detector import LEFT_EYE, RIGHT_EYE, Detection
from device.vision.inference import Model

RIGHT_EYE_OUTER_CORNER, LEFT_EYE_OUTER_CORNER = 33, 263
_SIDE = 256
_MARGIN = 1.5  # the model was trained on squares of one and a half times the face's longer side


@dataclass(frozen=True, slots=True)
class Region:
    """A turned square of the picture: centre and side in pixels, angle of its upper edge in radians, clockwise."""

    x: float
    y: float
    size: float
    angle: float


def region_from_detection(detection: Detection) -> Region:
    """The region in which to look for the landmarks of a detected face, upright along the eyes."""
    box = detection.box
    across = detection.keypoints[LEFT_EYE] - detection.keypoints[RIGHT_EYE]
    angle = math.atan2(float(across[1]), float(across[0]))
    return Region(box.x + box.width / 2, box.y + box.height / 2, max(box.width, box.height) * _MARGIN, angle)


def region_from_landmarks(landmarks: NDArray[np.float32]) -> Region:
    """The region for the next frame from the last one's (478, 3) landmarks: follows the head without a detector."""
    across = landmarks[LEFT_EYE_OUTER_CORNER] - landmarks[RIGHT_EYE_OUTER_CORNER]
    angle = math.atan2(float(across[1]), float(across[0]))
    upright = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turned = upright.T @ landmarks[:, :2].T  # rows: numpy finds their least several times as fast as that of columns
    low, high = turned.min(axis=1), turned.max(axis=1)
    x, y = (upright @ ((low + high) / 2)).tolist()
    return Region(x, y, float((high - low).max()) * _MARGIN, angle)


class LandmarkFinder:
    """Runs the landmark model; not safe for use by two threads at once."""

    def __init__(self, model: Model, least_score: float = 0.5) -> None:
        self._model = model
        self._least_score = least_score
        self._crop = np.empty((_SIDE, _SIDE, 3), np.uint8)
        self._input = np.empty((1, _SIDE, _SIDE, 3), np.float32)

    def find(self, image: NDArray[np.uint8], region: Region) -> Face | None:
        """Returns the face inside `region` of an (H, W, 3) RGB picture; None when the model sees no face there."""
        if not 1 <= region.size < 1e5:
            return None
        to_picture = _region_to_picture(region)
        _cut(image, to_picture, self._crop)
        np.multiply(self._crop, np.float32(1 / 255), out=self._input[0])
        coordinates, presence, _ = self._model.run(self._input)
        score = 1 / (1 + math.exp(-min(max(float(presence.item()), -50), 50)))
        if score < self._least_score:
            return None
        landmarks = coordinates.reshape(-1, 3)
        landmarks[:, :2] = landmarks[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        flat = np.ascontiguousarray(landmarks[:, :2].T)
        landmarks[:, 2] *= region.size / _SIDE
        (left, top), (right, bottom) = flat.min(axis=1).tolist(), flat.max(axis=1).tolist()
        return Face(Box(left, top, right - left, bottom - top), score, landmarks)

    def forget(self) -> None:
        """Overwrites what is left of the last picture."""
        self._crop[:] = 0
        self._input[:] = 0
        self._model.forget()


def square_of(image: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """Returns the (256, 256, 3) upright square of an (H, W, 3) picture that `region` is."""
    return _cut(image, _region_to_picture(region), None)


def _cut(
    image: NDArray[np.uint8], to_picture: NDArray[np.float32], into: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, to_picture, (_SIDE, _SIDE), dst=into, flags=flags), np.uint8)


def _region_to_picture(region: Region) -> NDArray[np.float32]:
    """(2, 3) affine map from the model's pixels to the picture's."""
    cosine, sine = (f(region.angle) * region.size / _SIDE for f in (math.cos, math.sin))
    half = _SIDE / 2
    right, down = region.x - (cosine - sine) * half, region.y - (sine + cosine) * half
    return np.array([[cosine, -sine, right], [sine, cosine, down]], np.float32)
