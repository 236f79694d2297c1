"""Guidance: the one thing to change that helps most."""

from __future__ import annotations

from enum import StrEnum

from device.liveness.capture import Component, off_centre, severities
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
    LIGHT_FROM_FRONT = "light-from-front"
    LOOK_STRAIGHT = "look-straight"
    HOLD_STILL = "hold-still"
    OPEN_EYES = "open-eyes"
    UNCOVER_EYES = "uncover-eyes"
    CLOSE_MOUTH = "close-mouth"


FAVOUR = 1.15  # what is told already weighs by so much more: neither noise nor a close rival takes it back
DIM, DAZZLING = 0.35, 0.7  # brightness below and above which a face without contrast has too little, or too much, light
CENTRED = 0.05  # shares of the picture: a face that is cut there is too near rather than off the middle

_HINTS = {
    Component.INTER_EYE_DISTANCE: Guidance.CLOSER,
    Component.HEAD_TOO_SMALL: Guidance.CLOSER,
    Component.HEAD_TOO_LARGE: Guidance.BACK,
    Component.YAW: Guidance.LOOK_STRAIGHT,
    Component.PITCH: Guidance.LOOK_STRAIGHT,
    Component.ROLL: Guidance.LOOK_STRAIGHT,
    Component.EYES_OPEN: Guidance.OPEN_EYES,
    Component.EYES_VISIBLE: Guidance.UNCOVER_EYES,
    Component.MOUTH_CLOSED: Guidance.CLOSE_MOUTH,
    Component.BRIGHTNESS: Guidance.MORE_LIGHT,
    Component.UNDER_EXPOSURE: Guidance.MORE_LIGHT,
    Component.OVER_EXPOSURE: Guidance.LESS_LIGHT,
    Component.UNIFORMITY: Guidance.LIGHT_FROM_FRONT,
    Component.SHARPNESS: Guidance.HOLD_STILL,
}
# What another fault can cause is told last: a turned face is lit unevenly, a dark or distant one is not sharp.
_EFFECTS = frozenset({Guidance.LIGHT_FROM_FRONT, Guidance.UNCOVER_EYES, Guidance.HOLD_STILL})


def guide(signals: Signals, rules: Rules, before: Guidance | None = None, *, blinking: bool = False) -> Guidance | None:
    """Returns what hinders a good view most, or None when the view is good.

    Args:
        signals: one frame's.
        rules: they hold the working points. Faults weigh by how far they lie beyond.
        before: what the frame before was told; favoured, so that a view on a border does not flicker.
        blinking: the eyes are closed, but for no longer than a blink: no fault.
    """
    view = signals.view
    if view is None:
        return Guidance.NO_FACE
    if signals.faces > 1:
        return Guidance.ONE_PERSON_ONLY
    faults: dict[Guidance, float] = {}
    for component, severity in severities(view, rules).items():
        hint = _hint(component, view)
        weight = severity * (FAVOUR if hint is before else 1)
        if weight > 1 and not (blinking and hint is Guidance.OPEN_EYES):
            faults[hint] = max(weight, faults.get(hint, 0.0))
    causes = {hint: weight for hint, weight in faults.items() if hint not in _EFFECTS} or faults
    return max(causes, key=causes.__getitem__, default=None)


def _hint(component: Component, view: View) -> Guidance:
    if component is Component.OFF_CENTRE:
        return _towards_centre(view)
    if component is Component.MARGIN:
        return Guidance.BACK if max(map(abs, off_centre(view))) < CENTRED else _towards_centre(view)
    if component is Component.DYNAMIC_RANGE:
        brightness = view.quality.brightness
        if brightness < DIM:
            return Guidance.MORE_LIGHT
        # Neither dark nor bright and yet without contrast: the light comes from behind.
        return Guidance.LESS_LIGHT if brightness > DAZZLING else Guidance.LIGHT_FROM_FRONT
    return _HINTS[component]


def _towards_centre(view: View) -> Guidance:
    right, below = off_centre(view)
    if abs(right) >= abs(below):
        # Frames are not mirrored: who stands at the picture's left stands to their own right and must move left.
        return Guidance.MOVE_LEFT if right < 0 else Guidance.MOVE_RIGHT
    return Guidance.MOVE_UP if below > 0 else Guidance.MOVE_DOWN
