"""What lies between a scene and the camera: light, noise, distance, glasses, a screen that is filmed again."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.person import Performance, Person
from device.vision.landmarks import LandmarkFinder, region_from_landmarks
from device.vision.reference import PortraitReader
from device.wire.plan import Action

Picture = NDArray[np.uint8]
Lens = Callable[[Picture], Picture]
MakeLens = Callable[[int], Lens]
"""Makes a lens for a session from its seed; a lens may remember the pictures before."""

_GLASSES = (33, 133, 362, 263)
_BEZEL = (22, 22, 24)


class SeenThrough:
    """A person seen through a lens."""

    def __init__(self, person: Person, make_lens: MakeLens) -> None:
        self._person, self._make_lens = person, make_lens

    @property
    def name(self) -> str:
        """Who it is."""
        return self._person.name

    @property
    def actions(self) -> frozenset[Action]:
        """What the person can perform."""
        return self._person.actions

    @property
    def fps(self) -> float:
        """Pictures a second."""
        return self._person.fps

    def perform(self, seed: int) -> Performance:
        """Begins a performance."""
        return _Seen(self._person.perform(seed), self._make_lens(seed))


class _Seen:
    def __init__(self, performance: Performance, lens: Lens) -> None:
        self._performance, self._lens = performance, lens

    @property
    def busy(self) -> bool:
        return self._performance.busy

    def start(self, action: Action) -> None:
        self._performance.start(action)

    def picture(self) -> Picture:
        return self._lens(self._performance.picture())


def light(gain: float, *, tint: tuple[float, float, float] = (1.0, 1.0, 1.0), side: float = 0.0) -> Lens:
    """More or less light, of a colour, and `side` (0..1) less of it at the picture's left."""

    def lens(picture: Picture) -> Picture:
        slope = np.linspace(1.0 - side, 1.0, picture.shape[1], dtype=np.float32)[None, :, None]
        return np.asarray(np.clip(picture * slope * (gain * np.array(tint, np.float32)), 0, 255), np.uint8)

    return lens


def sensor_noise(levels: float, seed: int) -> Lens:
    """Noise of a standard deviation in grey levels, new in each picture."""
    random = np.random.default_rng(seed)

    def lens(picture: Picture) -> Picture:
        noise = random.standard_normal(picture.shape, np.float32) * levels
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    return lens


def further_away(scale: float) -> Lens:
    """The whole picture smaller, its edges going on around it."""

    def lens(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        to = np.array([[scale, 0, width * (1 - scale) / 2], [0, scale, height * (1 - scale) / 2]])
        return np.asarray(cv2.warpAffine(picture, to, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return lens


class Glasses:
    """Draws dark frames with a faint reflection around the eyes that it finds in each picture."""

    def __init__(self, reader: PortraitReader, finder: LandmarkFinder) -> None:
        self._reader, self._finder = reader, finder
        self._before: NDArray[np.float32] | None = None

    def __call__(self, picture: Picture) -> Picture:
        """Returns the picture with glasses; without a face as it is."""
        face = None if self._before is None else self._finder.find(picture, region_from_landmarks(self._before))
        if face is None:
            face = next(iter(self._reader.faces(picture)), None)
        self._before = None if face is None else face.landmarks
        return picture if face is None else _draw_glasses(picture, face.landmarks)


def _draw_glasses(picture: Picture, points: NDArray[np.float32]) -> Picture:
    worn = picture.copy()
    corners = points[list(_GLASSES), :2]
    for first, second in (corners[:2], corners[2:]):
        middle, width = (first + second) / 2, float(np.hypot(*(second - first)))
        tilt = float(np.degrees(np.arctan2(*(second - first)[::-1])))
        at, axes = (round(float(middle[0])), round(float(middle[1]))), (round(width * 0.95), round(width * 0.7))
        shine = picture.copy()
        cv2.ellipse(shine, at, axes, tilt, 200, 250, (235, 240, 245), -1, cv2.LINE_AA)
        worn = np.asarray(cv2.addWeighted(shine, 0.12, worn, 0.88, 0), np.uint8)
        cv2.ellipse(worn, at, axes, tilt, 0, 360, (30, 26, 24), max(2, round(width * 0.07)), cv2.LINE_AA)
    inner = [(round(float(x)), round(float(y))) for x, y in (corners[1], corners[2])]
    cv2.line(worn, inner[0], inner[1], (30, 26, 24), max(2, round(float(np.hypot(*(corners[1] - corners[0]))) * 0.07)))
    return worn


class Screen:
    """A tablet filmed again: its pixels beat with the sensor's, its black is grey, its rim and a reflection show."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._pitch, self._slant = random.uniform(2.05, 2.6), random.uniform(-0.05, 0.05)
        self._glare = random.uniform(0.0, 0.12)
        self._pattern: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def __call__(self, picture: Picture) -> Picture:
        """Returns the screen with the picture on it."""
        height, width = picture.shape[:2]
        grid, reflection = self._patterns(height, width)
        soft = cv2.GaussianBlur(picture, (0, 0), 0.7).astype(np.float32)
        shown = np.clip((18.0 + 0.92 * soft) * grid + reflection, 0, 255).astype(np.uint8)
        rim = round(0.035 * height)
        inside = shown[rim:-rim, rim:-rim]
        return np.asarray(cv2.copyMakeBorder(inside, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=_BEZEL), np.uint8)

    def _patterns(self, height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self._pattern is None or self._pattern[0].shape[:2] != (height, width):
            y, x = np.mgrid[0:height, 0:width].astype(np.float32)
            turn = 2 * np.pi / self._pitch
            beat = np.cos(turn * (x + self._slant * y)) * np.cos(turn * (y - self._slant * x))
            grid = np.float32(1.0) + np.float32(0.05) * beat.astype(np.float32)
            reflection = (255.0 * self._glare * (x / width) ** 2).astype(np.float32)
            self._pattern = grid[..., None], reflection[..., None]
        return self._pattern
