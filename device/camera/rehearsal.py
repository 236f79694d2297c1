"""Rehearsal: a person who watches the panel's pins and answers its cues, as a camera on recorded time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from device.camera import CaptureSource
from device.camera.person import Person
from device.panel.prompts import Lights
from device.signals import Frame
from device.wire.plan import Action

REACTION_S = (0.4, 0.9)
_LIT = 0.75  # guidance and outcomes keep the cue lights below this


class CueWatcher:
    """Tells which cue is shown, from nothing but the lights over time."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.lit_at: float | None = None
        self._left = self._right = self._eyes_went_out = False

    def watch(self, at: float, lights: Lights) -> None:
        """Takes the lights at time `at` in seconds; `lit_at` tells since when a cue has been shown."""
        red, _, blue = lights.status
        if not (
            blue >= _LIT and red < blue
        ):  # a cue, and nothing else that lights cue lights, has a bright blue status
            self._forget()
            return
        if self.lit_at is None and max(lights.left, lights.right, lights.eyes) >= _LIT:
            self.lit_at = at
        if self.lit_at is not None:
            self._left = self._left or lights.left >= _LIT
            self._right = self._right or lights.right >= _LIT
            self._eyes_went_out = self._eyes_went_out or lights.eyes < _LIT

    def action(self) -> Action | None:
        """What the cue asks for; a steady and a flashing eye light are told apart 0.35 s after `lit_at`."""
        if self.lit_at is None:
            return None
        if self._left or self._right:
            both = self._left and self._right
            return Action.LOOK_UP if both else Action.TURN_LEFT if self._left else Action.TURN_RIGHT
        return Action.BLINK_TWICE if self._eyes_went_out else Action.BLINK


class RehearsalCamera:
    """Films a person who answers each cue once, a seeded reaction time after its light.

    Time is recorded time: the frames are 1 / fps apart however fast they are read. The same seed and the same lights
    give the same frames.
    """

    def __init__(
        self,
        person: Person,
        watch: Callable[[], Lights],
        *,
        seed: int = 0,
        reaction_s: tuple[float, float] = REACTION_S,
        press_start: Callable[[], None] | None = None,
    ) -> None:
        """Takes who performs, how to see the panel, and the finger that presses START when consent is asked for.

        Args:
            person: who performs.
            watch: returns the lights as they are now; `PinReader.lights`.
            seed: fixes reaction times and the performance.
            reaction_s: least and greatest seconds from a light to its answer.
            press_start: called once for each time the panel asks for consent; None leaves that to somebody else.
        """
        self._person = person
        self._watch = watch
        self._random = np.random.default_rng(seed)
        self._reaction_s = reaction_s
        self._press_start = press_start
        self._performance = person.perform(seed)
        self._cue = CueWatcher()
        self._answer_at: float | None = None
        self._cue_answered = False
        self._press_at: float | None = None
        self._pressed = False
        self._number = 0

    @property
    def source(self) -> CaptureSource:
        """A rehearsal."""
        return CaptureSource.REHEARSAL

    def read(self) -> Frame:
        """Looks at the panel, then returns the next frame; never ends."""
        at = self._number / self._person.fps
        lights = self._watch()
        self._react_to_cue(at, lights)
        self._react_to_consent(at, lights)
        frame = Frame(self._performance.picture(), at, self._number)
        self._number += 1
        return frame

    def close(self) -> None:
        """There is nothing to free."""

    def _react_to_cue(self, at: float, lights: Lights) -> None:
        self._cue.watch(at, lights)
        if self._cue.lit_at is None:
            self._answer_at, self._cue_answered = None, False
            return
        if self._answer_at is None:
            self._answer_at = at + float(self._random.uniform(*self._reaction_s))
        if self._cue_answered or at < self._answer_at or self._performance.busy:
            return
        self._cue_answered = True
        action = self._cue.action()
        if action in self._person.actions:
            self._performance.start(action)

    def _react_to_consent(self, at: float, lights: Lights) -> None:
        red, green, blue = lights.status
        if min(red, green, blue) >= _LIT:  # bright white asks for consent, blinking; nothing else is bright white
            self._press_at = self._press_at or at + float(self._random.uniform(*self._reaction_s))
        elif blue >= _LIT:  # a session runs
            self._press_at, self._pressed = None, False
        if self._press_at is not None and at >= self._press_at and not self._pressed:
            self._pressed = True
            if self._press_start is not None:
                self._press_start()
