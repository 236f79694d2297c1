"""Chroma: the colour of the light in the face, and behind it, as two logarithms each.

A ratio of two colours in linear light does not change with exposure, shading or the skin's own tone; only another
mixture of light moves it. Three patches of skin without hair, beard line or glasses stand for the face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device.signals import Box, Chroma, Face
from device.vision.eyes import eye_distance

FOREHEAD, RIGHT_CHEEK, LEFT_CHEEK = 151, 50, 280
_PATCH = 0.2  # half a patch's side over the eye distance
_HEAD_SIDE, _HEAD_TOP = 0.35, 0.6  # hair and ears beyond the landmarks, over the box's width and height
_BACKGROUND_STRIDE = 6
_DARKEST, _BRIGHTEST = 4, 250  # beyond them a camera's pixel no longer follows the light
_MIN_USABLE = 0.5
_MIN_PIXELS = 64


def _srgb_table() -> NDArray[np.float32]:
    """Linear light of the 256 levels of sRGB (IEC 61966-2-1)."""
    level = np.arange(256) / 255.0
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


TO_LINEAR = _srgb_table()


def measure_chroma(image: NDArray[np.uint8], face: Face) -> Chroma | None:
    """Returns the chroma of a face in an (H, W, 3) RGB picture and of what is behind it; None without usable skin."""
    skin = log_ratios(skin_pixels(image, face.landmarks))
    return None if skin is None else Chroma(skin, log_ratios(background_pixels(image, face.box)))


def skin_pixels(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns the pixels of forehead and cheeks, (N, 3)."""
    height, width = image.shape[:2]
    half = max(_PATCH * eye_distance(landmarks), 1.0)
    patches = []
    for x, y in landmarks[[FOREHEAD, RIGHT_CHEEK, LEFT_CHEEK], :2].tolist():
        left, right = (round(min(max(x + side, 0), width)) for side in (-half, half))
        top, bottom = (round(min(max(y + side, 0), height)) for side in (-half, half))
        patches.append(image[top:bottom, left:right].reshape(-1, 3))
    return np.concatenate(patches)


def background_pixels(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Returns every sixth pixel each way of what is beside and above the head, (N, 3)."""
    height, width = image.shape[:2]
    left, right = (box.x - _HEAD_SIDE * box.width, box.x + (1 + _HEAD_SIDE) * box.width)
    crown, chin = (round(min(max(y, 0), height)) for y in (box.y - _HEAD_TOP * box.height, box.y + box.height))
    left, right = (round(min(max(x, 0), width)) for x in (left, right))
    step = _BACKGROUND_STRIDE
    parts = (image[:crown:step, ::step], image[crown:chin:step, :left:step], image[crown:chin:step, right::step])
    return np.concatenate([part.reshape(-1, 3) for part in parts])


def log_ratios(pixels: NDArray[np.uint8]) -> tuple[float, float] | None:
    """Returns ln(red / green) and ln(blue / green) of the pixels' mean light; None when too few are usable."""
    usable = (pixels.max(axis=1, initial=0) <= _BRIGHTEST) & (pixels.min(axis=1, initial=255) >= _DARKEST)
    kept = pixels[usable]
    if len(kept) < max(_MIN_PIXELS, _MIN_USABLE * len(pixels)):
        return None
    red, green, blue = np.log(TO_LINEAR[kept].mean(axis=0, dtype=np.float64)).tolist()
    return red - green, blue - green
