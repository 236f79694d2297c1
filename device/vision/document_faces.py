"""Every face on a picture of a document, in any of the four rotations, each cut out upright and looked at twice.

The detector finds faces up to some 60 degrees from upright, and takes holograms, seals and letters for faces at times;
the landmark model refuses most of those. What is left is cut out upright, as ISO/IEC 19794-5:2011 wants a token
portrait, and looked at again: what is not found again in the same place was no face.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import CaptureQuality, Face
from device.vision.alignment import five_points, similarity_transform
from device.vision.detector import Detection, Detector
from device.vision.landmarks import LandmarkFinder, region_from_detection, region_from_landmarks
from device.vision.manifest import Models
from device.vision.print_beside import print_beside
from device.vision.quality import measure_quality

QUARTERS = (0, 1, 3, 2)
"""Anticlockwise quarter turns of a picture, the likeliest first."""

# ISO/IEC 19794-5:2011, 9.2: a token portrait is 240 x 320, eyes a quarter of its width apart at 0.6 of the width down.
TOKEN_WIDTH, TOKEN_HEIGHT = 240, 320
_EYES = np.array([(0.375 * TOKEN_WIDTH, 0.6 * TOKEN_WIDTH), (0.625 * TOKEN_WIDTH, 0.6 * TOKEN_WIDTH)])
_EYE_DISTANCE = TOKEN_WIDTH / 4
_SPLITS = (2, 3)  # with halves and thirds of the picture all portraits of the test bed are found
_MOST_SHIFT = 0.3  # eye distances between the first and the second look: portraits up to 0.06, a hologram 0.8
_SURE = 0.9  # the landmark model's presence: portraits 0.98 and more


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DocumentFace:
    """A face somewhere on a document.

    Attributes:
        token: (320, 240, 3) uint8 RGB, upright, eyes level; grey beyond the picture's edge.
        face: the face in pixels of the token.
        eyes: (x, y) between the eyes, in pixels of the picture as it was given.
        width: of the face, in pixels of the picture.
        score: 0..1, the detector's for the upright token.
        quality: of the face, measured on the token.
        sharpness: variance of the Laplacian of the face's luma, at the size of a small portrait (grey levels squared).
        print: squares of print beside it (`device.vision.print_beside`).
    """

    token: NDArray[np.uint8]
    face: Face
    eyes: tuple[float, float]
    width: float
    score: float
    quality: CaptureQuality
    sharpness: float
    print: int

    @property
    def prominence(self) -> float:
        """Higher for the portrait than for its ghost image, which is smaller or fainter."""
        return self.width * self.quality.dynamic_range


class DocumentFaceFinder:
    """Runs detector and landmark model; not safe for use by two threads at once."""

    def __init__(self, models: Models) -> None:
        self._detector = Detector(models.detector)
        self._first_look = LandmarkFinder(models.landmarks, least_score=1e-3)
        self._finder = LandmarkFinder(models.landmarks)

    def find(self, picture: NDArray[np.uint8], quarters: Iterable[int] = QUARTERS) -> list[DocumentFace]:
        """Returns each face of an (H, W, 3) RGB picture in the rotations `quarters`, each where it is surest.

        A face on its side is often found in three rotations, and some upside down; the upright token tells them apart.
        """
        found = [face for quarter in quarters for face in self._upright(picture, quarter)]
        distinct: list[DocumentFace] = []
        for face in sorted(found, key=lambda each: each.score, reverse=True):
            if not any(_same_place(face, other) for other in distinct):
                distinct.append(face)
        return distinct

    def forget(self) -> None:
        """Overwrites what is left of the last picture."""
        for part in (self._detector, self._first_look, self._finder):
            part.forget()

    def _upright(self, picture: NDArray[np.uint8], quarter: int) -> Iterator[DocumentFace]:
        turned = np.ascontiguousarray(np.rot90(picture, quarter))
        for detection in self._detector.survey(turned, _SPLITS):
            face = self._face(turned, detection)
            if face is None:
                continue
            eyes = five_points(face.landmarks)[:2]
            to_token = similarity_transform(eyes, _EYES)
            token = _cut(turned, to_token)
            again = max(self._detector.detect(token), key=lambda each: each.box.area, default=None)
            upright = None if again is None else self._face(token, again)
            if again is None or upright is None or _shift(upright) > _MOST_SHIFT:
                continue
            quality = measure_quality(np.asarray(cv2.cvtColor(token, cv2.COLOR_RGB2GRAY), np.uint8), upright)
            if quality is not None:
                yield DocumentFace(
                    token=token,
                    face=upright,
                    eyes=_in_picture(eyes.mean(axis=0), turned.shape, quarter),
                    width=upright.box.width / float(np.hypot(*to_token[0, :2])),
                    score=again.score,
                    quality=quality,
                    sharpness=_sharpness(token, upright),
                    print=print_beside(turned, face.landmarks),
                )

    def _face(self, image: NDArray[np.uint8], detection: Detection) -> Face | None:
        first = self._first_look.find(image, region_from_detection(detection))
        face = None if first is None else self._finder.find(image, region_from_landmarks(first.landmarks))
        return face if face is not None and face.score >= _SURE else None


def _cut(image: NDArray[np.uint8], to_token: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The token portrait; a picture that is much larger is blurred first, so that guilloche makes no moire."""
    scale = float(np.hypot(*to_token[0, :2]))
    if scale < 0.5:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.35 / scale), np.uint8)
    size, grey = (TOKEN_WIDTH, TOKEN_HEIGHT), (128, 128, 128)
    return np.asarray(cv2.warpAffine(image, to_token, size, flags=cv2.INTER_LINEAR, borderValue=grey), np.uint8)


def _shift(upright: Face) -> float:
    """How far the eyes of the second look are from where the first one put them, in eye distances."""
    return float(np.abs(five_points(upright.landmarks)[:2] - _EYES).max()) / _EYE_DISTANCE


def _sharpness(token: NDArray[np.uint8], face: Face) -> float:
    """On the face at 64 pixels: what is finer, a small portrait does not have, and the embedding hardly sees."""
    left, top = max(int(face.box.x), 0), max(int(face.box.y), 0)
    part = token[top : int(face.box.y + face.box.height), left : int(face.box.x + face.box.width)]
    luma = cv2.cvtColor(cv2.resize(part, (64, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(luma, cv2.CV_32F).var())


def _in_picture(point: NDArray[np.float64], turned: tuple[int, ...], quarter: int) -> tuple[float, float]:
    """Where a point of the picture that was turned by `quarter` lies in the picture as it was given."""
    (x, y), (height, width) = point.tolist(), turned[:2]
    turns = {0: (x, y), 1: (height - y, x), 2: (width - x, height - y), 3: (y, width - x)}
    return turns[quarter]


def _same_place(one: DocumentFace, other: DocumentFace) -> bool:
    apart = np.hypot(one.eyes[0] - other.eyes[0], one.eyes[1] - other.eyes[1])
    return bool(apart < max(one.width, other.width) / 2)
