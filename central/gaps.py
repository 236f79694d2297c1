"""Which places of the chains are missing, as results come in any order. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from central.custody import OpenGap


class Gaps:
    """Open gaps, and what became of them since they were loaded."""

    def __init__(self, loaded: Iterable[OpenGap] = ()) -> None:
        self._loaded = {*loaded}
        self._open = {*self._loaded}

    def open(self, gap: OpenGap) -> None:
        """Places were skipped."""
        self._open.add(gap)

    def fill(self, terminal: str, epoch: int, seq: int) -> None:
        """Takes one place out of the gap that it lies in."""
        for gap in [gap for gap in self._open if (gap.terminal, gap.epoch) == (terminal, epoch)]:
            if gap.first <= seq <= gap.last:
                self._open.remove(gap)
                for first, last in ((gap.first, seq - 1), (seq + 1, gap.last)):
                    if first <= last:
                        self._open.add(OpenGap(terminal, epoch, first, last, gap.noticed))

    @property
    def closed(self) -> list[OpenGap]:
        """Loaded gaps that are no more."""
        return [*(self._loaded - self._open)]

    @property
    def opened(self) -> list[OpenGap]:
        """Gaps that were not loaded."""
        return [*(self._open - self._loaded)]
