"""A signed challenge as a picture: when each cue was shown, answered and done, and what was measured meanwhile.

Angles and openness only, from the evidence of kind `signals`; nothing here has seen a face, and none can be made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from device.wire.claims import Challenge, StepTiming
from device.wire.evidence import EvidenceSignals

LEFT, RIGHT, LANE, GAP = 46.0, 744.0, 132.0, 40.0
CUES = 46.0
YAW_DEG = 45.0
OPENNESS = 0.5


@dataclass(frozen=True, slots=True)
class Window:
    """A step of the challenge: from its cue to its end."""

    step: StepTiming
    x: float
    width: float
    onset_x: float | None
    label_y: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One diagram: its lines as SVG points, broken where there was no face, and its ticks (y, text)."""

    bottom: float
    lines: tuple[tuple[str, tuple[str, ...]], ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn."""

    height: float
    windows: tuple[Window, ...]
    lanes: tuple[Lane, ...]
    seconds: tuple[tuple[float, str], ...]


def picture(challenge: Challenge, signals: EvidenceSignals | None) -> Picture:
    """Draws a challenge; without signals, the cues alone."""
    known = [step.done_s or step.cue_s + 1 for step in challenge.steps]
    last = max([1.0, *known, *(signals.at_s if signals else ())])
    ends = [step.done_s or last for step in challenge.steps]  # what was never done lasted to the end
    across = (RIGHT - LEFT) / last

    def x(at_s: float) -> float:
        return round(LEFT + at_s * across, 2)

    windows = tuple(
        Window(
            step,
            x(step.cue_s),
            round((end - step.cue_s) * across, 2),
            None if step.onset_s is None else x(step.onset_s),
            16.0 + 16 * (index % 2),  # side by side they would run into each other
        )
        for index, (step, end) in enumerate(zip(challenge.steps, ends, strict=True))
    )
    lanes = _lanes(signals, [x(at_s) for at_s in signals.at_s]) if signals else ()
    bottom = lanes[-1].bottom if lanes else CUES + GAP
    step_s = next(step for step in (1, 2, 5, 10, 60, 600, 3600) if last / step <= 14)
    seconds = tuple((x(at), f"{at:g}") for at in range(0, int(last) + 1, step_s))
    return Picture(bottom + GAP, windows, lanes, seconds)


def _lanes(signals: EvidenceSignals, xs: Sequence[float]) -> tuple[Lane, ...]:
    yaw, eyes = CUES, CUES + LANE + GAP

    def turned(value: float) -> float:
        return yaw + LANE / 2 - _within(value, YAW_DEG) / YAW_DEG * LANE / 2

    def opened(value: float) -> float:
        return eyes + LANE - max(0.0, _within(value, OPENNESS)) / OPENNESS * LANE

    turns = _line(xs, signals.yaw_deg, turned)
    left, right = _line(xs, signals.left_eye, opened), _line(xs, signals.right_eye, opened)
    angles = tuple((turned(angle), f"{angle:g}°") for angle in (-YAW_DEG, -18, 0, 18, YAW_DEG))
    opening = tuple((opened(value), f"{value:g}") for value in (0, 0.25, 0.5))
    return (
        Lane(yaw + LANE, (("yaw", turns),), angles),
        Lane(eyes + LANE, (("left-eye", left), ("right-eye", right)), opening),
    )


def _line(xs: Sequence[float], values: Sequence[float | None], y: Callable[[float], float]) -> tuple[str, ...]:
    """Points for polylines, a new one after each frame without a face."""
    lines: list[list[str]] = [[]]
    for x, value in zip(xs, values, strict=True):
        if value is None:
            lines.append([])
        else:
            lines[-1].append(f"{x:.1f},{y(value):.1f}")
    return tuple(" ".join(line) for line in lines if len(line) > 1)


def _within(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
