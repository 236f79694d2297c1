"""A morph: one portrait made of two people's, to be accepted for either (Ferrara et al., 2014)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.portrait import HEIGHT, WIDTH, Portrait
from device.evaluation.redteam.heads import whole_picture

_CELL = 8  # pixels between the points at which the warp is solved
_ANCHORS = tuple(range(0, 468, 6))


def morph(one: Portrait, other: Portrait) -> NDArray[np.uint8]:
    """Returns (HEIGHT, WIDTH, 3) RGB: both faces moved to their mean shape, and averaged."""
    shapes = [portrait.landmarks[list(_ANCHORS), :2] for portrait in (one, other)]
    mean = (shapes[0] + shapes[1]) / 2
    moved = [_move(whole_picture(portrait), shape, mean) for portrait, shape in zip((one, other), shapes, strict=True)]
    return np.asarray(cv2.addWeighted(moved[0], 0.5, moved[1], 0.5, 0), np.uint8)


def _move(picture: NDArray[np.uint8], source: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Warps `picture` so that `source` comes to lie at `target`: distance-weighted shifts (Shepard, 1968)."""
    x, y = np.meshgrid(np.arange(0, WIDTH, _CELL), np.arange(0, HEIGHT, _CELL))
    grid = np.stack([x, y], axis=-1).astype(np.float32)
    squared = ((grid[:, :, None, :] - target) ** 2).sum(axis=-1)
    weights = 1.0 / (squared + 16.0) ** 1.5
    shift = (weights[..., None] * (source - target)).sum(axis=2) / weights.sum(axis=2)[..., None]
    # The small map is sampled at the corners of its cells, the large one at the middle of its pixels.
    map_x, map_y = (
        cv2.resize((grid + shift)[..., axis].astype(np.float32), (WIDTH, HEIGHT)) - np.float32((_CELL - 1) / 2)
        for axis in range(2)
    )
    moved = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
