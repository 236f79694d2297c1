"""Eye openness: the eye aspect ratio (Soukupova and Cech, 2016) on the 478-point mesh."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Outer corner, two points of the upper lid, inner corner, the two of the lower lid below them.
LEFT_EYE = (263, 387, 385, 362, 380, 373)
RIGHT_EYE = (33, 160, 158, 133, 153, 144)
_CORNERS = np.array([LEFT_EYE[0], LEFT_EYE[3], RIGHT_EYE[0], RIGHT_EYE[3]])


def openness(landmarks: NDArray[np.float32], eye: tuple[int, ...]) -> float:
    """Returns lid distance over eye width, about 0..0.45, of one eye; `landmarks` is (478, 3) in pixels.

    The width is taken in three dimensions, so that it does not shrink when the head turns.
    """
    points = landmarks[list(eye)].tolist()
    outer, upper_outer, upper_inner, inner, lower_inner, lower_outer = points
    lids = math.dist(upper_outer[:2], lower_outer[:2]) + math.dist(upper_inner[:2], lower_inner[:2])
    width = math.dist(outer, inner)
    return lids / (2.0 * width) if width > 0 else 0.0


def eye_distance(landmarks: NDArray[np.float32]) -> float:
    """Returns the distance of the eyes' centres in pixels, in three dimensions."""
    outer, inner, other_outer, other_inner = landmarks[_CORNERS].tolist()
    apart = (a + b - c - d for a, b, c, d in zip(outer, inner, other_outer, other_inner, strict=True))
    return math.hypot(*apart) / 2
