"""Plots as plain geometry: what the templates draw as SVG. Pure; nothing here is text of a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OUTCOMES = ("verified", "witnessed", "rejected", "inconclusive", "declined", "cancelled", "fault", "set-apart")
"""In the order in which they are stacked; any other word is `other`."""
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle in units of the plot; `kind` names its look, one of OUTCOMES or OTHER."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Stacked columns: 100 units high, one unit wide each.

    Attributes:
        top: the count that the full height stands for.
        columns: the counts of each column by kind, for the table beside the plot.
    """

    width: int
    top: int
    bars: tuple[Bar, ...]
    columns: tuple[Mapping[str, int], ...]


def stack(columns: Sequence[Mapping[str, int]], gap: float = 0.16) -> Stack:
    """Stacks the counts of each column by kind."""
    named = [kinds(column) for column in columns]
    top = ceiling(max((sum(column.values()) for column in named), default=0))
    bars = []
    for index, column in enumerate(named):
        y = 100.0
        for kind in (*OUTCOMES, OTHER):
            if count := column.get(kind, 0):
                height = 100 * count / top
                y -= height
                bars.append(Bar(index + gap / 2, y, 1 - gap, height, kind))
    return Stack(len(columns), top, tuple(bars), tuple(named))


def kinds(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts under the words that we know; a word that we do not know is never taken for a good one."""
    known: dict[str, int] = {}
    for word, count in counts.items():
        kind = word if word in OUTCOMES else OTHER
        known[kind] = known.get(kind, 0) + count
    return known


def ceiling(count: int) -> int:
    """The next of 1, 2, 4, 5, 10, 20, 40, 50 and so on: a scale that can be halved."""
    if count <= 1:
        return 2
    power = 10 ** math.floor(math.log10(count))
    return next(int(step * power) for step in (1, 2, 4, 5, 10) if step * power >= count)


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """The value below or at which this share of all lies; None of nothing."""
    total, passed = sum(counts.values()), 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= share * total:
            return value
    return None
