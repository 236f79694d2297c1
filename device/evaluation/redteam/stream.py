"""Streams that are not what a camera delivered: frozen, repeated, dropped and stretched frames, and flashed faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import Camera, CaptureSource
from device.camera.person import Performance
from device.evaluation.sessions import MakeCamera
from device.signals import Frame
from device.wire.plan import Action

CHALLENGE_BY_S = 4.0  # START is pressed within a second, and a good view takes two
Picture = NDArray[np.uint8]
Retouch = Callable[[Frame], Frame | None]
"""Returns the frame that the terminal sees instead; None drops it."""


class Retouched:
    """A camera whose frames pass through a function before the terminal sees them; None drops the frame."""

    def __init__(self, camera: Camera, retouch: Retouch) -> None:
        self._camera, self._retouch = camera, retouch

    @property
    def source(self) -> CaptureSource:
        """What the camera is."""
        return self._camera.source

    def read(self) -> Frame:
        """Returns the next frame that is let through."""
        while (frame := self._retouch(self._camera.read())) is None:
            pass
        return frame

    def close(self) -> None:
        """Closes the camera."""
        self._camera.close()


def retouched(make_camera: MakeCamera, make: Callable[[int], Retouch]) -> MakeCamera:
    """A camera like the one of `make_camera`, with the retouch that `make` returns for the session's seed."""
    return lambda panel, seed: Retouched(make_camera(panel, seed), make(seed))


class Frozen:
    """Shows one picture whenever no action is under way; `noise` in grey levels makes each of them new."""

    def __init__(self, performance: Performance, noise: float, seed: int) -> None:
        self._performance, self._noise, self._random = performance, noise, np.random.default_rng(seed)
        self._still: Picture | None = None

    @property
    def busy(self) -> bool:
        """An action is under way."""
        return self._performance.busy

    def start(self, action: Action) -> None:
        """Begins the action."""
        self._performance.start(action)

    def picture(self) -> Picture:
        """Returns the next picture."""
        if self._performance.busy:
            self._still = None
            return self._performance.picture()
        if self._still is None:
            self._still = self._performance.picture()
        if not self._noise:
            return self._still
        return noisy(self._still, self._noise, self._random)


def noisy(picture: Picture, levels: float, random: np.random.Generator) -> Picture:
    """Adds noise of a standard deviation in grey levels, and codes the picture once more."""
    shaken = np.clip(picture + random.standard_normal(picture.shape, np.float32) * levels, 0, 255).astype(np.uint8)
    quality = int(random.integers(80, 96))
    _, coded = cv2.imencode(".jpg", shaken, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def repeat(times: int, noise: float, seed: int) -> Retouch:
    """Each picture `times` times over, at the camera's own times; with `noise` every copy is new."""
    random, last = np.random.default_rng(seed), [np.zeros((1, 1, 3), np.uint8)]

    def retouch(frame: Frame) -> Frame:
        if frame.number % times == 0:
            last[0] = frame.image
        image = noisy(last[0], noise, random) if noise else last[0]
        return replace(frame, image=image)

    return retouch


def drop(every_s: float, lasts_s: float) -> Retouch:
    """Leaves out `lasts_s` seconds of frames in every `every_s`, once the challenge is likely to have begun."""
    return lambda frame: None if frame.taken_at > CHALLENGE_BY_S and frame.taken_at % every_s < lasts_s else frame


def stretch(factor: float) -> Retouch:
    """Lets time pass `factor` times as fast on the frames' clock as in what they show."""
    return lambda frame: replace(frame, taken_at=frame.taken_at * factor)


def beside(bystander: Picture, size: float, at_left: bool) -> Retouch:
    """Puts another head, `size` times as large, beside the one that is there, once the challenge has begun."""
    width = bystander.shape[1]
    part = bystander[:, width // 4 : width - width // 4]
    small = np.asarray(cv2.resize(part, None, fx=size, fy=size, interpolation=cv2.INTER_AREA), np.uint8)

    def retouch(frame: Frame) -> Frame:
        if frame.taken_at < CHALLENGE_BY_S:
            return frame
        image = frame.image.copy()
        rows, columns = min(small.shape[0], image.shape[0]), min(small.shape[1], round(image.shape[1] * 0.36))
        first = (small.shape[1] - columns) // 2
        head = small[:rows, first : first + columns]
        left = 0 if at_left else image.shape[1] - columns
        image[image.shape[0] - rows :, left : left + columns] = head
        return replace(frame, image=image)

    return retouch
