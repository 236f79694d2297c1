"""Eye openness: the eye aspect ratio (Soukupova and Cech, 2016) on the 478-point mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Outer corner, two points of the upper lid, inner corner, the two of the lower lid below them.
LEFT_EYE = (263, 387, 385, 362, 380, 373)
RIGHT_EYE = (33, 160, 158, 133, 153, 144)


def openness(landmarks: NDArray[np.float32], eye: tuple[int, ...]) -> float:
    """Returns lid distance over eye width, about 0..0.45, of one eye; `landmarks` is (478, 3) in pixels.

    The width is taken in three dimensions, so that it does not shrink when the head turns.
    """
    points = landmarks[list(eye)]
    outer, upper_outer, upper_inner, inner, lower_inner, lower_outer = points
    lids = np.hypot(*(upper_outer - lower_outer)[:2]) + np.hypot(*(upper_inner - lower_inner)[:2])
    width = float(np.linalg.norm(outer - inner))
    return float(lids) / (2.0 * width) if width > 0 else 0.0


def eye_distance(landmarks: NDArray[np.float32]) -> float:
    """Returns the distance of the eyes' centres in pixels, in three dimensions."""
    left = landmarks[[LEFT_EYE[0], LEFT_EYE[3]]].mean(axis=0)
    right = landmarks[[RIGHT_EYE[0], RIGHT_EYE[3]]].mean(axis=0)
    return float(np.linalg.norm(left - right))
