"""Shows a recording or a rehearsal at the speed of life, for people who watch."""

from __future__ import annotations

import threading
import time

from device.camera import Camera, CaptureSource, RecordingEndedError
from device.signals import Frame


class RealTimeCamera:
    """Hands out another camera's frames when they are due; their recorded time stays as it is."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._closed = threading.Event()
        self._began: float | None = None

    @property
    def source(self) -> CaptureSource:
        """The other camera's."""
        return self._camera.source

    def read(self) -> Frame:
        """Returns the next frame, not before it is due; raises RecordingEndedError when closed meanwhile."""
        frame = self._camera.read()
        now = time.monotonic()
        if self._began is None:
            self._began = now - frame.taken_at
        if self._closed.wait(max(self._began + frame.taken_at - now, 0.0)):
            raise RecordingEndedError("the camera was closed")
        return frame

    def close(self) -> None:
        """Wakes the reader and closes the other camera; may be called twice."""
        self._closed.set()
        self._camera.close()
