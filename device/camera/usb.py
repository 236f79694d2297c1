"""A USB camera for a desk, through V4L2; never for the cameras of a Raspberry Pi, whose /dev/video* are raw."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import CameraError, CameraStalledError, CaptureSource, Conditions
from device.signals import Frame

SIZE = (640, 480)
STALLED_AFTER_S = 2.0


class UsbCamera:
    """Reads 640x480 from `/dev/video{index}`, not mirrored.

    Raises:
        CameraError: there is no such camera, it is busy, or it gives no picture.
    """

    def __init__(self, index: int = 0, *, stalled_after_s: float = STALLED_AFTER_S) -> None:
        self._stalled_after_s = stalled_after_s
        self._capture = _open(index)
        self._model = _model(index)
        # V4L2 itself waits ten seconds for a frame; the worker lets us give up sooner and ends when V4L2 does.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="usb-camera")
        self._number = 0
        self._closed = False

    @property
    def source(self) -> CaptureSource:
        """A USB camera."""
        return CaptureSource.USB_CAMERA

    def read(self) -> Frame:
        """Returns the next frame, stamped when it arrived; raises CameraStalledError when none comes in time."""
        try:
            picture = self._worker.submit(self._grab).result(self._stalled_after_s)
        except TimeoutError:
            raise CameraStalledError(
                f"no frame from the USB camera for {self._stalled_after_s:g} s: replug it"
            ) from None
        if picture is None:
            raise CameraStalledError("the USB camera gives no picture any more: replug it")
        frame = Frame(picture, time.monotonic(), self._number)
        self._number += 1
        return frame

    def conditions(self) -> Conditions:
        """What V4L2 calls the camera, and what it grants."""
        width, height = (int(self._capture.get(what)) for what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        code = (
            (int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF)
            .to_bytes(4, "little")
            .decode("ascii", "replace")
            .strip("\0")
        )
        return Conditions(self._model, (f"{code} {width}x{height}",))

    def close(self) -> None:
        """Frees the camera; may be called twice."""
        if not self._closed:
            self._closed = True
            self._worker.submit(self._capture.release)  # after the read under way: OpenCV's capture is not shared
            self._worker.shutdown(wait=False)

    def _grab(self) -> NDArray[np.uint8] | None:
        found, picture = self._capture.read()
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8) if found else None


def _model(index: int) -> str:
    try:
        name = Path(f"/sys/class/video4linux/video{index}/name").read_text().strip()
    except OSError:
        name = "USB camera"
    return f"{name.encode('ascii', 'replace').decode()} video{index}"


def _open(index: int) -> cv2.VideoCapture:
    device = Path(f"/dev/video{index}")
    if not device.exists():
        raise CameraError(f"{device}: no such camera: plug one in or give another number")
    capture = cv2.VideoCapture(index, cv2.CAP_V4L2)
    if not capture.isOpened():
        raise CameraError(f"{device}: cannot be opened: close what uses it and join the group video")
    # Most webcams reach 30 frames a second at this size only when they compress.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, SIZE[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, SIZE[1])
    return capture
