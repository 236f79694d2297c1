"""Change from picture to picture, as scalars: a person before a still camera moves smoothly; spliced footage jumps.

The change is measured against the last picture that showed anything new. Codecs and frame rate converters write near
copies between two true pictures; measured from picture to picture, a steady motion would look like jumps.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Change, Face, Frame
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

    def watch(self, frame: Frame, face: Face | None) -> Change | None:
        """Returns what changed; None for the first frame, and for one that is far from the one before in time."""
        seen, before, last_at = _Seen(frame, face), self._seen, self._last_at
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

    def __init__(self, frame: Frame, face: Face | None) -> None:
        self.at = frame.taken_at
        small = cv2.resize(frame.image, (_SCENE_SIDE, _SCENE_SIDE), interpolation=cv2.INTER_AREA)
        # Blurred: a camera's noise and a codec's blocks are no change.
        self.scene = cv2.blur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32), (3, 3))
        self.face = None if face is None else _face_picture(frame.image, face)
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


def _face_picture(image: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """(28, 28) luma of the upright face, its mean and contrast taken out: light that changes is no other picture."""
    crop = cv2.cvtColor(aligned_crop(image, face.landmarks), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(crop, (_FACE_SIDE, _FACE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray((small - small.mean()) / (small.std() + _SOFTEN), np.float32)


def _place(face: Face | None) -> tuple[NDArray[np.float64], float]:
    """The mean of the landmarks, without the irises, and the size of their box, in pixels."""
    if face is None:
        return np.zeros(2), 1.0
    points = face.landmarks[:468, :2].astype(np.float64)
    return points.mean(axis=0), max(float(np.sqrt(np.prod(np.ptp(points, axis=0)))), 1.0)
