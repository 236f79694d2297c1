"""The quality of a captured face, component by component, against measured working points.

A severity is 1 at the working point, where the comparison begins to suffer, and 0 where more of the component does no
more good. docs/quality.md has each component's source and measurement; `python -m benchmarks.quality` prints them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from device.liveness.rules import Rules
from device.signals import View


class Component(StrEnum):
    """A quality component; those of ISO/IEC 29794-5 bear its names."""

    INTER_EYE_DISTANCE = "inter-eye distance"
    HEAD_TOO_SMALL = "head size, least"
    HEAD_TOO_LARGE = "head size, greatest"
    OFF_CENTRE = "position"
    MARGIN = "crop of the face image"
    YAW = "head pose, yaw"
    PITCH = "head pose, pitch"
    ROLL = "head pose, roll"
    EYES_OPEN = "eyes open"
    EYES_VISIBLE = "eyes visible"
    MOUTH_CLOSED = "mouth closed"
    BRIGHTNESS = "luminance mean"
    UNDER_EXPOSURE = "under-exposure"
    OVER_EXPOSURE = "over-exposure"
    DYNAMIC_RANGE = "dynamic range"
    UNIFORMITY = "illumination uniformity"
    SHARPNESS = "sharpness"


@dataclass(frozen=True, slots=True)
class Scale:
    """How a component is judged.

    Attributes:
        value: reads the component off a view.
        working_point: where the comparison begins to suffer, or the challenge does.
        span: from the working point to where more does no more good; negative where less is better.
        loss: comparison score lost for each unit of severity, about the working point; 0 where the challenge alone
            needs the component, or where another one counts the loss already.
    """

    value: Callable[[View], float]
    working_point: Callable[[Rules], float]
    span: float
    loss: float

    def severity(self, view: View, rules: Rules) -> float:
        """0 and more; 1 at the working point."""
        return max(1 + (self.working_point(rules) - self.value(view)) / self.span, 0.0)


SCALES = {
    Component.INTER_EYE_DISTANCE: Scale(lambda v: v.quality.eye_distance, lambda r: r.min_eye_distance, 36, 0.01),
    Component.HEAD_TOO_SMALL: Scale(lambda v: v.width, lambda r: r.min_face_width, 0.1, 0),
    Component.HEAD_TOO_LARGE: Scale(lambda v: v.width, lambda r: r.max_face_width, -0.1, 0),
    Component.OFF_CENTRE: Scale(lambda v: max(map(abs, off_centre(v))), lambda r: r.max_off_centre, -0.1, 0),
    Component.MARGIN: Scale(lambda v: v.quality.margin, lambda r: r.min_margin, 0.1, 0.01),
    Component.YAW: Scale(lambda v: abs(v.yaw), lambda r: r.max_position_yaw, -10, 0.05),
    Component.PITCH: Scale(lambda v: abs(v.pitch), lambda r: r.max_position_pitch, -18, 0.15),
    Component.ROLL: Scale(lambda v: abs(v.roll), lambda r: r.max_position_roll, -15, 0),
    Component.EYES_OPEN: Scale(lambda v: max(v.left_eye, v.right_eye), lambda r: r.min_eye_openness, 0.1, 0.05),
    Component.EYES_VISIBLE: Scale(lambda v: v.quality.eye_visibility, lambda r: r.min_eye_visibility, 0.2, 0.2),
    Component.MOUTH_CLOSED: Scale(lambda v: v.quality.mouth_opening, lambda r: r.max_mouth_opening, -0.17, 0.08),
    Component.BRIGHTNESS: Scale(lambda v: v.quality.brightness, lambda r: r.min_brightness, 0.18, 0),
    Component.UNDER_EXPOSURE: Scale(lambda v: v.quality.under_exposed, lambda r: r.max_under_exposed, -0.27, 0),
    Component.OVER_EXPOSURE: Scale(lambda v: v.quality.over_exposed, lambda r: r.max_over_exposed, -0.35, 0),
    Component.DYNAMIC_RANGE: Scale(lambda v: v.quality.dynamic_range, lambda r: r.min_dynamic_range, 1.3, 0.1),
    Component.UNIFORMITY: Scale(lambda v: v.quality.uniformity, lambda r: r.min_uniformity, 0.5, 0.06),
    Component.SHARPNESS: Scale(lambda v: v.quality.sharpness, lambda r: r.min_sharpness, 0.2, 0.12),
}


def severities(view: View, rules: Rules) -> dict[Component, float]:
    """Returns how bad each component is: 0 and more, 1 at its working point."""
    return {component: scale.severity(view, rules) for component, scale in SCALES.items()}


def quality_score(view: View, rules: Rules) -> float:
    """Returns 1 less the comparison score that this capture is expected to lose; the better the frame, the higher.

    The sum of each component's severity, weighted by its measured loss: it falls, or stays, as any one of them gets
    worse.
    """
    return 1 - sum(scale.loss * scale.severity(view, rules) for scale in SCALES.values() if scale.loss)


def off_centre(view: View) -> tuple[float, float]:
    """How far the face is right and below of the picture's middle, as shares of its width and height."""
    return view.centre_x - 0.5, view.centre_y - 0.5
