"""A document held before the camera by hand, over what the camera sees behind it: for rehearsals and measurements."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import Camera, CameraError, CaptureSource
from device.panel.prompts import Lights
from device.signals import Frame
from device.vision.pictures import PictureError, read_picture

_FOCAL_LENGTH = 1.2  # picture widths: a webcam of 45 degrees
_SWAY_DEG, _SWAY = 3.0, 0.006  # a hand's slow tremor: degrees of tilt, and shifts as shares of the picture's width
_NOISE_LEVELS = 2.0
_LIT = 0.75
_PUT_AWAY_S = 1.0  # the status light knocks while the card is asked for, and stays on when the face is


@dataclass(frozen=True, slots=True)
class Hold:
    """How the document is held.

    Attributes:
        width: of the document, as a share of the picture's width, when not tilted.
        yaw: degrees about its vertical axis; its left half comes nearer.
        pitch: degrees about its horizontal axis.
        roll: degrees in the picture's plane, clockwise.
        x: shift to the right, as a share of the picture's width; `y` down, the same.
    """

    width: float = 0.85
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0


def load_document(path: Path) -> NDArray[np.uint8]:
    """Returns a document's picture as (H, W, 3) RGB; raises CameraError."""
    try:
        return read_picture(path)
    except PictureError as error:
        raise CameraError(str(error)) from None


def place(document: tuple[int, int], picture: tuple[int, int], hold: Hold) -> NDArray[np.float64]:
    """Returns the (3, 3) homography from a document's pixels to the picture's; both sizes are (height, width).

    A pinhole camera looks at a plane (Hartley and Zisserman, 2004, 8.1).
    """
    (height, width), (rows, columns) = document, picture
    focal = _FOCAL_LENGTH * columns
    scale = hold.width * columns / width
    yaw, pitch, roll = (math.radians(angle) for angle in (hold.yaw, hold.pitch, hold.roll))
    about_y = np.array([[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    about_z = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    turned = (about_z @ about_x @ about_y)[:, :2] * scale
    plane = np.column_stack([turned, [hold.x * columns, hold.y * columns, focal]])
    lens = np.array([[focal, 0, columns / 2], [0, focal, rows / 2], [0, 0, 1]])
    centre = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    return np.asarray(lens @ plane @ centre, np.float64)


def lay_over(picture: NDArray[np.uint8], document: NDArray[np.uint8], hold: Hold) -> NDArray[np.uint8]:
    """Returns a copy of the (H, W, 3) picture with the document held before it."""
    (height, width), (rows, columns) = document.shape[:2], picture.shape[:2]
    to_picture = place((height, width), (rows, columns), hold)
    shrunk = hold.width * columns / width
    if shrunk < 1:
        document = np.asarray(cv2.GaussianBlur(document, (0, 0), 0.35 / shrunk), np.uint8)
    seen = picture.copy()
    cv2.warpPerspective(
        document, to_picture, (columns, rows), dst=seen, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    return seen


class HeldCard:
    """One document in a hand that is never quite still: the same seed gives the same pictures."""

    def __init__(self, document: NDArray[np.uint8], seed: int) -> None:
        """Takes the document's (H, W, 3) RGB picture."""
        self._document = document
        self._random = np.random.default_rng(seed)
        self._hertz = self._random.uniform(0.1, 0.8, 5)
        self._phases = self._random.uniform(0.0, 2.0 * math.pi, 5)

    def before(self, picture: NDArray[np.uint8], at: float) -> NDArray[np.uint8]:
        """Returns the (H, W, 3) picture with the document held before it at `at` seconds."""
        yaw, pitch, roll, x, y = np.sin(2.0 * math.pi * self._hertz * at + self._phases).tolist()
        high = self._document.shape[0] / self._document.shape[1] * picture.shape[1] / picture.shape[0]
        width = 0.9 / max(high, 1.0)
        hold = Hold(width, _SWAY_DEG * yaw, _SWAY_DEG * pitch, _SWAY_DEG * roll, _SWAY * x, _SWAY * y)
        seen = lay_over(picture, self._document, hold)
        noise = self._random.normal(0.0, _NOISE_LEVELS, seen.shape[:2])[..., None]
        return np.asarray(np.clip(seen + noise, 0, 255), np.uint8)


class CardFirst:
    """A camera before which somebody holds a document until the panel asks for the face instead."""

    def __init__(self, camera: Camera, card: HeldCard, watch: Callable[[], Lights]) -> None:
        """Takes the camera that films the person, the document, and how to see the panel (`PinReader.lights`)."""
        self._camera, self._card, self._watch = camera, card, watch
        self._steady_since: float | None = None
        self._put_away = False

    @property
    def source(self) -> CaptureSource:
        """That of the camera."""
        return self._camera.source

    def read(self) -> Frame:
        """Returns the camera's next frame, the document before it."""
        frame = self._camera.read()
        self._look_at_panel(frame.taken_at)
        if self._put_away:
            return frame
        return Frame(self._card.before(frame.image, frame.taken_at), frame.taken_at, frame.number)

    def close(self) -> None:
        """Closes the camera."""
        self._camera.close()

    def _look_at_panel(self, at: float) -> None:
        red, _, blue = self._watch().status
        if red >= _LIT:  # consent is asked for: a session begins
            self._put_away = False
        if blue < _LIT or red >= _LIT:
            self._steady_since = None
        elif self._steady_since is None:
            self._steady_since = at
        elif at - self._steady_since >= _PUT_AWAY_S:
            self._put_away = True
