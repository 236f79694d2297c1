"""`likeness-terminal analyse`: what the terminal's eyes see in a clip, without a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from statistics import median
from typing import Any

from device.camera import Camera, CameraError, RecordingEndedError
from device.liveness.blinks import Blink, EyeTrack, lose_eyes, watch_eyes
from device.liveness.rules import DEFAULT_RULES, Rules
from device.signals import CaptureQuality, Signals, View
from device.vision.following import FaceFollower
from device.wire.plan import Action

# A turn is told from where the camera sees the face, not from the person's neutral: a clip need not have one.
TURN_BEGINS_DEG = 15.0
TURN_ENDS_DEG = 12.0
MIN_PEAK_DEG = 20.0
# Beyond this the far eye is hidden, and a head that moves while the lids close imitates a blink by its blur.
MAX_EYES_YAW_DEG = 40.0
MAX_HEAD_MOTION_DEG = 8.0
SURE_DEPTH = 0.3  # lids that are fully closed are no blur
MIN_CHANGE_DEG = 10.0  # from the clip's median: a camera that stands aside sees no turn
FACES_CONFIRMED = 3  # frames; a count stands for several frames, one stray frame is not a person


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of frames with the head turned to one side; `peak_deg` is positive."""

    direction: Action
    start: float
    end: float
    peak_deg: float

    def change_from(self, usual_yaw: float) -> float:
        """Degrees between the peak and `usual_yaw` (positive to the left)."""
        return abs((self.peak_deg if self.direction is Action.TURN_LEFT else -self.peak_deg) - usual_yaw)


@dataclass(slots=True)
class _Watch:
    """Running state of an analysis."""

    eyes: EyeTrack = field(default_factory=EyeTrack)
    closed_poses: list[tuple[float, float]] = field(default_factory=list)
    turn: Turn | None = None
    blinks: list[Blink] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)


def analyse(
    camera: Camera,
    follower: FaceFollower,
    rules: Rules = DEFAULT_RULES,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Plays `camera` to its end; returns the JSON of the command. Raises CameraError when no frame holds a face."""
    follower.restart()
    watch, seen = _Watch(), list[Signals]()
    while True:
        try:
            frame = camera.read()
        except RecordingEndedError:
            break
        signals, _ = follower.look(frame)
        seen.append(signals)
        _watch_view(watch, signals.at, signals.view, rules)
        progress(len(seen))
    _close(watch, seen[-1].at)
    views = [signals.view for signals in seen if signals.view is not None]
    if not views:
        raise CameraError("no face in any frame: give a clip of a face that looks at the camera")
    span = seen[-1].at - seen[0].at
    usual_yaw = median(view.yaw for view in views)
    return {
        "fps": round((len(seen) - 1) / span, 3) if span > 0 else 0.0,
        "frames": len(seen),
        "frames_with_face": len(views),
        "max_faces": _most_faces(seen),
        "blinks": [{"at_s": round(blink.start, 3), "duration_s": round(blink.duration, 3)} for blink in watch.blinks],
        "turns": [_turn_json(turn) for turn in watch.turns if turn.change_from(usual_yaw) >= MIN_CHANGE_DEG],
        "quality": _quality(views),
    }


def _watch_view(watch: _Watch, at: float, view: View | None, rules: Rules) -> None:
    _watch_turn(watch, at, view)
    if view is None or abs(view.yaw) > MAX_EYES_YAW_DEG:
        watch.eyes = lose_eyes(watch.eyes)
        watch.closed_poses.clear()
        return
    watch.eyes, blink = watch_eyes(watch.eyes, at, view.left_eye, view.right_eye, rules.closed_share)
    watch.closed_poses.append((view.yaw, view.pitch))
    if blink is not None and _counts(blink, watch.closed_poses):
        watch.blinks.append(blink)
    if watch.eyes.closed_at is None:
        watch.closed_poses[:] = watch.closed_poses[-1:]


def _counts(blink: Blink, poses: list[tuple[float, float]]) -> bool:
    """A long closure may move with the head; a short one that does is blur."""
    if blink.depth > DEFAULT_RULES.max_blink_openness:
        return False
    motion = max(max(axis) - min(axis) for axis in zip(*poses, strict=True))
    long_closure = blink.duration > DEFAULT_RULES.max_blink_s
    return long_closure or blink.depth <= SURE_DEPTH or motion <= MAX_HEAD_MOTION_DEG


def _watch_turn(watch: _Watch, at: float, view: View | None) -> None:
    turn = watch.turn
    yaw = view.yaw if view is not None else 0.0
    direction = Action.TURN_LEFT if yaw > 0 else Action.TURN_RIGHT
    if turn is not None and (abs(yaw) < TURN_ENDS_DEG or direction is not turn.direction):
        if turn.peak_deg >= MIN_PEAK_DEG:
            watch.turns.append(turn)
        turn = None
    if turn is not None:
        turn = replace(turn, end=at, peak_deg=max(turn.peak_deg, abs(yaw)))
    elif abs(yaw) >= TURN_BEGINS_DEG:
        turn = Turn(direction, start=at, end=at, peak_deg=abs(yaw))
    watch.turn = turn


def _close(watch: _Watch, at: float) -> None:
    """The clip ends: what lasts until then ends with it."""
    if watch.turn is not None and watch.turn.peak_deg >= MIN_PEAK_DEG:
        watch.turns.append(watch.turn)
    closed_at = watch.eyes.closed_at
    if closed_at is not None and _counts(Blink(closed_at, at, watch.eyes.depth), watch.closed_poses):
        watch.blinks.append(Blink(closed_at, at, watch.eyes.depth))


def _most_faces(seen: list[Signals]) -> int:
    """The greatest number of faces that was there for more than a stray frame."""
    windows = zip(*(seen[offset:] for offset in range(FACES_CONFIRMED)), strict=False)
    confirmed = [min(signals.faces for signals in window) for window in windows]
    return max(confirmed, default=max(signals.faces for signals in seen))


def _turn_json(turn: Turn) -> dict[str, Any]:
    return {
        "direction": turn.direction.value,
        "start_s": round(turn.start, 3),
        "end_s": round(turn.end, 3),
        "peak_deg": round(turn.peak_deg, 1),
    }


def _quality(views: list[View]) -> dict[str, float]:
    """Medians over the frames with a face: the face's width and every component of the capture's quality."""
    measured = {"width": [view.width for view in views]}
    for component in fields(CaptureQuality):
        measured[component.name] = [getattr(view.quality, component.name) for view in views]
    return {name: round(median(values), 3) for name, values in measured.items()}
