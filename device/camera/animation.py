"""An animation of a head, rendered from one portrait: turns with depth, and blinks. No person was recorded for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.portrait import HEIGHT, WIDTH, Portrait

LID_LEVELS = 16
# Lids from the inner to the outer corner.
_RIGHT_UPPER, _RIGHT_LOWER = (133, 173, 157, 158, 159, 160, 161, 246, 33), (133, 155, 154, 153, 145, 144, 163, 7, 33)
_LEFT_UPPER, _LEFT_LOWER = (362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)
_ROOM = 48  # pixels around the head in which it can move
_SMALL_PITCH_DEG = 3.0
_ROW = 2  # pixels between two rows in which the turn is inverted
_LID_FOLD = 0.9  # the skin that unrolls over the eye, as a multiple of the eye's opening


@dataclass(frozen=True, slots=True)
class Posture:
    """How the head is held in one picture.

    Attributes:
        yaw: degrees, positive to the person's own left.
        pitch: degrees, positive upwards.
        closure: how far the lids are closed, 0..1.
        x: pixels to the picture's right of where the portrait has it.
        y: pixels down.
        roll: degrees.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    closure: float = 0.0
    x: float = 0.0
    y: float = 0.0
    roll: float = 0.0


class Renderer(Protocol):
    """Draws a posture."""

    def render(self, posture: Posture) -> NDArray[np.uint8]:
        """Returns a (HEIGHT, WIDTH, 3) RGB picture without sensor noise."""


CloseLids: TypeAlias = Callable[[Portrait, float], NDArray[np.uint8]]
"""Returns a portrait's head, (H, W, 4), with its eyes closed so far (0..1)."""


class HeadRenderer:
    """Renders a portrait's head, turned in depth, before its still background.

    The rotation is inverted row by row (for pitch, column by column), which is exact for a parallel projection and lets
    the nearer part of the head hide what lies behind it.
    """

    def __init__(self, portrait: Portrait, close_lids: CloseLids | None = None) -> None:
        """Takes the portrait, and how its eyes close; without that the upper lids are drawn down over them."""
        self._portrait = portrait
        close_lids = close_lids or draw_lids_down
        left, top, width, height = cv2.boundingRect(portrait.head[..., 3])
        left, right = max(left - _ROOM, 0), min(left + width + _ROOM, WIDTH)
        top, bottom = max(top - _ROOM, 0) // _ROW * _ROW, min(top + height + _ROOM, HEIGHT) // _ROW * _ROW
        self._part = np.s_[top:bottom, left:right]
        self._size = (right - left, bottom - top)
        self._x = np.arange(left, right, dtype=np.float32) - portrait.axis[0]
        self._y = np.arange(top, bottom, _ROW, dtype=np.float32) + (_ROW - 1) / 2 - portrait.axis[1]
        self.take_depth(portrait.depth)
        heads = (close_lids(portrait, level / (LID_LEVELS - 1)) for level in range(LID_LEVELS))
        self._open = next(heads)
        self._lids = [self._lid(self._open), *map(self._lid, heads)]

    def take_depth(self, depth: NDArray[np.float32]) -> None:
        """Gives the head another depth, of the same shape and unit as the portrait's; it stays until the next one."""
        fine = np.asarray(cv2.resize(depth, (WIDTH, HEIGHT // _ROW), interpolation=cv2.INTER_LINEAR), np.float32)
        rows, columns = self._part
        self._depth = fine[rows.start // _ROW : rows.stop // _ROW, columns]

    def render(self, posture: Posture) -> NDArray[np.uint8]:
        """Returns the picture."""
        around, lid = self._lids[round(min(max(posture.closure, 0.0), 1.0) * (LID_LEVELS - 1))]
        head = self._open.copy()
        head[around] = lid
        maps = self._turn(posture)
        map_x, map_y = (cv2.resize(each, self._size, interpolation=cv2.INTER_LINEAR) for each in maps)
        turned = np.asarray(cv2.remap(head, map_x, map_y, cv2.INTER_LINEAR), np.uint8)
        picture = self._portrait.background.copy()
        picture[self._part] = _blend(turned, picture[self._part])
        return picture

    def _lid(self, closed: NDArray[np.uint8]) -> tuple[tuple[slice, slice], NDArray[np.uint8]]:
        """Where a head with lowered lids differs from the open one, and what is there: sixteen heads are 20 MB."""
        left, top, width, height = cv2.boundingRect((closed != self._open).any(axis=2).astype(np.uint8))
        around = np.s_[top : top + height, left : left + width]
        return around, closed[around].copy()

    def _turn(self, posture: Posture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns where in the portrait each point of the turned picture comes from, (x, y) in pixels."""
        yaw, pitch, roll = (math.radians(angle) for angle in (posture.yaw, posture.pitch, posture.roll))
        columns = self._x * math.cos(yaw) + self._depth * math.sin(yaw)
        source_x = _invert(columns, self._x, forwards=yaw >= 0)
        turned_depth = _take(self._depth, source_x, self._x) * math.cos(yaw) - source_x * math.sin(yaw)
        rows = self._y[:, None] * math.cos(pitch) - turned_depth * math.sin(pitch)
        if abs(posture.pitch) < _SMALL_PITCH_DEG:  # nothing folds over: the inverse is the mirrored shift
            source_y = 2 * self._y[:, None] - rows
        else:
            source_y = _invert(np.ascontiguousarray(rows.T), self._y, forwards=pitch < 0).T
            source_x = _take(np.ascontiguousarray(source_x.T), source_y.T, self._y).T
        axis_x, axis_y = self._portrait.axis
        x = source_x + roll * self._y[:, None] - posture.x + axis_x
        y = source_y - roll * self._x - posture.y + axis_y
        return np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)


def _invert(moved: NDArray[np.float32], places: NDArray[np.float32], *, forwards: bool) -> NDArray[np.float32]:
    """Inverts place -> moved place in each row; where the surface folds over, what is in front wins."""
    front = np.maximum.accumulate(moved, axis=1) if forwards else np.minimum.accumulate(moved[:, ::-1], axis=1)[:, ::-1]
    rising = front + np.arange(len(places), dtype=np.float32) * np.float32(1e-3)
    return np.stack([np.interp(places, row, places) for row in rising]).astype(np.float32)


def _take(values: NDArray[np.float32], at: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reads each row of `values` (known at `places`) at the row's own points."""
    return np.stack([np.interp(x, places, row) for x, row in zip(at, values, strict=True)]).astype(np.float32)


def _blend(head: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = cv2.cvtColor(head[..., 3], cv2.COLOR_GRAY2BGR)
    over = cv2.multiply(np.ascontiguousarray(head[..., :3]), share, scale=1 / 255)
    under = cv2.multiply(np.ascontiguousarray(background), 255 - share, scale=1 / 255)
    return np.asarray(cv2.add(over, under), np.uint8)


def draw_lids_down(portrait: Portrait, closure: float) -> NDArray[np.uint8]:
    """Returns the head's (H, W, 4) picture with both upper lids drawn down over the eyes."""
    head = portrait.head.copy()
    for upper, lower in ((_RIGHT_UPPER, _RIGHT_LOWER), (_LEFT_UPPER, _LEFT_LOWER)):
        _close_lid(head, portrait.head, portrait.landmarks[list(upper)], portrait.landmarks[list(lower)], closure)
    return head


def _close_lid(
    head: NDArray[np.uint8],
    open_head: NDArray[np.uint8],
    upper: NDArray[np.float32],
    lower: NDArray[np.float32],
    closure: float,
) -> None:
    upper, lower = upper[np.argsort(upper[:, 0])], lower[np.argsort(lower[:, 0])]
    columns = np.arange(math.ceil(upper[0, 0]), math.floor(upper[-1, 0]) + 1)
    upper_y = np.interp(columns, upper[:, 0], upper[:, 1])
    lower_y = np.interp(columns, lower[:, 0], lower[:, 1])
    opening = np.maximum(lower_y - upper_y, 0.0)
    fold_y = upper_y - _LID_FOLD * opening.max()
    lid_y = upper_y + closure * (opening + 0.5)
    rows = np.arange(math.floor(fold_y.min()), math.ceil(lower_y.max()) + 3)[:, None]
    # The skin between fold and lid stretches down to the lid's new place; below it the eye stays as it is.
    stretched = fold_y + (rows - fold_y) * (upper_y - fold_y) / np.maximum(lid_y - fold_y, 1e-3)
    source_y = np.where((rows > fold_y) & (rows < lid_y), stretched, rows).astype(np.float32)
    source_x = np.broadcast_to(columns, source_y.shape).astype(np.float32)
    patch = cv2.remap(open_head, source_x, source_y, cv2.INTER_LINEAR)
    head[rows[0, 0] : rows[-1, 0] + 1, columns[0] : columns[-1] + 1] = patch
