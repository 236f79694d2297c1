"""Change from picture to picture, as scalars: a person before a still camera moves smoothly; spliced footage jumps.

The change is measured against the last picture that showed anything new. Codecs and frame rate converters write near
copies between two true pictures; measured from picture to picture, a steady motion would look like jumps.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Change, Face
from device.vision.alignment import aligned_crop

_SCENE_SIDE = 64
_FACE_SIDE = 28
_SOFTEN = 8.0  # grey levels added to the contrast by which a picture is divided: darkness is no structure
# A near copy; `python -m benchmarks.liveness continuity` counts them. Noise of 2 grey levels stays below both.
_COPY_SCENE = 0.15  # grey levels
_COPY_FACE = 0.04
_LONGEST_S = 0.3  # longer ago, a picture tells nothing of the motion between


class ChangeWatcher:
    """Measures each frame against the last that showed anything new. It keeps two small pictures, no more."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None
        self._last_at: float | None = None

    def watch(self, at: float, luma: NDArray[np.uint8], face: Face | None) -> Change | None:
        """Returns what changed; None for the first frame, and for one that is far from the one before in time.

        Args:
            at: when the frame was taken, in seconds.
            luma: (H, W) uint8, the whole frame.
            face: the followed face in it.
        """
        seen, before, last_at = _Seen(at, luma, face), self._seen, self._last_at
        self._last_at = seen.at
        if before is None or last_at is None or not 0.0 < seen.at - last_at <= _LONGEST_S:
            self._seen = seen
            return None
        change = seen.compare(before)
        # A face that is lost for a moment is compared with the one that comes back: nobody is swapped behind a blink.
        lost = seen.face is None and before.face is not None
        if seen.at - before.at > _LONGEST_S or (change.new and not lost):
            self._seen = seen
        return change


class _Seen:
    """What is kept of a picture: its small copy, its face cut out upright, and where that face was."""

    def __init__(self, at: float, luma: NDArray[np.uint8], face: Face | None) -> None:
        self.at = at
        # Blurred: a camera's noise and a codec's blocks are no change.
        self.scene = cv2.blur(_small(luma).astype(np.float32), (3, 3))
        self.face = None if face is None else _face_picture(luma, face)
        self.centre, self.size = _place(face)

    def compare(self, before: _Seen) -> Change:
        moved = float(np.abs(self.scene - before.scene).mean())
        look = shift = None
        if self.face is not None and before.face is not None:
            look = float(np.abs(self.face - before.face).mean())
            shift = float(np.hypot(*(self.centre - before.centre))) / before.size
        appeared = (self.face is None) != (before.face is None)
        new = appeared or moved >= _COPY_SCENE or (look is not None and look >= _COPY_FACE)
        place = None if self.face is None else (float(self.centre[0]) / self.size, float(self.centre[1]) / self.size)
        return Change(since=before.at, new=new, scene=moved / 255.0, face=look, shift=shift, place=place)


def _small(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(64, 64) means; halved first, which is several times as quick as the mean of many pixels at once."""
    while min(luma.shape) >= 4 * _SCENE_SIDE:
        half = luma.shape[1] // 2, luma.shape[0] // 2
        luma = np.asarray(cv2.resize(luma, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(luma, (_SCENE_SIDE, _SCENE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _face_picture(luma: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """(28, 28) luma of the upright face, its mean and contrast taken out: light that changes is no other picture."""
    crop = aligned_crop(luma, face.landmarks)
    small = cv2.resize(crop, (_FACE_SIDE, _FACE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    mean, spread = (float(each[0, 0]) for each in cv2.meanStdDev(small))
    return np.asarray((small - np.float32(mean)) / np.float32(spread + _SOFTEN), np.float32)


def _place(face: Face | None) -> tuple[NDArray[np.float64], float]:
    """The mean of the landmarks, without the irises, and the size of their box, in pixels."""
    if face is None:
        return np.zeros(2), 1.0
    points = face.landmarks[:468, :2].T.astype(np.float64)
    (left, top), (right, bottom) = points.min(axis=1).tolist(), points.max(axis=1).tolist()
    return points.mean(axis=1), max(math.sqrt((right - left) * (bottom - top)), 1.0)
