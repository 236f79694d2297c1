"""People who do not act as one person would: swapped, out of order, cut from takes, or following a script."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import CaptureSource
from device.camera.animation import Posture, Renderer
from device.camera.person import Performance, Person
from device.evaluation.redteam.flat import Handling, tilt
from device.liveness.session import Press
from device.panel.gpio import PinReader
from device.signals import Frame
from device.wire.plan import EYE_ACTIONS, Action

Picture = NDArray[np.uint8]
Act = Callable[[int], Performance]
"""Begins a performance from a seed."""

_LIT = 0.75


class Actor:
    """A person whose performance is made by a function."""

    def __init__(self, perform: Act, fps: float, actions: frozenset[Action] = frozenset(Action)) -> None:
        self.name = "an attack"
        self.actions = actions
        self.fps = fps
        self.perform = perform


class Double:
    """Two people before one camera; `shows_second` tells who is seen, from the actions begun and whether one lasts."""

    def __init__(self, first: Performance, second: Performance, shows_second: Callable[[int, bool], bool]) -> None:
        self._both, self._shows_second, self._begun = (first, second), shows_second, 0

    @property
    def _seen(self) -> Performance:
        return self._both[self._shows_second(self._begun, any(one.busy for one in self._both))]

    @property
    def busy(self) -> bool:
        """An action is under way."""
        return self._seen.busy

    def start(self, action: Action) -> None:
        """Begins the action, with whoever is seen while it lasts."""
        self._begun += 1
        self._both[self._shows_second(self._begun, True)].start(action)

    def picture(self) -> Picture:
        """Returns the next picture."""
        return self._seen.picture()


class SwappedInTurn:
    """Draws another head, framed alike, while the first is turned further than `beyond_deg`."""

    def __init__(self, frontal: Renderer, turned: Renderer, beyond_deg: float) -> None:
        self._frontal, self._turned, self._beyond_deg = frontal, turned, beyond_deg

    def render(self, posture: Posture) -> Picture:
        """Returns the picture."""
        shown = self._turned if abs(posture.yaw) > self._beyond_deg else self._frontal
        return shown.render(posture)


class WrongFirst:
    """Answers each cue with another action, and then with the one that was asked for."""

    def __init__(self, performance: Performance) -> None:
        self._performance, self._then = performance, deque[Action]()

    @property
    def busy(self) -> bool:
        """An action is under way, or waits."""
        return self._performance.busy or bool(self._then)

    def start(self, action: Action) -> None:
        """Begins the wrong one."""
        self._then.append(action)
        self._performance.start(wrong_for(action))

    def picture(self) -> Picture:
        """Returns the next picture."""
        if self._then and not self._performance.busy:
            self._performance.start(self._then.popleft())
        return self._performance.picture()


def wrong_for(action: Action) -> Action:
    """The action that is most like the one asked for, and is not it."""
    other = {
        Action.TURN_LEFT: Action.TURN_RIGHT,
        Action.TURN_RIGHT: Action.TURN_LEFT,
        Action.BLINK: Action.BLINK_TWICE,
        Action.BLINK_TWICE: Action.TURN_LEFT,
    }
    return other.get(action, Action.TURN_LEFT)


class Takes:
    """Cuts hard between takes: each action was filmed with the head elsewhere, nearer or in other light."""

    def __init__(self, performance: Performance, random: np.random.Generator, spread: float) -> None:
        """Takes how far apart the takes are: 1 is a tenth of the picture, of the size, and of the light."""
        self._performance, self._random, self._spread = performance, random, spread
        self._take = np.zeros(4)

    @property
    def busy(self) -> bool:
        """An action is under way."""
        return self._performance.busy

    def start(self, action: Action) -> None:
        """Cuts to another take."""
        self._take = self._spread * 0.1 * self._random.choice((-1.0, 1.0), 4) * self._random.uniform(0.6, 1.0, 4)
        self._performance.start(action)

    def picture(self) -> Picture:
        """Returns the next picture; when the action is over, the first take goes on."""
        picture = self._performance.picture()
        if not self._performance.busy:
            return picture
        height, width = picture.shape[:2]
        right, down, nearer, lighter = self._take.tolist()
        scale = 1.0 + nearer
        to = np.array(
            [
                [scale, 0.0, width * ((1 - scale) / 2 + right)],
                [0.0, scale, height * ((1 - scale) / 2 + down)],
            ]
        )
        moved = cv2.warpAffine(picture, to, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.clip(moved.astype(np.float32) * (1.0 + lighter), 0, 255), np.uint8)


class TiltedRecording:
    """A screen that plays a person's blinks, and is tilted where a head would be turned."""

    _ROUND_S = (0.5, 0.35, 0.55)

    def __init__(self, played: Performance, fps: float, peak_deg: float) -> None:
        self._played, self._fps, self._peak_deg = played, fps, peak_deg
        self._angles = deque[float]()

    @property
    def busy(self) -> bool:
        """An action is under way."""
        return self._played.busy or bool(self._angles)

    def start(self, action: Action) -> None:
        """Plays the blinks, or begins to tilt."""
        if action in EYE_ACTIONS:
            self._played.start(action)
            return
        side = 1.0 if action is Action.TURN_LEFT else -1.0
        there, rest, back = (round(part * self._fps) for part in self._ROUND_S)
        shares = [*np.linspace(0, 1, there), *([1.0] * rest), *np.linspace(1, 0, back)]
        self._angles.extend(side * self._peak_deg * float(np.sin(share * np.pi / 2)) for share in shares)

    def picture(self) -> Picture:
        """Returns the next picture."""
        angle = self._angles.popleft() if self._angles else 0.0
        return tilt(self._played.picture(), Posture(yaw=angle), Handling(tilt=1.0))


class ScriptedCamera:
    """Plays a script that was cut beforehand: started when the challenge begins, and deaf to every cue.

    Whoever plays it sees from the dimmed status light that the challenge begins, and presses play.
    """

    source = CaptureSource.RECORDING

    def __init__(self, person: Person, panel: PinReader, script: Sequence[tuple[float, Action]], seed: int) -> None:
        """Takes the script as seconds from the beginning of the challenge, and actions."""
        self._performance, self._fps, self._panel = person.perform(seed), person.fps, panel
        self._script, self._number = deque(script), 0
        self._positioned = False
        self._began: float | None = None
        self._pressed = False

    def read(self) -> Frame:
        """Returns the next frame; never ends."""
        at = self._number / self._fps
        red, _, blue = self._panel.lights().status
        self._press_start(at, min(red, blue))
        is_blue = red < blue / 2
        self._positioned = self._positioned or (is_blue and blue >= _LIT)
        if self._began is None and self._positioned and is_blue and blue < _LIT:
            self._began = at
        due = self._began is not None and bool(self._script) and at - self._began >= self._script[0][0]
        if due and not self._performance.busy:
            self._performance.start(self._script.popleft()[1])
        self._number += 1
        return Frame(self._performance.picture(), at, self._number - 1)

    def _press_start(self, at: float, white: float) -> None:
        if white >= _LIT and at >= 0.4 and not self._pressed:
            self._pressed = True
            self._panel.press(Press.START)

    def close(self) -> None:
        """There is nothing to free."""
