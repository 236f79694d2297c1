"""Capture quality of a face: brightness, contrast and sharpness of its luma at a fixed size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Box

SIDE = 128


@dataclass(frozen=True, slots=True)
class Quality:
    """Brightness and contrast 0..1; sharpness in squared grey levels (variance of the Laplacian)."""

    brightness: float
    contrast: float
    sharpness: float


def measure_quality(image: NDArray[np.uint8], box: Box) -> Quality | None:
    """Returns the quality of the face in `box` of an (H, W, 3) RGB picture; None when the box is outside of it."""
    height, width = image.shape[:2]
    left, top = max(int(box.x), 0), max(int(box.y), 0)
    right, bottom = min(int(box.x + box.width), width), min(int(box.y + box.height), height)
    if right - left < 2 or bottom - top < 2:
        return None
    face = cv2.resize(image[top:bottom, left:right], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    luma = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    low, high = np.percentile(luma, (5, 95))
    return Quality(
        brightness=float(luma.mean()) / 255.0,
        contrast=float(high - low) / 255.0,
        sharpness=float(cv2.Laplacian(luma, cv2.CV_32F).var()),
    )
