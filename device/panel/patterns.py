"""Rhythms of light and melodies: levels and notes over time, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

GLIDE_S = 0.6  # from one level to the next, where light is to be steady


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A light's level over time.

    Attributes:
        steps: (seconds, level 0..1) in order.
        repeats: begin again after the last step; otherwise the last level stays.
        smooth: glide from each level to the next one rather than jump.
    """

    steps: tuple[tuple[float, float], ...]
    repeats: bool = True
    smooth: bool = False

    def level(self, seconds: float) -> float:
        """The level 0..1, `seconds` after the rhythm began."""
        position = self._position(seconds)
        for index, (length, level) in enumerate(self.steps):
            if position < length:
                following = self._following(index)
                return level + (following - level) * position / length if self.smooth else level
            position -= length
        return self.steps[-1][1]

    def _following(self, index: int) -> float:
        after = index + 1
        if after == len(self.steps):
            after = 0 if self.repeats else index
        return self.steps[after][1]

    def _position(self, seconds: float) -> float:
        period = sum(length for length, _ in self.steps)
        return max(seconds, 0.0) % period if self.repeats else max(seconds, 0.0)


@dataclass(frozen=True, slots=True)
class Melody:
    """Notes that are played once, or again every `every_s` seconds.

    Attributes:
        notes: (seconds, hertz or None for a rest) in order.
        every_s: from one beginning to the next; None plays once.
    """

    notes: tuple[tuple[float, float | None], ...] = ()
    every_s: float | None = None

    def tone(self, seconds: float) -> float | None:
        """The note in hertz, `seconds` after the melody began; None is silence."""
        position = max(seconds, 0.0) % self.every_s if self.every_s else max(seconds, 0.0)
        for length, tone in self.notes:
            if position < length:
                return tone
            position -= length
        return None


SILENCE = Melody()
DARK = Rhythm(((1.0, 0.0),))


@cache
def gliding(rhythm: Rhythm) -> Rhythm:
    """The same levels in the same order without a jump: each is held as long as before, then glides to the next."""
    if rhythm.smooth or len(rhythm.steps) == 1:
        return rhythm
    steps = tuple(part for length, level in rhythm.steps for part in ((length, level), (GLIDE_S, level)))
    return Rhythm(steps, rhythm.repeats, smooth=True)


def steady(level: float = 1.0) -> Rhythm:
    """A light that does not change."""
    return Rhythm(((1.0, level),))
