"""Sway and pace: nobody alive holds quite still, and no camera's clock hurries and lags.

Means over a third of a second take the landmarks' trembling out; what is left of a still picture is next to nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from device.signals import Signals

_MEAN_S = 1 / 3
_MIN_SAMPLES = 3
_PACE_S = 1.0

_Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sway:
    """The face's place, averaged.

    Attributes:
        means: the last means, oldest first, in face sizes.
        since: when the samples of the next mean began.
        samples: those.
        least: the least sway over the whole span so far, in face sizes; None until there was one.
    """

    means: tuple[_Place, ...] = ()
    since: float | None = None
    samples: tuple[_Place, ...] = ()
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for each frame number, over a second at a time.

    Attributes:
        last: the newest frame's number.
        since: (time, number) at which the measure under way began.
        shortest, longest: of the measures so far.
        rising: False when a number did not rise.
    """

    last: int | None = None
    since: tuple[float, int] | None = None
    shortest: float = math.inf
    longest: float = 0.0
    rising: bool = True

    @property
    def ratio(self) -> float:
        """How many times the shortest the longest is; 1 before there are any."""
        return self.longest / self.shortest if 0.0 < self.shortest <= self.longest else 1.0


def watch_sway(sway: Sway, at: float, place: _Place | None, span_s: float) -> Sway:
    """Takes one frame; without a face the watch begins anew."""
    if place is None:
        return Sway(least=sway.least)
    if sway.since is None:
        return replace(sway, since=at, samples=(place,))
    samples = (*sway.samples, place)
    if at - sway.since < _MEAN_S or len(samples) < _MIN_SAMPLES:
        return replace(sway, samples=samples)
    whole = round(span_s / _MEAN_S)
    means = (*sway.means, _mean(samples))[-whole:]
    least = sway.least
    if len(means) == whole:
        least = _extent(means) if least is None else min(least, _extent(means))
    return Sway(means=means, since=at, samples=(), least=least)


def watch_pace(pace: Pace, signals: Signals) -> Pace:
    """Takes one frame's time and number."""
    at, number = signals.at, signals.number
    rising = pace.rising and (pace.last is None or number > pace.last)
    pace = replace(pace, last=number, rising=rising)
    if pace.since is None:
        return replace(pace, since=(at, number))
    began, first = pace.since
    if at - began < _PACE_S or number <= first:
        return pace
    each = (at - began) / (number - first)
    return replace(pace, since=(at, number), shortest=min(pace.shortest, each), longest=max(pace.longest, each))


def _mean(places: tuple[_Place, ...]) -> _Place:
    return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)


def _extent(places: tuple[_Place, ...]) -> float:
    """The diagonal of the rectangle that holds the places."""
    xs, ys = [x for x, _ in places], [y for _, y in places]
    return math.hypot(max(xs) - min(xs), max(ys) - min(ys))
