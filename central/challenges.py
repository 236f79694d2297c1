"""The challenges that central asks for: the standard one, and others for people who cannot do it."""

from __future__ import annotations

from device.wire.plan import DEFAULT_ACTIONS, DEFAULT_STEPS, Action
from device.wire.request import Alternative

CHALLENGES = {
    "standard": Alternative(actions=tuple(sorted(DEFAULT_ACTIONS)), steps=DEFAULT_STEPS),
    "turns": Alternative(actions=(Action.LOOK_UP, Action.TURN_LEFT, Action.TURN_RIGHT), steps=5),
    "left": Alternative(actions=(Action.BLINK, Action.BLINK_TWICE, Action.TURN_LEFT), steps=5),
    "right": Alternative(actions=(Action.BLINK, Action.BLINK_TWICE, Action.TURN_RIGHT), steps=5),
}
"""What people can do who cannot do the standard challenge: without closing their eyes, or turning to one side only.
Each takes as many steps as make it no easier to guess. Without any turn nothing tells a head from a picture."""
