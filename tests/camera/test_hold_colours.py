"""Exposure and white balance are held by the cameras that can, and asked for once."""

import numpy as np

from device.camera import CaptureSource
from device.camera.newest import NewestFrame
from device.signals import Frame


class Still:
    """A camera that shows one picture for ever."""

    source = CaptureSource.USB_CAMERA

    def read(self) -> Frame:
        return Frame(np.zeros((4, 4, 3), np.uint8), 0.0, 0)

    def close(self) -> None:
        pass


class Holding(Still):
    def __init__(self) -> None:
        self.asked: list[bool] = []

    def hold_colours(self, held: bool) -> None:
        self.asked.append(held)


def test_it_is_asked_once_for_each_change():
    camera = Holding()
    frames = NewestFrame(camera)
    for held in (False, True, True, True, False, False):
        frames.hold_colours(held)
    assert frames.can_hold_colours
    assert camera.asked == [True, False]


def test_a_camera_that_cannot_is_left_alone():
    frames = NewestFrame(Still())
    frames.hold_colours(True)
    assert not frames.can_hold_colours
