"""A recorded person: the segments of a clip, joined at like poses."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import CameraError, RecordingEndedError
from device.camera.joins import morph
from device.camera.recording import RecordingCamera
from device.signals import Frame
from device.wire.plan import Action

MAX_BYTES = 2 << 30
JOIN_REACH = 6  # frames that may pass in the search for a like pose: a fifth of a second
_END_TOLERANCE_S = 0.05
_THUMBNAIL = (24, 24)
_BETWEEN = -1  # the number of a picture that is not in the clip


class Segment(StrEnum):
    """A stretch of a clip; all but `neutral` are named after the action that they show."""

    NEUTRAL = "neutral"
    TURN_LEFT = "turn-left"
    TURN_RIGHT = "turn-right"
    BLINK = "blink"
    LOOK_UP = "look-up"


_SEGMENTS = {
    Action.TURN_LEFT: (Segment.TURN_LEFT,),
    Action.TURN_RIGHT: (Segment.TURN_RIGHT,),
    Action.BLINK: (Segment.BLINK,),
    Action.BLINK_TWICE: (Segment.BLINK, Segment.BLINK),
    Action.LOOK_UP: (Segment.LOOK_UP,),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """A frame of the clip: its number there, its pixels and a small grey copy for the search of joins."""

    number: int
    image: NDArray[np.uint8]
    thumbnail: NDArray[np.float32]


class RecordedPerson:
    """Holds the pictures of the segments in memory; raises CameraError when the clip does not have them."""

    def __init__(
        self,
        path: Path,
        clip: Path,
        segments_s: dict[Segment, tuple[float, float]],
        *,
        mirrored: bool = False,
        and_back: Collection[Segment] = (),
        longest_side: int | None = None,
    ) -> None:
        """Decodes the segments.

        Args:
            path: what to name in errors, beside the clip.
            clip: a video or GIF.
            segments_s: from and to, seconds of the clip.
            mirrored: the clip shows a mirror's picture.
            and_back: segments that are played to their end and then backwards.
            longest_side: pixels to which larger pictures are reduced.
        """
        self._path = path
        self._longest_side = longest_side
        self._clip = clip
        self._segments, self._fps = self._decode(segments_s, mirrored)
        for name in and_back:
            self._segments[name] += self._segments[name][-2::-1]

    @property
    def name(self) -> str:
        """The clip's name."""
        return f"a recording, {self._clip.name}"

    @property
    def actions(self) -> frozenset[Action]:
        """The actions whose segments the clip has."""
        return frozenset(action for action, parts in _SEGMENTS.items() if self._segments.keys() >= set(parts))

    @property
    def fps(self) -> float:
        """The clip's mean frames a second."""
        return self._fps

    def pictures(self, segment: Segment) -> list[NDArray[np.uint8]]:
        """The pictures of one segment, (H, W, 3) RGB."""
        return [picture.image for picture in self._segments[segment]]

    def perform(self, seed: int) -> RecordedPerformance:
        """Begins a performance; `seed` chooses where in the neutral segment."""
        return RecordedPerformance(self._segments, seed)

    def _decode(
        self, segments_s: dict[Segment, tuple[float, float]], mirrored: bool
    ) -> tuple[dict[Segment, list[_Picture]], float]:
        """Reads the clip once, up to the last segment's end; returns the segments and the mean frames a second."""
        segments: dict[Segment, list[_Picture]] = {segment: [] for segment in segments_s}
        last = max(end for _, end in segments_s.values())
        used = 0
        for frame in _frames(self._clip):
            wanted = [name for name, (start, end) in segments_s.items() if start <= frame.taken_at < end]
            if wanted:
                image = _reduce(frame.image, self._longest_side)
                used += image.nbytes
                picture = _take(frame.number, image, mirrored)
            for name in wanted:
                segments[name].append(picture)
            if used > MAX_BYTES:
                raise CameraError(f"{self._path}: the segments need more than 2 GiB of memory: shorten them")
            if frame.taken_at >= last:
                break
        if frame.number < 1:
            raise CameraError(f"{self._clip}: holds one picture only: give a clip")
        self._check(segments, segments_s, frame.taken_at * (frame.number + 1) / frame.number)
        return segments, frame.number / frame.taken_at

    def _check(
        self,
        segments: dict[Segment, list[_Picture]],
        segments_s: dict[Segment, tuple[float, float]],
        length_s: float,
    ) -> None:
        clip = self._clip.name
        for name, (_, end) in segments_s.items():
            if end > length_s + _END_TOLERANCE_S:
                raise CameraError(f"{self._path}: {name} ends at {end:g} s, but {clip} at {length_s:.2f} s: mend it")
            if len(segments[name]) < 2:
                raise CameraError(f"{self._path}: {name} holds fewer than 2 frames of {clip}: make it longer")


def _frames(clip: Path) -> Iterator[Frame]:
    camera = RecordingCamera(clip)
    try:
        while True:
            yield camera.read()
    except RecordingEndedError:
        return
    finally:
        camera.close()


class RecordedPerformance:
    """Plays neutral to and fro; an action's segments are joined where the pictures are most alike."""

    def __init__(self, segments: dict[Segment, list[_Picture]], seed: int) -> None:
        self._segments = segments
        self._neutral = segments[Segment.NEUTRAL]
        self._position = int(np.random.default_rng(seed).integers(len(self._neutral)))
        self._step = 1
        self._queue: deque[_Picture] = deque()
        self._shown = self._neutral[self._position]

    @property
    def busy(self) -> bool:
        """A segment is being played."""
        return bool(self._queue)

    def start(self, action: Action) -> None:
        """Queues the few neutral pictures up to the best join, the segments, and the way back."""
        before = self._coming_neutral()
        for name in _SEGMENTS[action]:
            segment = self._segments[name]
            leave, enter = _closest(before, segment[: _reach(segment)])
            if not self._queue:
                self._queue.extend(before[: leave + 1])
            self._join(self._queue[-1], segment[enter])
            self._queue.extend(segment[enter:])
            before = [self._queue[-1]]
        tail = segment[-_reach(segment) :]
        last, self._position = _closest(tail, self._neutral)
        for _ in tail[last + 1 :]:
            self._queue.pop()
        self._join(self._queue[-1], self._neutral[self._position])
        self._queue.append(self._neutral[self._position])

    def _join(self, before: _Picture, after: _Picture) -> None:
        """Leads from one picture to a later one of another stretch of the clip."""
        if after.number != before.number + 1:
            self._queue.extend(_Picture(_BETWEEN, image, after.thumbnail) for image in morph(before.image, after.image))

    def picture(self) -> NDArray[np.uint8]:
        """Returns the next picture, never the one before."""
        self._shown = self._queue.popleft() if self._queue else self._next_neutral()
        return self._shown.image

    def _next_neutral(self) -> _Picture:
        self._position, self._step = _walk(self._position, self._step, len(self._neutral))
        return self._neutral[self._position]

    def _coming_neutral(self) -> list[_Picture]:
        position, step, coming = self._position, self._step, []
        for _ in range(JOIN_REACH):
            position, step = _walk(position, step, len(self._neutral))
            coming.append(self._neutral[position])
        return coming


def _reach(segment: list[_Picture]) -> int:
    """How many pictures a join may cut off at either end; never so many that the action itself is lost."""
    return max(1, min(JOIN_REACH, len(segment) // 4))


def _walk(position: int, step: int, length: int) -> tuple[int, int]:
    """One step to and fro; turns at the ends."""
    if not 0 <= position + step < length:
        step = -step
    return position + step, step


def _closest(before: list[_Picture], after: list[_Picture]) -> tuple[int, int]:
    """Returns the pair of indices whose pictures are most alike, but not the same frame of the clip."""
    pairs = [
        (float(np.abs(one.thumbnail - other.thumbnail).mean()), i, j)
        for i, one in enumerate(before)
        for j, other in enumerate(after)
        if one.number != other.number
    ]
    _, i, j = min(pairs)
    return i, j


def _reduce(image: NDArray[np.uint8], longest_side: int | None) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if longest_side is None or max(height, width) <= longest_side:
        return image
    scale = longest_side / max(height, width)
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _take(number: int, image: NDArray[np.uint8], mirrored: bool) -> _Picture:
    if mirrored:
        image = np.ascontiguousarray(image[:, ::-1])
    grey = cv2.cvtColor(cv2.resize(image, _THUMBNAIL, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return _Picture(number, image, grey.astype(np.float32))
