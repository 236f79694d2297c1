"""Portraits: from a still picture to the embedding that the live face is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.signals import Box, Face
from device.vision.detector import Detection, Detector
from device.vision.embedding import Embedder, Embedding
from device.vision.landmarks import LandmarkFinder, region_from_detection, region_from_landmarks
from device.vision.manifest import Models
from device.vision.pictures import PictureError, decode_picture, read_picture

LEAST_FACE_WIDTH = 40.0
_MOST_FACES = 12
_BYSTANDER_WIDTH = 1 / 3  # of the widest face; below it is background, or the ghost image of a document


class PortraitError(ValueError):
    """A picture does not serve as a portrait; the message is one line that says what to do."""


class UnreadablePortraitError(PortraitError):
    """There is no picture, or it cannot be decoded."""


class NoFaceError(PortraitError):
    """The picture shows no usable face."""


class SeveralFacesError(PortraitError):
    """The picture shows more than one person."""


class FaceTooSmallError(PortraitError):
    """The face has too few pixels to be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """The one face of a still picture, in pixels of the upright picture, and its unit embedding."""

    face: Face
    embedding: Embedding


class PortraitReader:
    """Finds and embeds faces in still pictures; not safe for use by two threads at once."""

    def __init__(self, models: Models) -> None:
        self._detector = Detector(models.detector)
        # The first look may be off centre, as far as the detector's box is; the second one, centred, decides.
        self._first_look = LandmarkFinder(models.landmarks, least_score=1e-3)
        self._finder = LandmarkFinder(models.landmarks)
        self._embedder = Embedder(models.embedding)

    def read(self, picture: bytes | Path) -> Portrait:
        """Returns the portrait in a file or its bytes; raises a PortraitError unless it shows just one usable face."""
        name = "the picture" if isinstance(picture, bytes) else str(picture)
        image = _image(picture)
        faces = self.faces(image)
        if not faces:
            raise NoFaceError(f"{name}: no face found: give a portrait, upright and from the front")
        widest = max(face.box.width for face in faces)
        persons = [face for face in faces if face.box.width >= widest * _BYSTANDER_WIDTH]
        if len(persons) > 1:
            raise SeveralFacesError(f"{name}: {len(persons)} faces: give a picture of one person, or cut it to one")
        if widest < LEAST_FACE_WIDTH:
            raise FaceTooSmallError(f"{name}: the face is {widest:.0f} pixels wide: it needs {LEAST_FACE_WIDTH:.0f}")
        return self._portrait(image, persons[0])

    def read_central(self, picture: bytes | Path) -> Portrait | None:
        """Returns the largest central face of any number; None when there is none; raises UnreadablePortraitError."""
        image = _image(picture)
        face = self.central_face(image)
        return None if face is None else self._portrait(image, face)

    def central_face(self, image: NDArray[np.uint8]) -> Face | None:
        """Returns the largest central face of an (H, W, 3) RGB picture; None when there is none."""
        height, width = image.shape[:2]
        return max(self.faces(image), key=lambda face: _prominence(face.box, width, height), default=None)

    def forget(self) -> None:
        """Overwrites what is left of the last picture."""
        for part in (self._detector, self._first_look, self._finder, self._embedder):
            part.forget()

    def faces(self, image: NDArray[np.uint8]) -> list[Face]:
        """Returns each face of an (H, W, 3) RGB picture on which detector and landmark model agree, surest first."""
        found = (self._face(image, detection) for detection in self._detector.search(image)[:_MOST_FACES])
        return [face for face in found if face is not None]

    def _face(self, image: NDArray[np.uint8], detection: Detection) -> Face | None:
        face = self._first_look.find(image, region_from_detection(detection))
        return None if face is None else self._finder.find(image, region_from_landmarks(face.landmarks))

    def _portrait(self, image: NDArray[np.uint8], face: Face) -> Portrait:
        return Portrait(face, self._embedder.embed(image, face.landmarks))


def _image(picture: bytes | Path) -> NDArray[np.uint8]:
    try:
        return decode_picture(picture) if isinstance(picture, bytes) else read_picture(picture)
    except PictureError as error:
        name = "the picture: " if isinstance(picture, bytes) else ""
        raise UnreadablePortraitError(f"{name}{error}") from None


def _prominence(box: Box, width: int, height: int) -> float:
    """Larger for a larger and for a more central face: area less twice the squared distance from the centre."""
    right = box.x + box.width / 2 - width / 2
    down = box.y + box.height / 2 - height / 2
    return box.area - 2 * (right**2 + down**2)
