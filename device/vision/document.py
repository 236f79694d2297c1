"""The portrait of an identity document: which of its faces it is, whether it can be used, and its embedding.

The portrait is the face beside print that is largest and strongest in contrast: ghost images are smaller or fainter,
and the holder's own face behind the card has no print of its size beside it. docs/documents.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device.signals import CardFault
from device.vision.document_faces import QUARTERS, DocumentFace, DocumentFaceFinder
from device.vision.embedding import Embedder, Embedding, similarity
from device.vision.manifest import Models
from device.vision.pose import PoseSolver

# Working points; docs/documents.md has what each is measured on.
LEAST_PRINT = 28
LEAST_WIDTH = 40.0  # pixels, as for every reference
MOST_YAW = 25.0
MOST_GLARE = 0.30
LEAST_SHARPNESS = 60.0
LEAST_RANGE = 5.0
_RIVAL = 0.6  # of the portrait's prominence: a face this strong must be the same person's
_SAME_PERSON = 0.3


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DocumentPortrait:
    """The portrait of a document and its unit embedding; `fault` is what hinders its use most, None when nothing."""

    found: DocumentFace
    embedding: Embedding
    yaw: float
    fault: CardFault | None


class DocumentReader:
    """Reads portraits from pictures of documents; not safe for use by two threads at once."""

    def __init__(self, models: Models) -> None:
        self._finder = DocumentFaceFinder(models)
        self._embedder = Embedder(models.embedding)
        self._solver = PoseSolver(models.canonical_face.vertices, models.canonical_face.weights)

    def read(self, picture: NDArray[np.uint8], quarters: Iterable[int] = QUARTERS) -> DocumentPortrait | None:
        """Returns the portrait in an (H, W, 3) RGB picture, tried in the rotations `quarters`; None without a face."""
        faces = self._finder.find(picture, quarters)
        if not faces:
            return None
        on_document = [face for face in faces if face.print >= LEAST_PRINT]
        found = max(on_document or faces, key=lambda face: face.prominence)
        embedding = self._embed(found)
        yaw = self._solver.solve(found.face.landmarks).yaw
        others = [face for face in on_document if face is not found and face.prominence >= _RIVAL * found.prominence]
        several = any(similarity(embedding, self._embed(other)) < _SAME_PERSON for other in others)
        fault = CardFault.SEVERAL_PORTRAITS if several else fault_of(found, yaw)
        return DocumentPortrait(found, embedding, yaw, fault)

    def forget(self) -> None:
        """Overwrites what is left of the last picture."""
        self._finder.forget()
        self._embedder.forget()

    def _embed(self, found: DocumentFace) -> Embedding:
        return self._embedder.embed(found.token, found.face.landmarks)


def fault_of(found: DocumentFace, yaw: float) -> CardFault | None:
    """What hinders the use of a face as a reference most, worst first; None when nothing does."""
    quality = found.quality
    if found.sharpness < LEAST_SHARPNESS:  # before the print, of which blur leaves nothing
        return CardFault.BLURRED
    if found.print < LEAST_PRINT:
        return CardFault.NO_DOCUMENT
    if found.width < LEAST_WIDTH:
        return CardFault.TOO_SMALL
    if abs(yaw) > MOST_YAW:
        return CardFault.NOT_FRONTAL
    if quality.over_exposed > MOST_GLARE:
        return CardFault.GLARE
    if quality.dynamic_range < LEAST_RANGE:
        return CardFault.FAINT
    return None
