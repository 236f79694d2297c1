"""Finds faces: MediaPipe's short-range BlazeFace (Bazarevsky et al. 2019)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Box
from device.vision.inference import Model

RIGHT_EYE, LEFT_EYE, NOSE_TIP, MOUTH, RIGHT_TRAGUS, LEFT_TRAGUS = range(6)
_SIDE = 128
_SAME_FACE = 0.3  # boxes that overlap by more (intersection over union) are one face, as in MediaPipe
_WITH_MARGIN = 0.5  # a face that fills the picture is found when the picture fills half of the model's view


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A detected face.

    Attributes:
        box: from the forehead to the chin, in pixels of the picture; it may reach beyond the picture.
        score: 0..1.
        keypoints: (6, 2) float32 pixels: the customer's right eye, left eye, nose tip, mouth, right, left ear tragus.
    """

    box: Box
    score: float
    keypoints: NDArray[np.float32]


class Detector:
    """Runs the detector's model; not safe for use by two threads at once."""

    def __init__(self, model: Model, least_score: float = 0.5) -> None:
        self._model = model
        self._least_score = least_score
        self._canvas = np.zeros((_SIDE, _SIDE, 3), np.uint8)
        self._input = np.zeros((1, _SIDE, _SIDE, 3), np.float32)
        self._anchors = _anchors()

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Returns the faces in an (H, W, 3) RGB picture, the best score first; one look, for live frames."""
        return self._look(image, 1.0)

    def search(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Returns the faces in a still picture, the best score first, at several scales.

        Looks at the picture as it is and with a margin (a portrait that the face fills); while no face is found, at
        overlapping parts of it, a half and then a quarter of its longer side (a small face).
        """
        found = self._look(image, 1.0) + self._look(image, _WITH_MARGIN)
        for split in (2, 4):
            if found:
                break
            for left, top, part in _parts(image, split):
                found += [_moved(detection, left, top) for detection in self._look(part, 1.0)]
        return _distinct(found)

    def survey(self, image: NDArray[np.uint8], splits: Sequence[int]) -> list[Detection]:
        """Returns the faces at every scale, the best score first: as in `search`, but looks at all parts always.

        A small face is then found beside a large one, and a true one beside something that a coarser look took for one.
        """
        found = self._look(image, 1.0) + self._look(image, _WITH_MARGIN)
        for split in splits:
            for left, top, part in _parts(image, split):
                found += [_moved(detection, left, top) for detection in self._look(part, 1.0)]
        return _distinct(found)

    def forget(self) -> None:
        """Overwrites what is left of the last picture."""
        self._canvas[:] = 0
        self._input[:] = 0
        self._model.forget()

    def _look(self, image: NDArray[np.uint8], fill: float) -> list[Detection]:
        scale, left, top = self._prepare(image, fill)
        regressors, classificators = self._model.run(self._input)
        logits = classificators[0, :, 0]
        chosen = np.flatnonzero(logits > np.log(self._least_score / (1 - self._least_score)))
        if not len(chosen):
            return []
        scores = 1 / (1 + np.exp(-logits[chosen]))
        points = regressors[0, chosen].reshape(-1, 8, 2)  # box centre, box size, six key points, in the model's pixels
        points[:, 0] += self._anchors[chosen]
        points[:, 2:] += self._anchors[chosen, None]
        margin = np.array((left, top), np.float32)
        points -= margin
        points[:, 1] += margin  # a size does not move
        return _merged(points / scale, scores)

    def _prepare(self, image: NDArray[np.uint8], fill: float) -> tuple[float, int, int]:
        """Fills the model's input with the letterboxed picture; returns its scale and left and top margins."""
        height, width = image.shape[:2]
        scale = fill * _SIDE / max(height, width)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (_SIDE - inner[0]) // 2, (_SIDE - inner[1]) // 2
        self._canvas[:] = 0
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        self._canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
            image, inner, interpolation=interpolation
        )
        np.multiply(self._canvas, np.float32(1 / 127.5), out=self._input[0])
        self._input -= 1
        return scale, left, top


def _anchors() -> NDArray[np.float32]:
    """(896, 2) centres of the model's anchors in its pixels: a 16 x 16 grid of 2 and an 8 x 8 grid of 6 a cell."""
    grids = []
    for cells, anchors_per_cell in ((16, 2), (8, 6)):
        rows, columns = np.mgrid[0:cells, 0:cells]
        centres = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) * (_SIDE / cells)
        grids.append(np.repeat(centres, anchors_per_cell, axis=0))
    return np.asarray(np.concatenate(grids), np.float32)


def _merged(points: NDArray[np.float32], scores: NDArray[np.float32]) -> list[Detection]:
    """Blends overlapping candidates, weighted by score (BlazeFace's replacement for plain non-maximum suppression)."""
    corners = np.concatenate([points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2], axis=1)
    remaining = np.argsort(-scores)
    detections = []
    while len(remaining):
        best = remaining[0]
        same = _overlap(corners[best], corners[remaining]) > _SAME_FACE
        same[0] = True  # also when its box is degenerate
        members = remaining[same]
        blended = np.average(points[members], axis=0, weights=scores[members]).astype(np.float32)
        detections.append(_detection(blended, float(scores[best])))
        remaining = remaining[~same]
    return detections


def _detection(points: NDArray[np.float32], score: float) -> Detection:
    (x, y), (width, height) = points[0].tolist(), points[1].tolist()
    return Detection(Box(x - width / 2, y - height / 2, width, height), score, points[2:].copy())


def _distinct(detections: list[Detection]) -> list[Detection]:
    """Keeps the best of each group of overlapping detections, best first."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda each: -each.score):
        others = np.array([_corners(each.box) for each in kept]).reshape(-1, 4)
        if not (_overlap(_corners(detection.box), others) > _SAME_FACE).any():
            kept.append(detection)
    return kept


def _corners(box: Box) -> NDArray[np.float64]:
    return np.array([box.x, box.y, box.x + box.width, box.y + box.height])


def _overlap(one: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Intersection over union of one box with each of (N, 4) others, given as left, top, right, bottom."""
    sides = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    shared = np.prod(np.clip(sides, 0, None), axis=1)
    union = np.prod(one[2:] - one[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0)


def _parts(image: NDArray[np.uint8], split: int) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """Squares of the longer side over `split`, each overlapping the next by half or more: left, top and the part."""
    side = max(image.shape[:2]) // split
    if side < _SIDE // 2:  # nothing is gained by enlarging pixels
        return
    for top in _starts(image.shape[0], side):
        for left in _starts(image.shape[1], side):
            yield left, top, image[top : top + side, left : left + side]


def _starts(length: int, side: int) -> list[int]:
    spare = max(0, length - side)
    count = 1 + math.ceil(spare / (side / 2))
    return [round(spare * number / max(1, count - 1)) for number in range(count)]


def _moved(detection: Detection, right: int, down: int) -> Detection:
    box = Box(detection.box.x + right, detection.box.y + down, detection.box.width, detection.box.height)
    return Detection(box, detection.score, detection.keypoints + np.array((right, down), np.float32))
