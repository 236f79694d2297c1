"""A printed photo held before the camera and tilted by hand: the attack of the demonstration."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.animation import Posture
from device.camera.portrait import HEIGHT, WIDTH

_BORDER = 14
_FOCAL_LENGTH = 900.0  # pixels: a webcam at this size
_WALL = (176, 178, 182)
_TILT = 1.5  # a sheet must be tilted further than a head turns to look as narrow
_SWAY = 4.0  # a hand moves a sheet more than a neck moves a head


class PrintRenderer:
    """Draws a flat print: a turn tilts the sheet about its vertical axis, and the printed eyes never close."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        """Takes the (HEIGHT, WIDTH, 3) RGB picture that is printed."""
        middle = picture[: HEIGHT - 80, WIDTH // 5 : WIDTH - WIDTH // 5]
        self._sheet = cv2.copyMakeBorder(
            middle, _BORDER, _BORDER, _BORDER, _BORDER, cv2.BORDER_CONSTANT, value=(244, 243, 240)
        )
        shade = np.linspace(1.06, 0.94, HEIGHT, dtype=np.float32)[:, None, None]
        self._wall = np.clip(np.full((HEIGHT, WIDTH, 3), _WALL, np.float32) * shade, 0, 255).astype(np.uint8)

    def render(self, posture: Posture) -> NDArray[np.uint8]:
        """Returns the picture; the lids' closure is without effect, as on paper."""
        to_picture = self._homography(posture)
        picture = self._wall.copy()
        # A transparent border keeps the wall where the sheet is not.
        cv2.warpPerspective(
            self._sheet,
            to_picture,
            (WIDTH, HEIGHT),
            dst=picture,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        return picture

    def _homography(self, posture: Posture) -> NDArray[np.float64]:
        """Maps the sheet, turned about its centre and seen in perspective, to the picture (Hartley, 8.1)."""
        angles = (posture.yaw * _TILT, posture.pitch * _TILT, posture.roll * _SWAY)
        yaw, pitch, roll = (math.radians(angle) for angle in angles)
        height, width = self._sheet.shape[:2]
        # x right, y down, z away: the sheet's left half comes nearer when it is turned to the picture's right.
        turned = np.array([[math.cos(yaw), 0.0], [0.0, math.cos(pitch)], [math.sin(yaw), -math.sin(pitch)]])
        rolled = np.array(
            [[math.cos(roll), -math.sin(roll), 0.0], [math.sin(roll), math.cos(roll), 0.0], [0.0, 0.0, 1.0]]
        )
        plane = np.column_stack([rolled @ turned, [posture.x * _SWAY, posture.y * _SWAY, _FOCAL_LENGTH]])
        lens = np.array([[_FOCAL_LENGTH, 0.0, WIDTH / 2], [0.0, _FOCAL_LENGTH, HEIGHT / 2], [0.0, 0.0, 1.0]])
        centre = np.array([[1.0, 0.0, -width / 2], [0.0, 1.0, -height / 2], [0.0, 0.0, 1.0]])
        return np.asarray(lens @ plane @ centre, np.float64)
