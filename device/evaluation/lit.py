"""A simulation of the ring's light in recorded pictures: how a face, a screen or an injected recording would answer.

A recorded picture is taken for what the room's light alone shows. In linear light the ring adds to each point a share
that depends on distance and slant (Lambert: a matt surface beside the lens shines with the cosine), then exposure, the
sensor's noise, white balance and gamma follow. docs/light.md lists what such a model leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from device.vision.chroma import TO_LINEAR
from device.wire.light import DARK, WHITE, Duties

# Twelve lights of 1.29 cd together (WS2812B: 0.405 red, 0.690 green, 0.190 blue) at 0.4 m: 12 * 1.29 / 0.4**2.
RING_LUX = 97.0
FACE_M = 0.4
# A sensor's colours are not the lights': what is left of each after the camera's colour matrix, and what strays.
_STRAY = np.array([[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]], np.float32)
_FULL_WELL, _READ_NOISE = 6000.0, 3.0  # electrons at white in 500 lux, and of noise: a small pixel
_BALANCE_S = 0.6  # an automatic white balance follows in about this time
_LEVELS = 4096
_SCREEN_MIRRORS = 0.02  # of the light that falls on a switched-off screen comes back diffusely
_GLINT = 0.02  # of the face's picture lies in the screen's mirror image of the ring


class Scene(StrEnum):
    """What stands before the camera, or replaces it."""

    LIVE = "live"
    SCREEN = "screen"
    DIM_SCREEN = "dim-screen"
    PRINT = "print"
    CUT_OUT = "cut-out"
    INJECTED = "injected"
    TINTED = "injected-tinted"
    GUESSED = "injected-guessed"


SCREEN_CD = {Scene.SCREEN: 300.0, Scene.DIM_SCREEN: 100.0}
"""Candela per square metre of the screen's white."""


@dataclass(frozen=True, slots=True)
class Room:
    """The light in which a session takes place.

    Attributes:
        ambient_lux: at the face without the ring.
        background_m: metres from the ring to what is behind the face.
        background_share: the light at the background over that at the face.
        latency_frames: frames from a change of the ring to the first picture that shows it.
        locked: exposure and white balance stay as they were before the code began.
    """

    ambient_lux: float = 300.0
    background_m: float = 2.0
    background_share: float = 1.0
    latency_frames: int = 2
    locked: bool = True

    @property
    def strength(self) -> float:
        """The ring's light at full duty over the room's, at the face."""
        return RING_LUX / max(self.ambient_lux, 1.0)

    @property
    def background_reach(self) -> float:
        """The ring's light at the background over that at the face, each relative to the room's light there."""
        return (FACE_M / self.background_m) ** 2 / max(self.background_share, 0.01)


class LitSensor:
    """Shows pixels of any shape (..., 3) as the camera would under the ring; holds the white balance between frames."""

    def __init__(self, room: Room, scene: Scene, seed: int) -> None:
        self._room, self._scene = room, scene
        self._random = np.random.default_rng(seed)
        self._noise = self._random.standard_normal(1 << 20, dtype=np.float32)
        self._balance = np.ones(3, np.float32)
        self._glint = self._random.random() if scene in SCREEN_CD else 0.0

    def expose(
        self, pixels: NDArray[np.uint8], reach: NDArray[np.float32], duties: Duties, frame_s: float
    ) -> NDArray[np.uint8]:
        """Returns the pixels of one frame.

        Args:
            pixels: (..., 3) RGB as recorded.
            reach: (...) the ring's light at each pixel over that at a face straight before it; the background's is
                multiplied by `Room.background_reach` already.
            duties: what the ring showed when the frame was exposed.
            frame_s: seconds since the frame before, for the white balance.
        """
        light = self._add_ring(TO_LINEAR[pixels], reach, duties)
        light = light / (1.0 + (self._room.strength * 0.8 * WHITE[0] if duties != DARK else 0.0))
        light = self._with_noise(light)
        if not self._room.locked:
            light = self._balanced(light, frame_s)
        index = np.clip(light * (_LEVELS - 1) + 0.5, 0, _LEVELS - 1).astype(np.uint16)
        return np.asarray(_TO_SRGB[index], np.uint8)

    def _add_ring(self, light: NDArray[np.float32], reach: NDArray[np.float32], duties: Duties) -> NDArray[np.float32]:
        seen = (_STRAY @ np.array(duties, np.float32)).astype(np.float32)
        scene, strength = self._scene, np.float32(self._room.strength)
        if scene is Scene.INJECTED:
            return light
        if scene in SCREEN_CD:
            return self._before_screen(light, seen)
        if scene in (Scene.PRINT, Scene.TINTED):
            return light * (1 + strength * seen)
        if scene is Scene.CUT_OUT:
            reach = np.where(reach > self._room.background_reach, np.float32(1.0), reach)
        return light * (1 + strength * reach[..., None] * seen)

    def _before_screen(self, light: NDArray[np.float32], seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """The screen shines by itself; room and ring come back from its glass, evenly and as the ring's small image."""
        lux = np.float32(self._room.ambient_lux) + np.float32(RING_LUX) * seen
        shown = light + np.float32(_SCREEN_MIRRORS / np.pi / SCREEN_CD[self._scene]) * lux
        flat = shown.reshape(-1, 3)
        first = int(self._glint * len(flat))
        flat[first : first + int(_GLINT * len(flat))] += 1.0  # brighter than anything: the lights themselves
        return flat.reshape(shown.shape)

    def _with_noise(self, light: NDArray[np.float32]) -> NDArray[np.float32]:
        """Photon and read noise; in little light the gain rises and with it both."""
        electrons = np.float32(_FULL_WELL * min(max(self._room.ambient_lux / 500.0, 0.05), 1.0))
        spread = np.sqrt(np.maximum(light, 0.0) / electrons + (np.float32(_READ_NOISE) / electrons) ** 2)
        first = int(self._random.integers(1 << 16))
        need = light.size
        noise = np.resize(self._noise[first:], need) if need > len(self._noise) - first else self._noise[first:][:need]
        return np.asarray(light + spread * noise.reshape(light.shape), np.float32)

    def _balanced(self, light: NDArray[np.float32], frame_s: float) -> NDArray[np.float32]:
        """Grey world (Buchsbaum, 1980): the mean is drawn to grey, slowly."""
        mean = light.reshape(-1, 3).mean(axis=0)
        wanted = mean[1] / np.maximum(mean, 1e-4)
        self._balance += np.float32(min(frame_s / _BALANCE_S, 1.0)) * (wanted - self._balance)
        return light * self._balance


def _srgb_levels() -> NDArray[np.uint8]:
    light = np.arange(_LEVELS) / (_LEVELS - 1)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(level * 255), np.uint8)


_TO_SRGB = _srgb_levels()
