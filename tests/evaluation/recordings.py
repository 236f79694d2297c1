"""Portraits cut from recordings, and eyes that remember a clip."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from device.camera import CaptureSource, RecordingEndedError
from device.camera.recording import RecordingCamera
from device.signals import Face, Frame, Signals
from device.vision.following import FaceFollower
from device.vision.reference import PortraitReader

CHIP_PORTRAIT = (102, 126)  # width, height in pixels: the picture in a passport's chip can be this small


def frame_at(clip: Path, seconds: float):
    camera = RecordingCamera(clip)
    try:
        while (frame := camera.read()).taken_at < seconds:
            pass
        return frame.image
    finally:
        camera.close()


def cut_portrait(reader: PortraitReader, image, path: Path) -> Path:
    """Writes the face as a chip portrait of 102x126 px."""
    box = reader.faces(image)[0].box
    height = box.height * 1.6
    width = height * CHIP_PORTRAIT[0] / CHIP_PORTRAIT[1]
    left, top = box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height * 0.55
    rows, columns = image.shape[:2]
    cut = image[max(int(top), 0) : min(int(top + height), rows), max(int(left), 0) : min(int(left + width), columns)]
    cv2.imwrite(
        str(path), cv2.cvtColor(cv2.resize(cut, CHIP_PORTRAIT, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    )
    return path


class RememberingFollower(FaceFollower):
    """Looks at each frame of a clip once: a deaf clip shows every session the same frames."""

    def __init__(self, follower: FaceFollower) -> None:
        self._follower = follower
        self._seen: dict[int, tuple[Signals, Face | None]] = {}
        self._next = 0

    def restart(self) -> None:
        """The memory stays: the frames before the first look are always the same."""

    def look(self, frame: Frame) -> tuple[Signals, Face | None]:
        if frame.number not in self._seen:
            self._seen[frame.number] = self._follower.look(frame)
        return self._seen[frame.number]


class RememberedClip:
    """Decodes a clip once, as far as anybody watches it; `play` starts it again."""

    def __init__(self, path: Path) -> None:
        self._camera = RecordingCamera(path)
        self._frames: list[Frame] = []

    def play(self) -> "RememberedCamera":
        return RememberedCamera(self)

    def frame(self, number: int) -> Frame:
        while len(self._frames) <= number:
            self._frames.append(self._camera.read())
        return self._frames[number]


class RememberedCamera:
    """One showing of a remembered clip."""

    source = CaptureSource.RECORDING

    def __init__(self, clip: RememberedClip) -> None:
        self._clip, self._next = clip, 0

    def read(self) -> Frame:
        self._next += 1
        return self._clip.frame(self._next - 1)

    def close(self) -> None:
        """The clip stays for the next showing."""


class Beginning(RecordingCamera):
    """A recording that ends after some seconds."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(path)
        self._seconds = seconds

    def read(self) -> Frame:
        frame = super().read()
        if frame.taken_at > self._seconds:
            raise RecordingEndedError("enough was seen")
        return frame


class Pictures:
    """Pictures as a recording of thirty frames a second."""

    source = CaptureSource.RECORDING

    def __init__(self, images: Sequence[np.ndarray]) -> None:
        self._images, self._next = images, 0

    def read(self) -> Frame:
        if self._next == len(self._images):
            raise RecordingEndedError("all were seen")
        self._next += 1
        return Frame(self._images[self._next - 1], self._next / 30, self._next)

    def close(self) -> None:
        """There is nothing to free."""
