"""Does small print stand beside a face? It does on every identity document, and hardly ever beside a living head.

A document's letters are small against its portrait, and always about as small: type of 2 to 3 mm beside a face of some
20 mm (ICAO Doc 9303, parts 3 to 7). Seen at the scale of that face they fill the surroundings with short dark strokes;
the room behind a head, seen at the scale of the head, is smooth. It is a cue against taking any face for a card's, no
proof of a document: whoever can print a sheet of text around a photo passes it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from device.vision.alignment import five_points, similarity_transform

_EYES = 24  # pixels between the eyes at the scale at which strokes are counted
_ACROSS, _DOWN = 26, 20  # eye distances that are looked at, the face in the middle: a whole passport page
_STROKE = 9  # pixels: black-hat keeps what is darker than its surroundings and thinner than this
_INK = 20  # grey levels
_LEAST_STROKES, _LEAST_ROWS = 0.8, 0.5  # beginnings of ink in a cell, over its side: along the rows, down the columns
_COVER = (0.08, 0.60)  # of a cell; more is a surface, less is dirt
_FACE = (2.2, 2.6, 4.0)  # eye distances to either side, up and down: hair, collar and tie are no print


def print_beside(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> int:
    """Counts the squares of one eye distance, beside the face, that hold strokes of print.

    Takes an (H, W, 3) RGB picture and the (478, 3) landmarks of a face in it; returns 0 to about 480.
    """
    eyes = five_points(landmarks)[:2]
    width, height = _ACROSS * _EYES, _DOWN * _EYES
    places = np.array([(width / 2 - _EYES / 2, height / 2), (width / 2 + _EYES / 2, height / 2)])
    to_scale = similarity_transform(eyes, places)
    shrunk = float(np.hypot(*to_scale[0, :2]))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if shrunk < 1:  # a fine pattern must not become a coarse one
        grey = cv2.GaussianBlur(grey, (0, 0), 0.35 / max(shrunk, 0.02))
    seen = cv2.warpAffine(grey, to_scale, (width, height), flags=cv2.INTER_LINEAR, borderValue=(128,))
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_STROKE, _STROKE))
    ink = cv2.morphologyEx(seen, cv2.MORPH_BLACKHAT, kernel) > _INK
    strokes, rows, cover = _cells(_begins(ink, 1)), _cells(_begins(ink, 0)), _cells(ink) / _EYES**2
    printed = (strokes > _LEAST_STROKES * _EYES) & (rows > _LEAST_ROWS * _EYES)
    printed &= (cover > _COVER[0]) & (cover < _COVER[1])
    return int((printed & _beside_face()).sum())


def _begins(ink: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Where ink begins along an axis."""
    before = np.roll(ink, 1, axis)
    return ink & ~before


def _cells(marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many marks each square of one eye distance holds."""
    return np.asarray(marks.reshape(_DOWN, _EYES, _ACROSS, _EYES).sum(axis=(1, 3)), np.int64)


def _beside_face() -> NDArray[np.bool_]:
    down, across = np.mgrid[0:_DOWN, 0:_ACROSS] + 0.5
    right, below = across - _ACROSS / 2, down - _DOWN / 2
    beside, above, under = _FACE
    return np.asarray((np.abs(right) >= beside) | (below <= -above) | (below >= under))
