"""How an animated person moves: smooth turns and blinks over a slight sway, and a camera's noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.animation import Posture, Renderer
from device.camera.portrait import HEIGHT, WIDTH
from device.wire.plan import Action

_NOISE_LEVELS = 2.0  # standard deviation, grey levels: a webcam indoors
_NOISE_ROOM = 64
_LID_S = (0.09, 0.05, 0.12)  # closing, closed, opening (Bentivoglio et al., 1997: a blink lasts 0.1 to 0.4 s)
_SECOND_BLINK_S = 0.55


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody moves.

    Attributes:
        fps: pictures a second.
        turn_deg: least and greatest peak of a turn.
        look_up_deg: the same of a look up.
        turn_s: seconds to the far end, there, and back.
    """

    fps: float = 30.0
    turn_deg: tuple[float, float] = (29.0, 33.0)
    look_up_deg: tuple[float, float] = (16.0, 20.0)
    turn_s: tuple[float, float, float] = (0.7, 0.25, 0.8)


DEFAULT_MANNER = Manner()


class AnimatedPerson:
    """What a renderer draws, moved by seeded curves; it performs every action."""

    def __init__(self, name: str, renderer: Renderer, manner: Manner = DEFAULT_MANNER) -> None:
        self._name = name
        self._renderer = renderer
        self._manner = manner

    @property
    def name(self) -> str:
        """What it is."""
        return self._name

    @property
    def actions(self) -> frozenset[Action]:
        """All of them."""
        return frozenset(Action)

    @property
    def fps(self) -> float:
        """Pictures a second."""
        return self._manner.fps

    def perform(self, seed: int) -> AnimatedPerformance:
        """Begins a performance."""
        return AnimatedPerformance(self._renderer, seed, self._manner)


class AnimatedPerformance:
    """Draws one posture after the other."""

    def __init__(self, renderer: Renderer, seed: int, manner: Manner = DEFAULT_MANNER) -> None:
        self._renderer = renderer
        self._manner = manner
        self._random = np.random.default_rng(seed)
        self._sway = _Sway(self._random)
        self._noise = _Noise(self._random)
        self._at = 0.0
        self._action: Action | None = None
        self._began = 0.0
        self._peak_deg = 0.0

    @property
    def busy(self) -> bool:
        """An action is under way."""
        return self._action is not None

    def start(self, action: Action) -> None:
        """Begins the action with the next picture."""
        self._action, self._began = action, self._at
        manner = self._manner
        self._peak_deg = float(
            self._random.uniform(*(manner.look_up_deg if action is Action.LOOK_UP else manner.turn_deg))
        )

    def picture(self) -> NDArray[np.uint8]:
        """Returns the next picture; the noise alone makes each one new."""
        picture = self._noise.add(self._renderer.render(self._posture()))
        self._at += 1.0 / self._manner.fps
        if self._action is not None and self._at - self._began > self._duration(self._action):
            self._action = None
        return picture

    def _posture(self) -> Posture:
        still = self._sway.posture(self._at)
        if self._action is None:
            return still
        seconds = self._at - self._began
        turn, closure = self._peak_deg * _swing(seconds, self._manner.turn_s), _closure(self._action, seconds)
        return Posture(
            yaw=still.yaw + {Action.TURN_LEFT: turn, Action.TURN_RIGHT: -turn}.get(self._action, 0.0),
            pitch=still.pitch + (turn if self._action is Action.LOOK_UP else 0.0),
            closure=closure,
            x=still.x,
            y=still.y,
            roll=still.roll,
        )

    def _duration(self, action: Action) -> float:
        if action is Action.BLINK_TWICE:
            return _SECOND_BLINK_S + sum(_LID_S)
        return sum(_LID_S) if action is Action.BLINK else sum(self._manner.turn_s)


def _closure(action: Action, seconds: float) -> float:
    if action is Action.BLINK_TWICE:
        return max(_swing(seconds, _LID_S), _swing(seconds - _SECOND_BLINK_S, _LID_S))
    return _swing(seconds, _LID_S) if action is Action.BLINK else 0.0


def _swing(seconds: float, parts_s: tuple[float, float, float]) -> float:
    """There and back, 0..1..0: minimum-jerk curves (Flash and Hogan, 1985) around a rest at the far end."""
    there, rest, back = parts_s
    if seconds < there:
        return _minimum_jerk(seconds / there)
    return 1.0 - _minimum_jerk((seconds - there - rest) / back)


def _minimum_jerk(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share**3 * (10.0 - 15.0 * share + 6.0 * share**2)


class _Sway:
    """Nobody holds quite still: each part of the posture is a sum of three slow waves."""

    _AMPLITUDES = (1.0, 0.6, 1.5, 1.0, 0.4)  # yaw, pitch, x, y, roll

    def __init__(self, random: np.random.Generator) -> None:
        self._hertz = random.uniform(0.08, 0.45, (5, 3))
        self._phases = random.uniform(0.0, 2.0 * math.pi, (5, 3))

    def posture(self, at: float) -> Posture:
        waves = np.sin(2.0 * math.pi * self._hertz * at + self._phases).mean(axis=1) * self._AMPLITUDES
        yaw, pitch, x, y, roll = waves.tolist()
        return Posture(yaw=yaw, pitch=pitch, x=x, y=y, roll=roll)


class _Noise:
    """Sensor noise, drawn once and shifted at random for each picture."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        size = (HEIGHT + _NOISE_ROOM, WIDTH + _NOISE_ROOM, 3)
        self._field = np.rint(random.standard_normal(size, np.float32) * _NOISE_LEVELS).astype(np.int16)

    def add(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        top, left = self._random.integers(_NOISE_ROOM, size=2)
        noise = np.ascontiguousarray(self._field[top : top + HEIGHT, left : left + WIDTH])
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)
