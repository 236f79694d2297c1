"""Calibration: which way up faces stand in a camera's picture, and to which side its left is. Pure.

    Looking --one face upright in the same rotation, often enough--> Turning --far to one side, and back--> Found
    Looking, Turning --too long--> Failed(what to do)

The person looks at the camera, then turns the head to their own left and back. The models do find faces in pictures
that stand on their head, and take them for upright (docs/calibration.md). The detector's score tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal, TypeAlias

from device.signals import Signals, View

Rotation: TypeAlias = Literal[0, 90, 180, 270]

UPRIGHT_ROLL_DEG = 30.0
FRONTAL_YAW_DEG = 20.0
MIN_LEAD = 0.08  # of the detector's score over any other rotation; docs/calibration.md
SAME_FRAMES = 8  # in a row
LOOK_LIMIT_S = 30.0
TURN_PEAK_DEG = 20.0
FAR_DEG = 12.0
FAR_FRAMES = 5
NEUTRAL_DEG = 8.0
NEUTRAL_FRAMES = 3
TURN_LIMIT_S = 20.0
ADVICE = "look straight at the camera, from as near as a customer, in good light"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is seen of one frame in one rotation; `score` is the detector's, 0..1, 0 without a face."""

    signals: Signals
    score: float


@dataclass(frozen=True, slots=True)
class Looking:
    """Waits for one face that stands upright in one rotation.

    Attributes:
        since: seconds, the first frame's time.
        rotation: degrees, the rotation of the last frames; None when there was none, or more than one.
        views: the face in those frames.
        advice: what keeps it from being found.
    """

    since: float | None = None
    rotation: Rotation | None = None
    views: tuple[View, ...] = ()
    advice: str = ADVICE


@dataclass(frozen=True, slots=True)
class Turning:
    """Waits for a turn of the head and the way back; degrees from the neutral, positive to the picture's right.

    Attributes:
        since: seconds, when the turn was asked for.
        rotation: degrees, as found.
        neutral: yaw of the face that looked at the camera.
        brightness: of that face, 0..1.
        width: of that face, a share of the picture's shorter side.
        far: the turned frames' angles.
        back: frames in a row that look straight ahead again.
    """

    since: float
    rotation: Rotation
    neutral: float
    brightness: float
    width: float
    far: tuple[float, ...] = ()
    back: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of one round: rotation in degrees clockwise, mirrored or not, and the two hints to the site."""

    rotation: Rotation
    mirrored: bool
    brightness: float
    width: float

    def agrees(self, other: Found) -> bool:
        """Whether both rounds say the same of the camera."""
        return (self.rotation, self.mirrored) == (other.rotation, other.mirrored)


@dataclass(frozen=True, slots=True)
class Failed:
    """There was no answer; `advice` says what to do."""

    advice: str


Round = Looking | Turning | Found | Failed


def look(state: Looking, at: float, seen: Mapping[Rotation, Sighting]) -> Looking | Turning | Failed:
    """Takes one frame of time `at`, looked at in each rotation (degrees clockwise)."""
    since = at if state.since is None else state.since
    if at - since > LOOK_LIMIT_S:
        return Failed(f"no answer: {state.advice}; then run again")
    best = stands_upright(seen)
    if best is None:
        several = any(each.signals.faces > 1 for each in seen.values())
        advice = "one person only before the camera" if several else ADVICE
        return replace(state, since=since, rotation=None, views=(), advice=advice)
    rotation, view = best
    views = (*state.views, view) if rotation == state.rotation else (view,)
    if len(views) < SAME_FRAMES:
        return replace(state, since=since, rotation=rotation, views=views)
    return Turning(
        since=at,
        rotation=rotation,
        neutral=median(each.yaw for each in views),
        brightness=median(each.quality.brightness for each in views),
        width=median(each.width for each in views),
    )


def turn(state: Turning, at: float, signals: Signals) -> Turning | Found | Failed:
    """Takes one frame, set upright by the rotation that was found."""
    if at - state.since > TURN_LIMIT_S:
        return Failed(_turn_advice(state))
    view = signals.view
    if view is None or signals.faces != 1 or abs(view.roll) > UPRIGHT_ROLL_DEG:
        return replace(state, back=0)
    angle = view.yaw - state.neutral
    far = (*state.far, angle) if abs(angle) >= FAR_DEG else state.far
    state = replace(state, far=far, back=state.back + 1 if abs(angle) < NEUTRAL_DEG else 0)
    if not far or state.back < NEUTRAL_FRAMES:
        return state
    if min(far) < 0 < max(far):
        return Failed("the head turned to both sides: run again and turn to the left only")
    if max(abs(each) for each in far) < TURN_PEAK_DEG or len(far) < FAR_FRAMES:
        return state
    # In a picture as it should be, the customer's left is at the right.
    return Found(state.rotation, far[0] < 0, state.brightness, state.width)


def stands_upright(seen: Mapping[Rotation, Sighting]) -> tuple[Rotation, View] | None:
    """Returns the one rotation in which a face clearly stands upright and looks at the camera; None without one."""
    faces = {rotation: view for rotation, each in seen.items() if (view := _upright(each.signals)) is not None}
    by_score = sorted(faces, key=lambda rotation: seen[rotation].score, reverse=True)
    if not by_score:
        return None
    best, *others = by_score
    clear = all(seen[best].score - seen[other].score >= MIN_LEAD for other in others)
    return (best, faces[best]) if clear else None


def _upright(signals: Signals) -> View | None:
    view = signals.view
    if view is None or signals.faces != 1:
        return None
    return view if abs(view.roll) <= UPRIGHT_ROLL_DEG and abs(view.yaw) <= FRONTAL_YAW_DEG else None


def _turn_advice(state: Turning) -> str:
    if not state.far:
        return "no turn was seen: run again, and turn the head to the left when asked"
    if max(abs(each) for each in state.far) < TURN_PEAK_DEG:
        return "the turn was too small: run again, and turn the head until the nose points past the shoulder"
    return "the head did not come back: run again, turn to the left, then look at the camera"
