"""Reading the portrait of the identity document that is held before the camera.

The pictures and embeddings of a reading live here, until several portraits of one face agree or the session ends; then
what is left is the reference, and a commitment to one of the pictures. Which document it was nobody knows: neither its
number nor its genuineness is read, and the result's grade `card` says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from device.liveness.rules import Rules
from device.signals import CardFault, CardView, Frame
from device.vision.document import DocumentPortrait, DocumentReader
from device.vision.document_faces import QUARTERS
from device.vision.embedding import Embedding, fuse, similarity
from device.wire.claims import Grade, ReferenceMark
from device.wire.sealing import commitment


@dataclass(slots=True, eq=False, repr=False)
class CardReading:
    """One reading. Its repr shows nothing of it; `forget` when the session is over."""

    reader: DocumentReader
    nonce: bytes
    rules: Rules
    _portraits: list[DocumentPortrait] = field(default_factory=list)
    _quarter: int = 0
    _looked_at: float | None = None

    def look(self, frame: Frame) -> CardView | None:
        """Returns what the frame shows of a document; None for a frame that comes too soon after the last look.

        Each look tries one rotation, that in which a portrait was last seen: all four would take four times as long.
        """
        if self._looked_at is not None and frame.taken_at - self._looked_at < self.rules.card_every_s:
            return None
        self._looked_at = frame.taken_at
        picture = frame.image if frame.detail is None else frame.detail
        portrait = self.reader.read(picture, (QUARTERS[self._quarter],))
        if portrait is None or portrait.fault is CardFault.NO_DOCUMENT:
            self._quarter = (self._quarter + 1) % len(QUARTERS)
            self._restart()
            return CardView(CardFault.NO_PORTRAIT if portrait is None else portrait.fault)
        if portrait.fault is not None:
            return CardView(portrait.fault)
        if any(
            similarity(portrait.embedding, other.embedding) < self.rules.min_card_likeness for other in self._portraits
        ):
            self._restart()
        self._portraits.append(portrait)
        return CardView(None, len(self._portraits))

    def reference(self) -> tuple[Embedding, ReferenceMark] | None:
        """Returns the portraits' fused unit embedding and what the result says of it; None when nothing was read.

        The commitment is to the sharpest of the upright portraits, as PNG.
        """
        if not self._portraits:
            return None
        best = max(self._portraits, key=lambda each: each.found.sharpness)
        mark = ReferenceMark(commitment=commitment(_png(best.found.token), self.nonce), grade=Grade.CARD)
        return fuse([each.embedding for each in self._portraits]), mark

    def forget(self) -> None:
        """Overwrites and drops every portrait."""
        self._restart()
        self.reader.forget()

    def _restart(self) -> None:
        for each in self._portraits:
            each.found.token.fill(0)
            each.found.face.landmarks.fill(0)
            each.embedding.fill(0)
        self._portraits.clear()


def _png(image: NDArray[np.uint8]) -> bytes:
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()
