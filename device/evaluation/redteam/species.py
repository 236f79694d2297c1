"""What a species of the battery is, and the scene that one of its sessions is played in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from device.camera import Camera
from device.camera.animation import Renderer
from device.camera.motion import AnimatedPerson, Manner
from device.camera.person import Person
from device.camera.rehearsal import REACTION_S, RehearsalCamera
from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.gallery import Gallery
from device.evaluation.sessions import MakeCamera
from device.liveness.session import Press
from device.panel.gpio import PinReader
from device.vision.embedding import Embedding
from device.wire.plan import DEFAULT_ACTIONS, Action

FPS = 20.0


class Claim(StrEnum):
    """What the terminal claims of a species."""

    COVERED = "covered"
    """None is to be verified."""
    GUESS = "guess"
    """Verified no more often than the plan is guessed."""
    RESIDUAL = "residual"
    """Not stopped, or not by the camera alone: measured and named."""
    BONA_FIDE = "bona-fide"
    """To be verified."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One session to play."""

    make_camera: MakeCamera
    reference: Embedding
    actions: frozenset[Action] = DEFAULT_ACTIONS
    press_start: bool = False


Stage: TypeAlias = Callable[[Cast, str, np.random.Generator], Scene]
"""Makes a session's scene from who it is about and a generator that fixes all that varies."""


@dataclass(frozen=True, slots=True)
class Species:
    """A presentation attack species, or a kind of bona fide presentation.

    Attributes:
        name: as on the command line.
        what: what is shown to the camera, in a sentence.
        claim: what is claimed of it.
        stage: makes its sessions.
        identities: who it can be played with.
        advice: for a residual, what an outlet should do about it.
    """

    name: str
    what: str
    claim: Claim
    stage: Stage
    identities: Callable[[Gallery], Iterable[str]] = Gallery.stills
    advice: str = ""


def answering(person: Person, reaction_s: tuple[float, float] = REACTION_S) -> MakeCamera:
    """A camera before which the person presses START and answers each cue `reaction_s` seconds after its light."""

    def make(panel: PinReader, seed: int) -> Camera:
        start = lambda: panel.press(Press.START)  # noqa: E731  a finger needs no name
        return RehearsalCamera(person, panel.lights, seed=seed, reaction_s=reaction_s, press_start=start)

    return make


def animated(renderer: Renderer, manner: Manner | None = None) -> AnimatedPerson:
    """Somebody who moves what a renderer draws as the cues ask for."""
    return AnimatedPerson("an attack", renderer, manner or Manner(fps=FPS))
