"""A recording as a camera: its frames in order, on recorded time, as fast as they are read."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import CameraError, CaptureSource, RecordingEndedError
from device.signals import Frame

# FFmpeg's own lines too; OpenCV reads this once, when it first uses FFmpeg.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

FALLBACK_FPS = 25.0
LONGEST_GAP_S = 5.0


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What a recording's header says; broken headers are replaced by None, never believed.

    Attributes:
        fps: frames a second, 1..240.
        frames: how many frames, at least 1.
        width: pixels, as displayed (rotation obeyed).
        height: pixels.
    """

    fps: float | None
    frames: int | None
    width: int
    height: int


class RecordingCamera:
    """Plays an mp4, gif or whatever else FFmpeg reads; the first frame is at 0 s.

    Raises:
        CameraError: there is no such file, it is no video, or it holds no picture.
    """

    def __init__(self, path: Path) -> None:
        self._capture = _open(path)
        self.info = _read_header(self._capture)
        self._step_s = 1.0 / (self.info.fps or FALLBACK_FPS)
        self._number = 0
        self._taken_at = 0.0
        self._stamp_s = 0.0
        self._next = self._decode()
        if self._next is None:
            self.close()
            raise CameraError(f"{path}: holds no picture: give a clip with at least one frame")
        self._stamp_s = self._read_stamp()

    @property
    def source(self) -> CaptureSource:
        """A recording."""
        return CaptureSource.RECORDING

    def read(self) -> Frame:
        """Returns the next frame; raises RecordingEndedError after the last one."""
        if self._next is None:
            raise RecordingEndedError(f"the recording ended after {self._number} frames")
        frame = Frame(self._next, self._taken_at, self._number)
        self._advance()
        return frame

    def close(self) -> None:
        """Closes the file; may be called twice."""
        self._capture.release()
        self._next = None

    def _advance(self) -> None:
        self._next = self._decode()
        stamp_s = self._read_stamp()
        gap_s = stamp_s - self._stamp_s
        # Recorded time stands where it is sane: clips of phones and webcams have no constant frame rate.
        self._taken_at += gap_s if 0.0 < gap_s <= LONGEST_GAP_S else self._step_s
        self._stamp_s = stamp_s
        self._number += 1

    def _decode(self) -> NDArray[np.uint8] | None:
        found, picture = self._capture.read()
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8) if found else None

    def _read_stamp(self) -> float:
        stamp_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        return stamp_s if math.isfinite(stamp_s) else 0.0


def _open(path: Path) -> cv2.VideoCapture:
    if not path.exists():
        raise CameraError(f"{path}: no such file: give the path of a clip")
    if not path.is_file():
        raise CameraError(f"{path}: not a file: give the path of a clip")
    if path.stat().st_size == 0:
        raise CameraError(f"{path}: the file is empty: give a clip with at least one frame")
    with _quiet_decoder():
        # FFmpeg only: other backends take a name with digits for a numbered series of pictures.
        capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise CameraError(f"{path}: not a video that FFmpeg reads: give an mp4, webm or gif")
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


@contextmanager
def _quiet_decoder() -> Iterator[None]:
    """Keeps OpenCV's own lines off standard error: the caller says what is wrong in one line."""
    level = cv2.getLogLevel()
    cv2.setLogLevel(0)
    try:
        yield
    finally:
        cv2.setLogLevel(level)


def _read_header(capture: cv2.VideoCapture) -> RecordingInfo:
    fps, frames = float(capture.get(cv2.CAP_PROP_FPS)), float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return RecordingInfo(
        fps=fps if 1.0 <= fps <= 240.0 else None,
        frames=int(frames) if 1.0 <= frames < 1e9 else None,
        width=int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        height=int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
    )
