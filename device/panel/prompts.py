"""Prompts: what the panel shows and sounds, as a pure function of the scene and its seconds.

Nothing is told by colour alone: each scene has a rhythm, a place and mostly a sound of its own. No light rises more
than three times in a second (WCAG 2.3.1), and none blinks at all where the outlet wants steady light. Only a cue
lights a cue light fully; guidance and outcomes keep them dim. Left and right are the customer's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from device.liveness.guidance import Guidance
from device.panel.patterns import DARK, SILENCE, Melody, Rhythm, gliding, steady
from device.signals import CardFault
from device.wire.plan import Action

Colour: TypeAlias = tuple[float, float, float]
Hint: TypeAlias = Guidance | CardFault
"""The one thing to change, about the face or about the identity document."""

WHITE: Colour = (1.0, 0.9, 0.8)
BLUE: Colour = (0.1, 0.4, 1.0)
GREEN: Colour = (0.0, 1.0, 0.5)
AMBER: Colour = (1.0, 0.55, 0.0)
RED: Colour = (1.0, 0.15, 0.0)

GUIDANCE_HOLD_S = 1.0


class Scene(StrEnum):
    """What the panel tells."""

    IDLE = "idle"
    CONSENT = "consent"
    WITNESS = "witness"
    CARD = "card"
    POSITION = "position"
    OTHER_TASKS = "other-tasks"
    PAUSE = "pause"
    CUE = "cue"
    STEP_DONE = "step-done"
    COMPARING = "comparing"
    VERIFIED = "verified"
    WITNESSED = "witnessed"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    OFFLINE_IDLE = "offline-idle"
    OFFLINE_READY = "offline-ready"
    OFFLINE_SPENT = "offline-spent"
    IDENTIFY = "identify"
    NO_CAMERA = "no-camera"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Lights:
    """The panel at one moment.

    Attributes:
        status: red, green, blue, each 0..1.
        left: the left cue light, 0..1.
        right: the right cue light, 0..1.
        eyes: the eye cue light, 0..1.
        tone_hz: the buzzer's note in hertz, 440..1760; None is silence.
        ring: red, green, blue of the ring around the lens, each 0..1; dark where there is none.
    """

    status: Colour = (0.0, 0.0, 0.0)
    left: float = 0.0
    right: float = 0.0
    eyes: float = 0.0
    tone_hz: float | None = None
    ring: Colour = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Prompt:
    """The lights and the melody of one scene."""

    colour: Colour
    status: Rhythm
    melody: Melody = SILENCE
    left: Rhythm = DARK
    right: Rhythm = DARK
    eyes: Rhythm = DARK

    def at(self, seconds: float, *, glides: bool) -> Lights:
        def level_of(rhythm: Rhythm) -> float:
            return (gliding(rhythm) if glides else rhythm).level(seconds)

        level = level_of(self.status)
        red, green, blue = self.colour
        return Lights(
            status=(red * level, green * level, blue * level),
            left=level_of(self.left),
            right=level_of(self.right),
            eyes=level_of(self.eyes),
            tone_hz=self.melody.tone(seconds),
        )


def _notes(*tones: float, length: float = 0.14, rest: float = 0.06, every_s: float | None = None) -> Melody:
    return Melody(tuple(part for tone in tones for part in ((length, tone), (rest, None))), every_s)


_THREE_FLASHES = ((0.25, 1.0), (0.25, 0.0), (0.25, 1.0), (0.25, 0.0), (0.25, 1.0), (2.75, 0.0))
_CARD_KNOCK = Rhythm(((0.3, 1.0), (0.3, 0.2), (0.3, 1.0), (0.9, 0.2)))
_SCENES = {
    Scene.IDLE: _Prompt(WHITE, Rhythm(((2.0, 0.05), (2.0, 0.35)), smooth=True)),
    Scene.CONSENT: _Prompt(WHITE, Rhythm(((0.7, 1.0), (0.7, 0.0))), _notes(880, 880, every_s=4.2)),
    Scene.WITNESS: _Prompt(WHITE, Rhythm(((1.4, 1.0), (0.4, 0.0))), _notes(880, 740, every_s=5.4), eyes=steady(0.3)),
    Scene.CARD: _Prompt(BLUE, _CARD_KNOCK, _notes(988, 740, every_s=6.0), left=steady(0.3), right=steady(0.3)),
    Scene.POSITION: _Prompt(BLUE, steady()),
    Scene.OTHER_TASKS: _Prompt(
        BLUE,
        steady(),
        _notes(880, 1318, 1760),
        left=Rhythm(((0.3, 0.4), (0.3, 0.0), (0.3, 0.0))),
        eyes=Rhythm(((0.3, 0.0), (0.3, 0.4), (0.3, 0.0))),
        right=Rhythm(((0.3, 0.0), (0.3, 0.0), (0.3, 0.4))),
    ),
    Scene.PAUSE: _Prompt(BLUE, steady(0.3)),
    Scene.CUE: _Prompt(BLUE, steady()),
    Scene.STEP_DONE: _Prompt(
        GREEN, Rhythm(((0.2, 1.0), (0.2, 0.0), (1.0, 0.6)), repeats=False), _notes(1760, length=0.08)
    ),
    Scene.COMPARING: _Prompt(BLUE, Rhythm(((0.6, 0.05), (0.6, 1.0)), smooth=True)),
    Scene.VERIFIED: _Prompt(
        GREEN, steady(), _notes(880, 1108, 1318, 1760), left=steady(0.5), right=steady(0.5), eyes=steady(0.5)
    ),
    Scene.WITNESSED: _Prompt(
        WHITE,
        Rhythm(((1.0, 0.8), (0.3, 0.0), (0.3, 0.8), (0.3, 0.0))),
        _notes(880, 988, 880, length=0.2),
        left=steady(0.3),
        right=steady(0.3),
    ),
    Scene.REJECTED: _Prompt(RED, Rhythm(((1.4, 1.0), (0.4, 0.0))), _notes(659, 466, length=0.45)),
    Scene.INCONCLUSIVE: _Prompt(AMBER, Rhythm(((0.2, 1.0), (1.3, 0.0))), _notes(659, 659, length=0.3)),
    Scene.DECLINED: _Prompt(WHITE, Rhythm(((1.5, 0.6), (1.0, 0.0)), repeats=False), _notes(587, length=0.3)),
    Scene.CANCELLED: _Prompt(
        AMBER, Rhythm(((0.4, 0.6), (0.4, 0.0), (0.4, 0.6), (1.0, 0.0)), repeats=False), _notes(587, 587)
    ),
    Scene.PAUSED: _Prompt(RED, Rhythm(_THREE_FLASHES), _notes(466, 466, 466, every_s=32.0)),
    Scene.OFFLINE_IDLE: _Prompt(WHITE, Rhythm(((0.2, 0.35), (0.3, 0.0), (0.2, 0.35), (3.3, 0.0)))),
    Scene.OFFLINE_READY: _Prompt(WHITE, Rhythm(((0.2, 0.5), (0.3, 0.0), (1.5, 0.35), (1.0, 0.0)))),
    Scene.OFFLINE_SPENT: _Prompt(
        AMBER, Rhythm(((0.2, 0.6), (0.3, 0.0), (0.2, 0.6), (2.3, 0.0))), _notes(466, 587, every_s=32.0)
    ),
    Scene.IDENTIFY: _Prompt(
        WHITE,
        Rhythm(((0.4, 0.7), (0.4, 0.0))),  # bright white asks for consent, and nothing else does
        _notes(880, 1318, 880, every_s=2.0),
        left=Rhythm(((0.4, 0.4), (0.4, 0.0))),
        right=Rhythm(((0.4, 0.0), (0.4, 0.4))),
        eyes=Rhythm(((0.4, 0.4), (0.4, 0.0))),
    ),
    Scene.NO_CAMERA: _Prompt(
        AMBER, steady(0.5), left=Rhythm(((0.8, 0.4), (0.8, 0.0))), right=Rhythm(((0.8, 0.0), (0.8, 0.4)))
    ),
    Scene.FAULT: _Prompt(RED, Rhythm(((0.3, 1.0), (0.3, 0.0))), _notes(466, length=0.6, every_s=30.0)),
}

_DOUBLE_FLASH = Rhythm(((0.17, 1.0), (0.17, 0.0), (0.17, 1.0), (0.75, 0.0)))
_CUES = {
    Action.TURN_LEFT: _Prompt(BLUE, steady(), _notes(1318, 880, every_s=3.0), left=steady()),
    Action.TURN_RIGHT: _Prompt(BLUE, steady(), _notes(880, 1318, every_s=3.0), right=steady()),
    Action.BLINK: _Prompt(BLUE, steady(), _notes(1760, every_s=3.0), eyes=steady()),
    Action.BLINK_TWICE: _Prompt(BLUE, steady(), _notes(1760, 1760, every_s=3.0), eyes=_DOUBLE_FLASH),
    Action.LOOK_UP: _Prompt(BLUE, steady(), _notes(880, 1108, 1318, every_s=3.0), left=steady(), right=steady()),
}

_SLOW_DIM = Rhythm(((0.6, 0.4), (0.6, 0.0)))
_NARROWING = Rhythm(((1.2, 0.4), (0.4, 0.0)))
_GUIDING_TICK = _notes(740, length=0.07, every_s=3.0)
_GUIDING = {
    Guidance.MOVE_LEFT: _Prompt(BLUE, steady(), _GUIDING_TICK, left=_SLOW_DIM),
    Guidance.MOVE_RIGHT: _Prompt(BLUE, steady(), _GUIDING_TICK, right=_SLOW_DIM),
    Guidance.CLOSER: _Prompt(BLUE, steady(), _GUIDING_TICK, left=_SLOW_DIM, right=_SLOW_DIM),
    Guidance.BACK: _Prompt(BLUE, steady(), _GUIDING_TICK, left=_NARROWING, right=_NARROWING),
    Guidance.OPEN_EYES: _Prompt(BLUE, steady(), _GUIDING_TICK, eyes=_SLOW_DIM),
    Guidance.UNCOVER_EYES: _Prompt(BLUE, steady(), _GUIDING_TICK, eyes=_NARROWING),
}
_OTHER_GUIDING = _Prompt(BLUE, steady(), _GUIDING_TICK)
_CARD_GUIDING = {
    CardFault.TOO_SMALL: _Prompt(BLUE, _CARD_KNOCK, _GUIDING_TICK, left=_SLOW_DIM, right=_SLOW_DIM),
    CardFault.GLARE: _Prompt(BLUE, _CARD_KNOCK, _GUIDING_TICK, left=_SLOW_DIM, right=Rhythm(((0.6, 0.0), (0.6, 0.4)))),
    CardFault.BLURRED: _Prompt(BLUE, _CARD_KNOCK, _GUIDING_TICK, left=steady(0.3), right=steady(0.3)),
}


def prompt(
    scene: Scene,
    seconds: float,
    *,
    guidance: Hint | None = None,
    action: Action | None = None,
    glides: bool = False,
) -> Lights:
    """What the panel shows now.

    Args:
        scene: what to tell.
        seconds: since the scene (for a cue, since its light) began, on the session's clock.
        guidance: the one thing to change; shown in the scenes `position` (Guidance) and `card` (CardFault) only.
        action: what the scene `cue` asks for; without it a cue lights no cue light.
        glides: nothing blinks: a light glides where it would jump.
    """
    return _prompt(scene, guidance, action).at(seconds, glides=glides)


def _prompt(scene: Scene, guidance: Hint | None, action: Action | None) -> _Prompt:
    if scene is Scene.CUE and action is not None:
        return _CUES[action]
    if scene is Scene.POSITION and isinstance(guidance, Guidance):
        return _GUIDING.get(guidance, _OTHER_GUIDING)
    if scene is Scene.CARD and isinstance(guidance, CardFault):
        return _CARD_GUIDING.get(guidance, _SCENES[Scene.CARD])
    return _SCENES[scene]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown and since when; carries the panel from one tick to the next.

    Guidance stays for at least GUIDANCE_HOLD_S: on the border between two hints it would flicker otherwise.
    """

    scene: Scene
    since: float
    guidance: Hint | None = None
    guided_since: float = 0.0
    action: Action | None = None
    glides: bool = False

    def then(self, at: float, scene: Scene, *, guidance: Hint | None = None, action: Action | None = None) -> Shown:
        """Returns what to show at time `at` (seconds) when `scene` is to be told now."""
        if (scene, action) != (self.scene, self.action):
            return Shown(scene, at, guidance, at, action, self.glides)
        if guidance is self.guidance or at - self.guided_since < GUIDANCE_HOLD_S:
            return self
        return Shown(scene, self.since, guidance, at, action, self.glides)

    def lights(self, at: float) -> Lights:
        """The panel at time `at`."""
        seconds = at - self.since
        return prompt(self.scene, seconds, guidance=self.guidance, action=self.action, glides=self.glides)
