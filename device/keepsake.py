"""What is kept of a session, in memory only, when the request's policy asks for evidence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device.decision import Comparison
from device.liveness.evidence import Record
from device.liveness.session import Cued, Pausing, State
from device.signals import Box, Frame, Signals
from device.vision.pictures import encode_jpeg
from device.wire.evidence import (
    MAX_FRAMES,
    MAX_PORTRAIT_BYTES,
    EvidenceCue,
    EvidenceKind,
    EvidencePack,
    EvidenceSignals,
)

MARGIN = 0.4  # of the face's box, on each side: hair, chin and ears
LONGEST_SIDE = 400  # pixels


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Face:
    at: float
    quality: float
    picture: NDArray[np.uint8]


class Keepsake:
    """Keeps the kinds of evidence that were asked for. Its repr shows none of them."""

    def __init__(self, kinds: Collection[str]) -> None:
        self._kinds = frozenset(kinds)
        self._signals: list[Signals] = []
        self._best: _Face | None = None

    def note(self, state: State, signals: Signals) -> None:
        """Keeps what was measured in one frame of the challenge."""
        if EvidenceKind.SIGNALS in self._kinds and isinstance(state, Pausing | Cued):
            self._signals.append(signals)

    def show(self, state: State, frame: Frame, box: Box, quality: float) -> None:
        """Keeps an embedded face, when it is the best so far; only from the first cue on they are compared."""
        compared = isinstance(state, Cued) or (isinstance(state, Pausing) and state.record.steps)
        better = self._best is None or quality > self._best.quality
        if EvidenceKind.PORTRAIT in self._kinds and compared and better:
            self._drop_face()
            self._best = _Face(frame.taken_at, quality, _cut(frame.image, box))

    def pack(self, record: Record, comparison: Comparison | None) -> EvidencePack | None:
        """Returns what there is; None when that is nothing. A face that was not compared is not in it."""
        pack = EvidencePack(signals=self._written(record), portrait=self._portrait(comparison))
        return pack if pack.kinds else None

    def forget(self) -> None:
        """Overwrites the face and drops the rest."""
        self._drop_face()
        self._signals.clear()

    def _drop_face(self) -> None:
        if self._best is not None:
            self._best.picture.fill(0)
            self._best = None

    def _portrait(self, comparison: Comparison | None) -> bytes | None:
        if self._best is None or comparison is None or self._best.at not in comparison.compared_at:
            return None
        return encode_jpeg(self._best.picture, LONGEST_SIDE, MAX_PORTRAIT_BYTES)

    def _written(self, record: Record) -> EvidenceSignals | None:
        if not self._signals:
            return None
        # Every n-th frame of a camera that is faster than the longest challenge has room for.
        rows = self._signals[:: -(-len(self._signals) // MAX_FRAMES)]
        views = [row.view for row in rows]
        return EvidenceSignals(
            at_s=tuple(round(max(row.at - record.started_at, 0.0), 3) for row in rows),
            yaw_deg=tuple(None if view is None else round(view.yaw, 1) for view in views),
            pitch_deg=tuple(None if view is None else round(view.pitch, 1) for view in views),
            left_eye=tuple(None if view is None else round(view.left_eye, 3) for view in views),
            right_eye=tuple(None if view is None else round(view.right_eye, 3) for view in views),
            cues=tuple(
                EvidenceCue(action=step.action, at_s=round(step.cue_at - record.started_at, 3)) for step in record.steps
            ),
        )


def _cut(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Returns a copy of the face with its margin, (H, W, 3) RGB."""
    height, width = image.shape[:2]
    wide, high = box.width * MARGIN, box.height * MARGIN
    left, top = max(int(box.x - wide), 0), max(int(box.y - high), 0)
    right, bottom = min(int(box.x + box.width + wide), width), min(int(box.y + box.height + high), height)
    return image[top:bottom, left:right].copy()
