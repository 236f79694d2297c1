"""Identity through a session: the embeddings of the challenge, in memory only, and the probe made of the best."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.decision import Comparison
from device.vision.embedding import fuse, similarity

PROBE_FRAMES = 8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Embedded:
    at: float
    embedding: NDArray[np.float32]
    quality: float


@dataclass(slots=True, eq=False, repr=False)
class IdentityTrail:
    """The embeddings of one session. Its repr shows none of them; `forget` when the session is over."""

    _embedded: list[_Embedded] = field(default_factory=list)

    def add(self, at: float, embedding: NDArray[np.float32], quality: float) -> float:
        """Keeps a unit embedding, (128,), and its quality (higher is better); returns its least cosine to any other.

        Any other, not the first alone: a first frame that resembles two people would join them.
        """
        least = min((similarity(item.embedding, embedding) for item in self._embedded), default=1.0)
        self._embedded.append(_Embedded(at, embedding, quality))
        return least

    def likeness(self, embedding: NDArray[np.float32]) -> float | None:
        """Returns the cosine of a unit embedding, (128,), to the mean of those that are kept; None without any.

        For a turned head, which differs from single frontal frames by pose and blur: the mean is steadier.
        """
        if not self._embedded:
            return None
        return similarity(fuse([item.embedding for item in self._embedded]), embedding)

    def compare(self, reference: NDArray[np.float32], threshold: float, first: float, last: float) -> Comparison | None:
        """Fuses the best frames taken from `first` to `last` seconds and compares them with the reference.

        Returns None when no embedded frame lies in that span.
        """
        inside = [item for item in self._embedded if first <= item.at <= last]
        if not inside:
            return None
        best = sorted(inside, key=lambda item: item.quality, reverse=True)[:PROBE_FRAMES]
        probe = fuse([item.embedding for item in best])
        return Comparison(
            score=similarity(probe, reference),
            threshold=threshold,
            compared_at=tuple(sorted(item.at for item in best)),
            least_likeness=min(similarity(probe, item.embedding) for item in self._embedded),
        )

    def forget(self) -> None:
        """Overwrites and drops every embedding."""
        for item in self._embedded:
            item.embedding.fill(0)
        self._embedded.clear()
