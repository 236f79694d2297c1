"""Joins of recorded footage: morph cuts, since a person before a camera is never cut.

The few pictures between two like poses are interpolated along dense optical flow (Kroeger et al., 2016), both ways and
blended, as video editors do it. Whoever splices footage well does the same: see "What it does not stop" in
docs/liveness.md.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

JOIN_PICTURES = 4
_FLOW_SIDE = 256  # pixels of the longer side at which the flow is found


def morph(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Returns `JOIN_PICTURES` pictures that lead from one (H, W, 3) picture to the other, without either."""
    forth, back = _flow(before, after), _flow(after, before)
    y, x = np.indices(before.shape[:2], np.float32)
    places = np.stack([x, y], axis=-1)
    pictures = []
    for share in ((number + 1) / (JOIN_PICTURES + 1) for number in range(JOIN_PICTURES)):
        # The flow is taken to be smooth: reading backwards along it saves inverting it.
        left, come = _read(before, places - share * forth), _read(after, places - (1.0 - share) * back)
        pictures.append(np.asarray(cv2.addWeighted(left, 1.0 - share, come, share, 0.0), np.uint8))
    return pictures


def _flow(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where each point of `one` is found in `other`, as (H, W, 2) pixels of the whole picture."""
    height, width = one.shape[:2]
    shrink = min(1.0, _FLOW_SIDE / max(height, width))
    size = (max(round(width * shrink), 16), max(round(height * shrink), 16))
    small = [
        np.asarray(cv2.cvtColor(cv2.resize(each, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY), np.uint8)
        for each in (one, other)
    ]
    nothing = np.zeros((*size[::-1], 2), np.float32)
    found = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(small[0], small[1], nothing)
    scale = np.array([width / size[0], height / size[1]], np.float32)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) * scale, np.float32)


def _read(picture: NDArray[np.uint8], places: NDArray[np.float32]) -> NDArray[np.uint8]:
    x, y = np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
