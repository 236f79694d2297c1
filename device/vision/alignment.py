"""Cuts a face out upright and to scale, as the embedding model was trained to see it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 112
_COMPLEX = np.array([1, 1j])

# Where ArcFace's crop (Deng et al. 2019) has the right and left eye, nose tip, right and left mouth corner, in pixels.
_TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)


# An eye is the mean of its corners and iris: the iris alone follows the gaze.
_EYES = np.array([(33, 133, 468), (362, 263, 473)])
_NOSE_AND_MOUTH = np.array([4, 61, 291])


def five_points(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """(5, 2) pixels: right eye, left eye, nose tip, right and left mouth corner of (478, 3) landmarks."""
    eyes = landmarks[_EYES, :2].mean(axis=1)
    return np.concatenate([eyes, landmarks[_NOSE_AND_MOUTH, :2]], dtype=np.float64)


def aligned_crop(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns the crop of a face, turned and scaled so that its five points lie best on the template.

    (112, 112, 3) of an (H, W, 3) picture, (112, 112) of its (H, W) luma.
    """
    to_crop = similarity_transform(five_points(landmarks), _TEMPLATE)
    return np.asarray(cv2.warpAffine(image, to_crop, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.uint8)


def similarity_transform(points: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (2, 3) rotation, scale and shift that brings (N, 2) points nearest to targets in the least-squares sense.

    In the complex plane this is one division (Umeyama's fit without reflection, for two dimensions).
    """
    source, target = (points @ _COMPLEX).tolist(), (targets @ _COMPLEX).tolist()
    middle, goal = sum(source) / len(source), sum(target) / len(target)
    spread = sum(abs(point - middle) ** 2 for point in source)
    pairs = zip(source, target, strict=True)
    turn = sum((a - middle).conjugate() * (b - goal) for a, b in pairs) / spread if spread > 0 else 1
    shift = goal - turn * middle
    return np.array([(turn.real, -turn.imag, shift.real), (turn.imag, turn.real, shift.imag)])
