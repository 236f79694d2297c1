"""Measures how well faces are told apart: test sets, each with full, chip and printed references, at given thresholds.

Embeddings live in memory only and go with the measurement; scores and rates are all that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.evaluation.bootstrap import REPLICATES, ErrorRates, Scores, error_rates
from device.evaluation.degrade import ReferenceKind, as_reference
from device.evaluation.intervals import Rate, clopper_pearson
from device.evaluation.testset import Groups, TestSet, TestSetError
from device.vision.pictures import PictureError, read_picture
from device.vision.reference import Portrait, PortraitError, PortraitReader

EXTREMES = 10  # impostor pairs that score highest, genuine ones that score lowest: to be looked at by name
_CHUNK = 1 << 17

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many are done and how many there are."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """A pair whose score stands out, by file name."""

    reference: str
    probe: str
    score: float


@dataclass(frozen=True, slots=True)
class GroupRates:
    """Error rates of one group: genuine pairs of its subjects, impostor pairs within it; None without such a pair."""

    label: str
    value: str
    subjects: int
    threshold: float
    false_match: Rate | None
    false_non_match: Rate | None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One test set with one kind of reference."""

    name: str
    reference: ReferenceKind
    pictures: int
    without_face: tuple[str, ...]
    scores: Scores
    rates: ErrorRates
    highest_impostors: tuple[Extreme, ...]
    lowest_genuine: tuple[Extreme, ...]
    groups: tuple[GroupRates, ...]


class Evaluation:
    """Embeds each picture of a set once for each kind of reference, then measures."""

    def __init__(
        self,
        reader: PortraitReader,
        thresholds: Sequence[float],
        *,
        groups: Groups | None = None,
        replicates: int = REPLICATES,
        seed: int = 0,
        progress: Progress = lambda _what, _done, _of: None,
    ) -> None:
        self._reader = reader
        self._thresholds = thresholds
        self._groups = groups
        self._replicates = replicates
        self._seed = seed
        self._progress = progress

    def measure(self, test: TestSet, kinds: Sequence[ReferenceKind]) -> Iterator[Measured]:
        """Yields the measurement with each kind of reference; raises TestSetError when a picture cannot be read."""
        portraits = self._portraits(test)
        probes = _vectors(portraits)
        for kind in kinds:
            references = probes if kind is ReferenceKind.FULL else _vectors(self._documents(test, kind, portraits))
            yield self._measured(test, kind, references, probes)

    def _portraits(self, test: TestSet) -> list[Portrait | None]:
        """The portrait in each picture of a set."""
        found = []
        for done, name in enumerate(test.pictures, start=1):
            try:
                found.append(self._reader.read_central(test.root / name))
            except PortraitError as error:
                raise TestSetError(str(error)) from None
            self._progress(f"{test.name}, full pictures", done, len(test.pictures))
        self._reader.forget()
        return found

    def _documents(
        self, test: TestSet, kind: ReferenceKind, portraits: Sequence[Portrait | None]
    ) -> list[Portrait | None]:
        """What is found in each reference as a document shows it; None for all other pictures."""
        found: list[Portrait | None] = [None] * len(portraits)
        serving = _serving(test, kind)
        for done, index in enumerate(serving, start=1):
            portrait, name = portraits[index], test.pictures[index]
            if portrait is not None:
                found[index] = self._document(test.root / name, portrait, kind, name)
            self._progress(f"{test.name}, {kind} references", done, len(serving))
        self._reader.forget()
        return found

    def _document(self, path: Path, portrait: Portrait, kind: ReferenceKind, name: str) -> Portrait | None:
        try:
            image = as_reference(kind, read_picture(path), portrait.face.box, name, self._seed)
        except PictureError as error:  # it could be read before
            raise TestSetError(str(error)) from None
        _, content = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return self._reader.read_central(content.tobytes())

    def _measured(
        self, test: TestSet, kind: ReferenceKind, references: NDArray[np.float32], probes: NDArray[np.float32]
    ) -> Measured:
        seen = ~np.isnan(references[test.pairs[:, 0], 0]) & ~np.isnan(probes[test.pairs[:, 1], 0])
        pairs = test.pairs[seen]
        values = pair_scores(references, probes, pairs)
        names, numbers = np.unique(np.array(test.subjects), return_inverse=True)
        of = numbers.reshape(-1)[pairs]
        same = of[:, 0] == of[:, 1]
        if not same.any() or same.all():
            raise TestSetError(f"{test.name}: too few faces found with {kind} references: give other pictures")
        scores = Scores(values[same], of[same, 0], values[~same], of[~same])
        return Measured(
            name=test.name,
            reference=kind,
            pictures=len(test.pictures),
            without_face=tuple(test.pictures[at] for at in _serving(test, kind) if np.isnan(references[at, 0])),
            scores=scores,
            rates=error_rates(scores, self._thresholds, replicates=self._replicates, seed=self._seed),
            highest_impostors=_extremes(test, pairs[~same], -scores.impostor, scores.impostor),
            lowest_genuine=_extremes(test, pairs[same], scores.genuine, scores.genuine),
            groups=tuple(group_rates(scores, names.tolist(), self._groups, self._thresholds)) if self._groups else (),
        )


def _vectors(portraits: Sequence[Portrait | None]) -> NDArray[np.float32]:
    """(N, D) unit vectors; NaN where there is no face."""
    seen = [portrait.embedding for portrait in portraits if portrait is not None]
    vectors = np.full((len(portraits), len(seen[0]) if seen else 1), np.nan, np.float32)
    vectors[[portrait is not None for portrait in portraits]] = seen
    return vectors


def pair_scores(
    references: NDArray[np.float32], probes: NDArray[np.float32], pairs: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The cosine of each pair of unit vectors, (N,)."""
    scores: list[NDArray[np.float32]] = [
        np.einsum("nd,nd->n", references[chunk[:, 0]], probes[chunk[:, 1]])
        for chunk in (pairs[at : at + _CHUNK] for at in range(0, len(pairs), _CHUNK))
    ]
    return np.asarray(np.clip(np.concatenate([np.empty(0), *scores]), -1.0, 1.0), np.float64)


def group_rates(
    scores: Scores, subjects: Sequence[str], groups: Groups, thresholds: Sequence[float]
) -> Iterator[GroupRates]:
    """Yields each group's rates at each threshold: genuine pairs of its subjects, impostor pairs within it.

    The intervals (Clopper and Pearson) take the pairs as independent, which several pairs of one subject are not.
    """
    for column, label in enumerate(groups.labels):
        values = np.array([groups.values.get(subject, ("",) * len(groups.labels))[column] for subject in subjects])
        for value in sorted(set(values.tolist()) - {""}):
            inside = values == value
            own = scores.genuine[inside[scores.genuine_of]]
            within = scores.impostor[inside[scores.impostor_of].all(axis=1)]
            for threshold in thresholds:
                matched, missed = int((within >= threshold).sum()), int((own < threshold).sum())
                yield GroupRates(
                    label,
                    value,
                    int(inside.sum()),
                    threshold,
                    clopper_pearson(matched, len(within)) if len(within) else None,
                    clopper_pearson(missed, len(own)) if len(own) else None,
                )


def _serving(test: TestSet, kind: ReferenceKind) -> NDArray[np.int64]:
    """The pictures that are embedded as this kind: all as they are, documents only as references."""
    return np.unique(test.pairs if kind is ReferenceKind.FULL else test.pairs[:, 0])


def _extremes(
    test: TestSet, pairs: NDArray[np.int64], order: NDArray[np.float64], scores: NDArray[np.float64]
) -> tuple[Extreme, ...]:
    """The pairs that come first in `order`."""
    first = np.argsort(order, kind="stable")[:EXTREMES]
    named = ((test.pictures[pairs[at, 0]], test.pictures[pairs[at, 1]], float(scores[at])) for at in first)
    return tuple(Extreme(*each) for each in named)
