"""How a camera hangs, and frames set upright: a quarter turn or three, and a mirror, undone in every frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import Camera, CaptureSource, HoldsColours
from device.liveness.calibrating import Rotation
from device.signals import Frame

ROTATIONS: tuple[Rotation, ...] = (0, 90, 180, 270)
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Orientation:
    """What has to be done to a camera's pictures.

    Attributes:
        rotation: degrees, clockwise, by which they are turned so that faces stand upright.
        mirrored: after that they are flipped from left to right, as the camera shows a mirror's picture.
    """

    rotation: Rotation = 0
    mirrored: bool = False

    def set_upright(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns the (H, W, 3) picture upright, not mirrored; the same array when nothing has to be done."""
        if self.rotation:
            image = np.asarray(cv2.rotate(image, _TURNS[self.rotation]), np.uint8)
        return np.asarray(cv2.flip(image, 1), np.uint8) if self.mirrored else image


class OrientedCamera:
    """Another camera's frames, set upright."""

    def __init__(self, camera: Camera, orientation: Orientation) -> None:
        self._camera = camera
        self._orientation = orientation

    @property
    def source(self) -> CaptureSource:
        """The other camera's."""
        return self._camera.source

    def read(self) -> Frame:
        """Returns the next frame, both of its pictures upright; raises what the other camera raises."""
        frame = self._camera.read()
        image = self._orientation.set_upright(frame.image)
        detail = None if frame.detail is None else self._orientation.set_upright(frame.detail)
        return replace(frame, image=image, detail=detail)

    def close(self) -> None:
        """Closes the other camera; may be called twice."""
        self._camera.close()


class _OrientedHolder(OrientedCamera):
    """The same for a camera that can hold its colours; one that cannot must not seem to."""

    def __init__(self, camera: Camera, holder: HoldsColours, orientation: Orientation) -> None:
        super().__init__(camera, orientation)
        self._holder = holder

    def hold_colours(self, held: bool) -> None:
        """Holds or frees the other camera's exposure and white balance."""
        self._holder.hold_colours(held)


def oriented(camera: Camera, orientation: Orientation) -> Camera:
    """Returns `camera` as it is when it hangs as it should, else one that sets its frames upright."""
    if orientation == Orientation():
        return camera
    if isinstance(camera, HoldsColours):
        return _OrientedHolder(camera, camera, orientation)
    return OrientedCamera(camera, orientation)
