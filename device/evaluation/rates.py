"""Error rates of a comparison from its scores, in the terms of ISO/IEC 19795-1. Pure: arrays in, numbers out.

A comparison matches when its score reaches the threshold. Genuine scores compare one person with themselves, impostor
scores two persons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def false_match_rate(impostor: ArrayLike, threshold: float) -> float:
    """The share of impostor scores that match, 0..1; raises ValueError without scores."""
    return float((_scores(impostor) >= threshold).mean())


def true_match_rate(genuine: ArrayLike, threshold: float) -> float:
    """The share of genuine scores that match, 0..1 (1 - false non-match rate); raises ValueError without scores."""
    return float((_scores(genuine) >= threshold).mean())


def threshold_at(impostor: ArrayLike, rate: float) -> float:
    """The lowest threshold whose false match rate is at most `rate` (0..1); raises ValueError without scores.

    With fewer than 1 / rate scores it lies just above the highest one, and says little about the true rate.
    """
    descending = np.sort(_scores(impostor))[::-1]
    allowed = int(np.floor(rate * len(descending) + 1e-9))
    return -np.inf if allowed >= len(descending) else float(np.nextafter(descending[allowed], np.inf))


def true_match_rate_at(genuine: ArrayLike, impostor: ArrayLike, rate: float) -> float:
    """The true match rate (TAR) at the threshold where the false match rate is at most `rate`."""
    return true_match_rate(genuine, threshold_at(impostor, rate))


def equal_error_rate(genuine: ArrayLike, impostor: ArrayLike) -> float:
    """The rate, 0..1, where false matches are as frequent as false non-matches: the mean of both where nearest."""
    own, others = np.sort(_scores(genuine)), np.sort(_scores(impostor))
    thresholds = np.union1d(own, others)
    false_non_matches = np.searchsorted(own, thresholds, side="left") / len(own)
    false_matches = 1 - np.searchsorted(others, thresholds, side="left") / len(others)
    nearest = np.argmin(np.abs(false_non_matches - false_matches))
    return float((false_non_matches[nearest] + false_matches[nearest]) / 2)


def _scores(values: ArrayLike) -> NDArray[np.float64]:
    scores = np.asarray(values, np.float64).ravel()
    if not len(scores) or np.isnan(scores).any():
        raise ValueError("a rate needs at least one score, and none that is not a number")
    return scores
