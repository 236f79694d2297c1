"""A camera that costs nothing: what is measured with it is the daemon."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np

from device.camera import CaptureSource, RecordingEndedError
from device.signals import Frame
from device.vision.manifest import default_directory

FRAME_S = 1 / 30


class StillCamera:
    """One picture thirty times a second, each time a little different."""

    source = CaptureSource.REHEARSAL

    def __init__(self) -> None:
        picture = cv2.imread(str(default_directory() / "rehearsal" / "astronaut.png"))
        self._picture = np.asarray(cv2.cvtColor(cv2.resize(picture, (640, 480)), cv2.COLOR_BGR2RGB), np.uint8)
        self._closed, self._number, self._due = threading.Event(), 0, time.monotonic()

    def read(self) -> Frame:
        self._due += FRAME_S
        if self._closed.wait(max(self._due - time.monotonic(), 0.0)):
            raise RecordingEndedError("the camera was closed")
        self._number += 1
        self._picture[self._number % 480, :64] ^= 1
        return Frame(self._picture.copy(), self._due, self._number)

    def close(self) -> None:
        self._closed.set()
