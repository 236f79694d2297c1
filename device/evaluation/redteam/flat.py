"""Things that are flat, or nearly: sheets and screens that are moved, tilted, bent, folded and waved by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.animation import CloseLids, HeadRenderer, Posture, Renderer
from device.camera.portrait import HEIGHT, WIDTH, Portrait
from device.evaluation.redteam.heads import grid_of, half_face, paper

_WALL = (176, 178, 182)
_MOST_TILT_DEG = 75.0
_WAVES_HERTZ = 0.4


@dataclass(frozen=True, slots=True)
class Handling:
    """What a hand makes of a degree that a head would turn.

    Attributes:
        tilt: degrees of tilt.
        shift: pixels sideways.
        grow: share of the size.
        focal_length: pixels; shorter is a wider lens, and a stronger perspective.
    """

    tilt: float = 0.0
    shift: float = 0.0
    grow: float = 0.0
    focal_length: float = 900.0


class Plane:
    """Shows a renderer's picture, without its turns, on a plane that is handled instead."""

    def __init__(self, shown: Renderer, handling: Handling) -> None:
        self._shown, self._handling = shown, handling

    def render(self, posture: Posture) -> NDArray[np.uint8]:
        """Returns the picture."""
        picture = self._shown.render(Posture(closure=posture.closure))
        return tilt(picture, posture, self._handling)


def tilt(picture: NDArray[np.uint8], posture: Posture, handling: Handling) -> NDArray[np.uint8]:
    """Returns an (H, W, 3) picture as seen on a plane that answers the posture's yaw and pitch."""
    height, width = picture.shape[:2]
    across, upright = (
        math.radians(float(np.clip(angle * handling.tilt, -_MOST_TILT_DEG, _MOST_TILT_DEG)))
        for angle in (posture.yaw, posture.pitch)
    )
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    focal = handling.focal_length * width / WIDTH
    seen = []
    for x, y in corners - (width / 2, height / 2):
        away = focal + x * math.sin(across) - y * math.sin(upright)
        scale = focal / away * (1.0 + abs(posture.yaw) * handling.grow)
        right = x * math.cos(across) * scale + posture.yaw * handling.shift + posture.x
        seen.append((right + width / 2, y * math.cos(upright) * scale + posture.y + height / 2))
    to_picture = cv2.getPerspectiveTransform(corners, np.array(seen, np.float32))
    return np.asarray(cv2.warpPerspective(picture, to_picture, (width, height), borderValue=_WALL), np.uint8)


class Gain:
    """Turns what is rendered further than a head would: a sheet has less depth to show."""

    def __init__(self, turned: Renderer, gain: float) -> None:
        self._turned, self._gain = turned, gain

    def render(self, posture: Posture) -> NDArray[np.uint8]:
        """Returns the picture."""
        return self._turned.render(replace(posture, yaw=posture.yaw * self._gain, pitch=posture.pitch * self._gain))


class Waved:
    """A sheet that a draught, or a shaking hand, keeps in waves."""

    def __init__(self, portrait: Portrait, close_lids: CloseLids, height: float, fps: float) -> None:
        """Takes what is printed, how its eyes close, and the waves' height in pixels."""
        x, y = grid_of(portrait)
        self._phase, self._height, self._fps, self._shown = (x + 0.4 * y) / half_face(portrait), height, fps, 0
        self._sheet = HeadRenderer(paper(portrait, np.zeros_like(x)), close_lids)

    def render(self, posture: Posture) -> NDArray[np.uint8]:
        """Returns the picture; each one shows the waves a frame later."""
        turn = 2.0 * math.pi * _WAVES_HERTZ * self._shown / self._fps
        self._shown += 1
        self._sheet.take_depth((self._height * np.sin(self._phase * math.pi + turn)).astype(np.float32))
        return self._sheet.render(posture)


def cylinder(portrait: Portrait, radius: float) -> NDArray[np.float32]:
    """Depth of a sheet bent about a vertical axis; `radius` in half widths of the face, 1.2 is a head's."""
    x, _ = grid_of(portrait)
    pixels = radius * half_face(portrait)
    return np.asarray(np.sqrt(np.maximum(pixels**2 - x**2, 0.0)), np.float32)


def roof(portrait: Portrait, slope: float) -> NDArray[np.float32]:
    """Depth of a sheet folded along the nose; `slope` is depth over distance from the fold."""
    x, _ = grid_of(portrait)
    reach = 1.4 * half_face(portrait)
    return np.asarray(slope * np.maximum(reach - np.abs(x), 0.0), np.float32)


def egg(portrait: Portrait, depth: float) -> NDArray[np.float32]:
    """Depth of half an ellipsoid as wide and high as the face; `depth` in half widths of the face."""
    x, y = grid_of(portrait)
    half = half_face(portrait)
    share = np.maximum(1.0 - (x / (1.25 * half)) ** 2 - (y / (1.9 * half)) ** 2, 0.0)
    return np.asarray(depth * half * np.sqrt(share), np.float32)


Warp = Callable[[float, float, float], tuple[float, float]]
"""Moves a point: x and y in half widths of the face from its middle, and the turn to imitate, radians."""


class Warped:
    """Imitates a turn by moving the pixels of a flat picture by a homography of its corners."""

    def __init__(self, shown: Renderer, portrait: Portrait, warp: Warp) -> None:
        self._shown, self._warp = shown, warp
        self._middle, self._half = np.array(portrait.axis, np.float32), half_face(portrait)

    def render(self, posture: Posture) -> NDArray[np.uint8]:
        """Returns the picture."""
        picture = self._shown.render(Posture(closure=posture.closure, x=posture.x, y=posture.y))
        square = np.array([(-1, -1.4), (1, -1.4), (1, 1.4), (-1, 1.4)], np.float32)
        moved = np.array([self._warp(x, y, math.radians(posture.yaw)) for x, y in square.tolist()], np.float32)
        source, target = (np.asarray(points * self._half + self._middle, np.float32) for points in (square, moved))
        homography = cv2.getPerspectiveTransform(source, target)
        size = (WIDTH, HEIGHT)
        return np.asarray(cv2.warpPerspective(picture, homography, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def affine_turn(x: float, y: float, turn: float) -> tuple[float, float]:
    """Narrows by the turn's cosine, moves the face to the side and shears it a little."""
    return x * math.cos(turn) + 0.35 * math.sin(turn), y + 0.12 * x * math.sin(turn)


def projective_turn(x: float, y: float, turn: float) -> tuple[float, float]:
    """Keystones as well: the far half is drawn smaller, more than any lens would."""
    near = 1.0 / (1.0 + 0.45 * x * math.sin(turn))
    return x * math.cos(turn) * near + 0.4 * math.sin(turn), y * near
