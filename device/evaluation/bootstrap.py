"""Error rates of a comparison with intervals by subject: persons are drawn again, not pairs.

Two pairs that share a person are not independent, so an interval over pairs is too narrow. The subsets bootstrap
(Bolle, Ratha and Pankanti 2004, "Error analysis of pattern recognition systems: the subsets bootstrap", CVIU 93) draws
as many persons as there are, with replacement; a person drawn n times brings their genuine pairs n times, and a pair of
two persons drawn n and m times counts n * m times. The interval is the middle 95 % of the replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device.evaluation.intervals import CONFIDENCE, Estimate, clopper_pearson
from device.evaluation.rates import equal_error_rate, false_match_rate, threshold_at, true_match_rate

RATES = (1e-2, 1e-3, 1e-4)
REPLICATES = 1000
_LEAST_TAIL = 50_000  # impostor scores; below that many all of them are drawn

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Comparison scores (cosine) and whose they are, as indices of subjects.

    Attributes:
        genuine: (G,) scores of a subject with themselves; genuine_of: (G,) the subject.
        impostor: (I,) scores of two subjects; impostor_of: (I, 2) both.
    """

    genuine: Floats
    genuine_of: Indices
    impostor: Floats
    impostor_of: Indices

    @property
    def subjects(self) -> int:
        """How many subjects have a genuine or an impostor score."""
        return len(np.union1d(self.genuine_of, self.impostor_of.ravel()))


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """What one test set says of a matcher, each with its 95 % interval by subject.

    Attributes:
        eer: equal error rate.
        true_match: true match rate (TAR) at each false match rate of RATES, the threshold set on this set itself.
        threshold: the threshold it took.
        at: (threshold, false match rate, false non-match rate) at each threshold asked for.
    """

    eer: Estimate
    true_match: dict[float, Estimate]
    threshold: dict[float, Estimate]
    at: tuple[tuple[float, Estimate, Estimate], ...]


def error_rates(
    scores: Scores, thresholds: Sequence[float], *, replicates: int = REPLICATES, seed: int = 0
) -> ErrorRates:
    """Measures `scores` at RATES and at the thresholds; raises ValueError without genuine or impostor scores."""
    own, others = scores.genuine, scores.impostor
    measured = [equal_error_rate(own, others)]
    limits = [threshold_at(others, rate) for rate in RATES]
    measured += [true_match_rate(own, limit) for limit in limits] + limits
    for fixed in thresholds:
        measured += [false_match_rate(others, fixed), 1 - true_match_rate(own, fixed)]
    redraw = Redraw(scores, thresholds, measured[0])
    random = np.random.default_rng(seed)
    drawn = np.array([redraw.statistics(random) for _ in range(replicates)])
    outside = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(drawn, (outside, 100 - outside), axis=0, method="nearest")
    found = iter([Estimate(*map(float, each)) for each in zip(measured, low, high, strict=True)])
    people = len(np.unique(scores.genuine_of))
    eer = _none_seen(next(found), people)
    true_match = {rate: _none_missed(next(found), people) for rate in RATES}
    threshold = {rate: next(found) for rate in RATES}
    at = tuple((limit, _none_seen(next(found), len(others)), _none_seen(next(found), people)) for limit in thresholds)
    return ErrorRates(eer, true_match, threshold, at)


class Redraw:
    """Draws subjects again and measures; only impostor scores high enough to matter are weighed one by one.

    Two of the same subjects draw alike from generators of one seed: so their difference is a paired one.
    """

    def __init__(self, scores: Scores, thresholds: Sequence[float], eer: float) -> None:
        order = np.argsort(-scores.impostor, kind="stable")
        needed = max((np.count_nonzero(scores.impostor >= threshold) for threshold in thresholds), default=0)
        # Twice the false match rate at the equal error rate, and ten times the highest of RATES.
        tail = min(len(order), max(_LEAST_TAIL, 2 * needed, int(max(4 * eer, 0.1) * len(order))))
        self._others = scores.impostor[order[:tail]]
        self._others_of = scores.impostor_of[order[:tail]]
        own = np.argsort(-scores.genuine, kind="stable")
        self._own, self._own_of = scores.genuine[own], scores.genuine_of[own]
        self._subjects = int(max(scores.genuine_of.max(), scores.impostor_of.max())) + 1
        pairs, self._pair_counts = np.unique(
            scores.impostor_of[:, 0] * self._subjects + scores.impostor_of[:, 1], return_counts=True
        )
        self._pairs = np.divmod(pairs, self._subjects)
        self._present = np.union1d(scores.genuine_of, scores.impostor_of.ravel())
        # How many genuine scores lie above each impostor score, and how many of both reach each threshold.
        self._own_above = np.searchsorted(-self._own, -self._others, side="left")
        self._reach = [(np.count_nonzero(self._others >= t), np.count_nonzero(self._own >= t)) for t in thresholds]

    def statistics(self, random: np.random.Generator) -> list[float]:
        """Equal error rate, true match rates, thresholds, then both error rates at each threshold, of one draw."""
        weights = np.zeros(self._subjects)
        present = len(self._present)
        weights[self._present] = random.multinomial(present, np.full(present, 1 / present))
        others, own = self._cumulated(weights)
        false_match, false_non_match = others[:-1], 1 - own[self._own_above]  # just above each impostor score
        nearest = np.argmin(np.abs(false_match - false_non_match))
        result = [(false_match[nearest] + false_non_match[nearest]) / 2]
        first_out = [
            min(int(np.searchsorted(others, rate * (1 + 1e-9), "right")) - 1, len(self._others) - 1) for rate in RATES
        ]
        result += [own[self._own_above[out]] for out in first_out]
        result += [float(np.nextafter(self._others[out], np.inf)) for out in first_out]
        for matched, accepted in self._reach:
            result += [others[matched], 1 - own[accepted]]
        return result

    def _cumulated(self, weights: Floats) -> tuple[Floats, Floats]:
        """The share of the impostor scores' and of the genuine scores' weight in the n highest, n from 0 on."""
        total = float((weights[self._pairs[0]] * weights[self._pairs[1]]) @ self._pair_counts)
        others = np.cumsum(weights[self._others_of[:, 0]] * weights[self._others_of[:, 1]])
        own = np.cumsum(weights[self._own_of])
        whole = float(own[-1])
        # A draw may leave out everyone who has a genuine pair: then there is no error to count.
        shares = others / total if total else others, own / whole if whole else np.ones_like(own)
        return np.concatenate(([0.0], shares[0])), np.concatenate(([0.0], shares[1]))


def _none_seen(rate: Estimate, trials: int) -> Estimate:
    """Where no error was seen no draw can show one: the bound is Clopper and Pearson's for none of so many trials."""
    return rate if rate.value > 0 else Estimate(0.0, 0.0, clopper_pearson(0, trials).high)


def _none_missed(rate: Estimate, trials: int) -> Estimate:
    return rate if rate.value < 1 else Estimate(1.0, clopper_pearson(trials, trials).low, 1.0)
