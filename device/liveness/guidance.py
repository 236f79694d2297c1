"""Guidance: the one thing to change that helps most, worst fault first."""

from __future__ import annotations

from enum import StrEnum

from device.liveness.rules import Rules
from device.signals import Signals, View


class Guidance(StrEnum):
    """One thing for the customer to change; left and right are the customer's own."""

    NO_FACE = "no-face"
    ONE_PERSON_ONLY = "one-person-only"
    CLOSER = "closer"
    BACK = "back"
    MOVE_LEFT = "move-left"
    MOVE_RIGHT = "move-right"
    MOVE_UP = "move-up"
    MOVE_DOWN = "move-down"
    MORE_LIGHT = "more-light"
    LESS_LIGHT = "less-light"
    LOOK_STRAIGHT = "look-straight"
    HOLD_STILL = "hold-still"
    OPEN_EYES = "open-eyes"


def guide(signals: Signals, rules: Rules) -> Guidance | None:
    """Returns what hinders a good view most, or None when the view is good."""
    if signals.view is None:
        return Guidance.NO_FACE
    if signals.faces > 1:
        return Guidance.ONE_PERSON_ONLY
    return _place(signals.view, rules) or _light(signals.view, rules) or _bearing(signals.view, rules)


def _place(view: View, rules: Rules) -> Guidance | None:
    if view.width < rules.min_face_width:
        return Guidance.CLOSER
    if view.width > rules.max_face_width:
        return Guidance.BACK
    # Frames are not mirrored: who stands at the picture's left stands to their own right and must move left.
    if view.centre_x < 0.5 - rules.max_off_centre:
        return Guidance.MOVE_LEFT
    if view.centre_x > 0.5 + rules.max_off_centre:
        return Guidance.MOVE_RIGHT
    if view.centre_y > 0.5 + rules.max_off_centre:
        return Guidance.MOVE_UP
    if view.centre_y < 0.5 - rules.max_off_centre:
        return Guidance.MOVE_DOWN
    return None


def _light(view: View, rules: Rules) -> Guidance | None:
    if view.brightness < rules.min_brightness or view.contrast < rules.min_contrast:
        return Guidance.MORE_LIGHT
    if view.brightness > rules.max_brightness:
        return Guidance.LESS_LIGHT
    return None


def _bearing(view: View, rules: Rules) -> Guidance | None:
    if abs(view.yaw) > rules.max_position_yaw or abs(view.pitch) > rules.max_position_pitch:
        return Guidance.LOOK_STRAIGHT
    if view.sharpness < rules.min_sharpness:
        return Guidance.HOLD_STILL
    return None
