"""Eyes for faces that have none: printed ones, a flap with closed lids, living ones behind holes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.animation import draw_lids_down
from device.camera.portrait import HEIGHT, WIDTH, Portrait
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, openness
from device.vision.reference import PortraitReader

_CORNERS = ((33, 133), (362, 263))  # each eye's corners, from the picture's left to its right
_CHEEKS = (50, 280)
_HOLE = (0.62, 0.42)  # half axes of a hole in the paper, over the eye's width
_CLOSED_FROM = 0.5


def stay_open(portrait: Portrait, _closure: float) -> NDArray[np.uint8]:
    """Printed eyes: returns the head as it is, (H, W, 4)."""
    return portrait.head


def under_flap(portrait: Portrait, closure: float) -> NDArray[np.uint8]:
    """Returns the head, (H, W, 4); while the eyes should be closed, a flap printed with closed lids lies over them."""
    return draw_lids_down(portrait, 1.0) if closure >= _CLOSED_FROM else portrait.head


class LiveEyes:
    """Somebody's own eyes, filmed as they blink, set into holes of a printed face."""

    def __init__(self, reader: PortraitReader, frames: Sequence[NDArray[np.uint8]], portrait: Portrait) -> None:
        """Takes the frames of one blink, and the portrait whose eyes are cut out.

        Raises ValueError when no frame shows a face.
        """
        faces = [(frame, faces[0].landmarks) for frame in frames if (faces := reader.faces(frame))]
        if not faces:
            raise ValueError("no frame of the blink shows a face")
        opened = [min(openness(points, LEFT_EYE), openness(points, RIGHT_EYE)) for _, points in faces]
        self._closures = 1.0 - np.array(opened) / max(opened)
        self._eyes = [_worn(frame, points, portrait) for frame, points in faces]
        holes = np.zeros((HEIGHT, WIDTH), np.uint8)
        for corners in _CORNERS:
            (x, y), width = _eye(portrait.landmarks, corners)
            axes = (round(width * _HOLE[0]), round(width * _HOLE[1]))
            cv2.ellipse(holes, (round(x), round(y)), axes, 0, 0, 360, (255,), -1, cv2.LINE_AA)
        self._holes = holes[..., None].astype(np.float32) / 255.0

    def __call__(self, portrait: Portrait, closure: float) -> NDArray[np.uint8]:
        """Returns the head, (H, W, 4), with the eyes that are closed as far as asked for (0..1)."""
        eyes, printed = self._eyes[int(np.abs(self._closures - closure).argmin())], portrait.head[..., :3]
        seen = printed + (eyes.astype(np.float32) - printed) * self._holes
        return np.asarray(np.dstack([seen, portrait.head[..., 3]]), np.uint8)


def _worn(frame: NDArray[np.uint8], points: NDArray[np.float32], portrait: Portrait) -> NDArray[np.uint8]:
    """The frame, laid over the portrait so that the eyes' corners meet, in the light of the portrait's cheeks."""
    indices = [index for corners in _CORNERS for index in corners]
    to_portrait, _ = cv2.estimateAffinePartial2D(points[indices, :2], portrait.landmarks[indices, :2])
    worn = cv2.warpAffine(frame, to_portrait, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    own = np.array(_skin(np.asarray(worn, np.uint8), portrait), np.float32)
    wanted = np.array(_skin(portrait.head[..., :3], portrait), np.float32)
    return np.asarray(np.clip(worn * (wanted / np.maximum(own, 1.0)), 0, 255), np.uint8)


def _skin(picture: NDArray[np.uint8], portrait: Portrait) -> tuple[int, int, int]:
    places = portrait.landmarks[list(_CHEEKS), :2].round().astype(int)
    patches = [picture[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3) for x, y in places]
    red, green, blue = np.median(np.vstack(patches), axis=0).tolist()
    return int(red), int(green), int(blue)


def _eye(landmarks: NDArray[np.float32], corners: tuple[int, int]) -> tuple[tuple[float, float], float]:
    """The middle of an eye and its width, pixels."""
    first, second = landmarks[list(corners), :2]
    x, y = ((first + second) / 2).tolist()
    return (x, y), float(np.hypot(*(second - first)))
