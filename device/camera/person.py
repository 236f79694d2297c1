"""People for the rehearsal: who performs what the panel asks for, picture by picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from device.camera import CameraError
from device.camera.animation import HeadRenderer
from device.camera.motion import DEFAULT_MANNER, AnimatedPerson, Manner
from device.camera.portrait import load_picture, load_portrait
from device.camera.printed import PrintRenderer
from device.camera.recorded import RecordedPerson, Segment
from device.settings import Settings
from device.wire.plan import Action

Model = TypeVar("Model", bound=Settings)


class Performance(Protocol):
    """One person before the camera, from a seed: the same seed and the same cues give the same pictures."""

    def start(self, action: Action) -> None:
        """Begins the action as soon as the pose allows; to be called when not busy."""

    @property
    def busy(self) -> bool:
        """An action is under way."""

    def picture(self) -> NDArray[np.uint8]:
        """Returns the next picture, (H, W, 3) RGB, 1 / fps seconds after the one before."""


class Person(Protocol):
    """Somebody, or an animation, that can answer the panel's cues."""

    @property
    def name(self) -> str:
        """Who or what it is, in a few words."""

    @property
    def actions(self) -> frozenset[Action]:
        """What the person can perform."""

    @property
    def fps(self) -> float:
        """Pictures a second."""

    def perform(self, seed: int) -> Performance:
        """Begins a performance."""


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _RecordedFile(Settings):
    """A PERSON.json with a clip."""

    clip: str
    mirrored: bool = False
    segments_s: dict[Literal["neutral", "turn-left", "turn-right", "blink", "look-up"], tuple[Seconds, Seconds]]

    @model_validator(mode="after")
    def _usable(self) -> _RecordedFile:
        if "neutral" not in self.segments_s:
            raise ValueError("segments_s has no neutral: add the seconds in which the person looks straight ahead")
        for name, (start, end) in self.segments_s.items():
            if end <= start:
                raise ValueError(f"segments_s.{name}: ends at {end:g} s, not after its start at {start:g} s")
        return self


class _AnimatedFile(Settings):
    """A PERSON.json of the animation; `fps` is what a slow machine can draw and look at."""

    portrait: str
    head: str
    landmarks: str
    fps: Annotated[float, Field(ge=10, le=60)] = DEFAULT_MANNER.fps


class _PrintedFile(Settings):
    """A PERSON.json of a printed photo, held by hand: an attack."""

    printed: str


def load_person(path: Path) -> Person:
    """Loads a PERSON.json: with `clip` a recorded person, with `portrait` the animation, with `printed` a print.

    Raises:
        CameraError: the file, or a file that it names, cannot be used; one line that says what to do.
    """
    document = _read_json(path)
    beside = path.parent
    if "portrait" in document:
        animated = _validate(path, document, _AnimatedFile)
        portrait = load_portrait(beside / animated.portrait, beside / animated.head, beside / animated.landmarks)
        return AnimatedPerson("an animation of a portrait", HeadRenderer(portrait), Manner(fps=animated.fps))
    if "printed" in document:
        picture = load_picture(beside / _validate(path, document, _PrintedFile).printed)
        return AnimatedPerson("a printed photo, tilted by hand", PrintRenderer(picture))
    recorded = _validate(path, document, _RecordedFile)
    segments = {Segment(name): span for name, span in recorded.segments_s.items()}
    return RecordedPerson(path, beside / recorded.clip, segments, mirrored=recorded.mirrored)


def _read_json(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise CameraError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise CameraError(f"{path}: not JSON: {error}") from None
    if not isinstance(document, dict):
        raise CameraError(f"{path}: not a JSON object: begin with {{")
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _validate(path: Path, document: dict[str, object], model: type[Model]) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"] if part != "[key]")
        what = f"{place}: {fault['msg']}" if place else fault["msg"].removeprefix("Value error, ")
        raise CameraError(f"{path}: {what}") from None
