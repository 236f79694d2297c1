"""Blinks: a fall of both eyes' openness from the person's own open eyes, timed between frames by interpolation.

The openness of an open eye differs between people by a factor of two, so the level is each person's own and each
eye's own: an upper quartile over the last seconds, learnt only while the eyes are not closed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MEMORY = 90  # samples: three to six seconds at 15 to 30 frames a second
MIN_MEMORY = 5
RELEARN_S = 6.0  # eyes that stay narrow this long are this person's open eyes


@dataclass(frozen=True, slots=True)
class Blink:
    """One closure of both eyes: seconds on the frames' clock, and the least openness relative to the open eye."""

    start: float
    end: float
    depth: float

    @property
    def duration(self) -> float:
        """Seconds between the interpolated crossings."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class EyeTrack:
    """What is known of the eyes so far.

    Attributes:
        left: the last opennesses of the left eye while it was not closed; `right` the same.
        last: (time, relative openness) of the frame before.
        closed_at: when the closure that lasts began.
        begun_in_view: the frame before the closure was seen with open eyes; without it the closure cannot be timed.
        depth: the least relative openness of that closure.
    """

    left: tuple[float, ...] = ()
    right: tuple[float, ...] = ()
    last: tuple[float, float] | None = None
    closed_at: float | None = None
    begun_in_view: bool = False
    depth: float = 1.0

    def relative(self, left: float, right: float) -> float | None:
        """Openness of the more open eye relative to its own open level; None until a few frames were seen."""
        if len(self.left) < MIN_MEMORY:
            return None
        return max(left / _open_level(self.left), right / _open_level(self.right))

    def learn(self, left: float, right: float) -> EyeTrack:
        """Adds a sample of eyes that are not closed."""
        return replace(self, left=(*self.left, left)[-MEMORY:], right=(*self.right, right)[-MEMORY:])


def watch_eyes(
    track: EyeTrack, at: float, left: float, right: float, closed_share: float
) -> tuple[EyeTrack, Blink | None]:
    """Takes one frame's openness of each eye; returns the new track and the closure that ended, if one did."""
    relative = track.relative(left, right)
    if relative is None:
        return track.learn(left, right), None
    if relative < closed_share:
        return _close(track, at, relative, closed_share, (left, right)), None
    blink = None
    if track.closed_at is not None and track.begun_in_view:
        blink = Blink(track.closed_at, _crossing(track.last, (at, relative), closed_share), track.depth)
    opened = replace(track.learn(left, right), last=(at, relative), closed_at=None, begun_in_view=False, depth=1.0)
    return opened, blink


def _close(track: EyeTrack, at: float, relative: float, closed_share: float, openness: tuple[float, float]) -> EyeTrack:
    """The eyes are closed in this frame; who keeps them so for long has narrow eyes."""
    if track.closed_at is None:
        closed_at = _crossing(track.last, (at, relative), closed_share)
        begun_in_view = track.last is not None
        return replace(track, last=(at, relative), closed_at=closed_at, begun_in_view=begun_in_view, depth=relative)
    if at - track.closed_at > RELEARN_S:
        return EyeTrack().learn(*openness)
    return replace(track, last=(at, relative), depth=min(track.depth, relative))


def lose_eyes(track: EyeTrack) -> EyeTrack:
    """The face is gone or turned away: a closure under way cannot be timed; the open level stays known."""
    return replace(track, last=None, closed_at=None, begun_in_view=False, depth=1.0)


def _open_level(memory: tuple[float, ...]) -> float:
    return max(sorted(memory)[(3 * len(memory)) // 4], 1e-6)


def _crossing(before: tuple[float, float] | None, after: tuple[float, float], level: float) -> float:
    """The time at which the line between two samples crosses `level`."""
    if before is None or before[1] == after[1]:
        return after[0]
    share = (level - before[1]) / (after[1] - before[1])
    return before[0] + (after[0] - before[0]) * min(max(share, 0.0), 1.0)
