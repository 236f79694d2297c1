"""The check pictures: a public-domain portrait and its animation, and what the float originals answer on them.

Each model is asked by itself: the landmark model gets the original's region, the embedding model the original's crop.
So the deviation of one does not hide in, or add to, that of another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from device.camera.animation import HeadRenderer, Posture
from device.camera.portrait import load_picture, load_portrait
from device.settings import Settings
from device.signals import Box
from device.vision.alignment import aligned_crop
from device.vision.detector import Detection, Detector
from device.vision.embedding import Embedder, similarity
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, eye_distance, openness
from device.vision.inference import Model
from device.vision.landmarks import LandmarkFinder, region_from_landmarks
from device.vision.manifest import Manifest, ModelError, load_canonical_face, load_manifest, read_checked
from device.vision.pose import PoseSolver

POSTURES = (Posture(), Posture(yaw=25.0), Posture(yaw=-25.0), Posture(closure=0.6), Posture(closure=1.0))
_LIKENESS = ("overlap", "similarity")
Number = Annotated[float, Field(allow_inf_nan=False)]


class Look(Settings):
    """Yaw in degrees and openness of both eyes in one of POSTURES."""

    yaw_deg: Number
    left_eye: Number
    right_eye: Number


class Answers(Settings):
    """What models say of the check pictures.

    Attributes:
        box: left, top, width, height of the face in the portrait, pixels.
        landmarks: 478 times x, y, z in the portrait, pixels.
        looks: one for each of POSTURES.
        embedding: 128 numbers, a unit vector.
    """

    box: tuple[Number, Number, Number, Number]
    landmarks: Annotated[tuple[tuple[Number, Number, Number], ...], Field(min_length=478, max_length=478)]
    looks: Annotated[tuple[Look, ...], Field(min_length=len(POSTURES), max_length=len(POSTURES))]
    embedding: Annotated[tuple[Number, ...], Field(min_length=128, max_length=128)]


@dataclass(frozen=True, slots=True)
class Deviation:
    """What differs from the original.

    Attributes:
        measured: value by the name of its limit in manifest.yaml.
        broken: the limits that it does not keep.
        used: the share of the tolerance that the worst value takes, 0..1; infinite when a limit is broken.
    """

    measured: Mapping[str, float]
    broken: tuple[str, ...]
    used: float

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:.3f}" for name, value in self.measured.items())


class CheckPictures:
    """The portrait as it is and in each of POSTURES, (480, 640, 3) RGB."""

    def __init__(self, rehearsal: Path, solver: PoseSolver) -> None:
        """Reads `astronaut` from the folder of the rehearsal; raises CameraError."""
        picture, head, points = (rehearsal / f"astronaut{end}" for end in (".png", "_head.png", "_landmarks.csv"))
        renderer = HeadRenderer(load_portrait(picture, head, points))
        self.portrait = load_picture(picture)
        self._postures = [renderer.render(posture) for posture in POSTURES]
        self.solver = solver

    def detection(self, model: Model) -> Detection:
        """The surest face in the portrait; raises ModelError when there is none."""
        found = Detector(model).search(self.portrait)
        if not found:
            raise ModelError("no face found in the check picture")
        return found[0]

    def look(self, model: Model, start: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[Look, ...]]:
        """(478, 3) landmarks of the portrait and the looks, found where `start` (478, 3) says; raises ModelError."""
        finder, region = LandmarkFinder(model), region_from_landmarks(start)
        faces = [finder.find(picture, region) for picture in (self.portrait, *self._postures)]
        points = [face.landmarks for face in faces if face is not None]
        if len(points) < len(faces):
            raise ModelError("no landmarks found in a check picture")
        return points[0], tuple(self._as_look(each) for each in points[1:])

    def embedding(self, model: Model, landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        """(128,) unit vector of the portrait's crop."""
        return Embedder(model).embed_crop(aligned_crop(self.portrait, landmarks))

    def _as_look(self, landmarks: NDArray[np.float32]) -> Look:
        left, right = openness(landmarks, LEFT_EYE), openness(landmarks, RIGHT_EYE)
        return Look(yaw_deg=self.solver.solve(landmarks).yaw, left_eye=left, right_eye=right)


class Check:
    """Compares models with the original's answers, within the tolerances of the manifest."""

    def __init__(self, pictures: CheckPictures, answers: Answers, manifest: Manifest) -> None:
        self.pictures = pictures
        self.landmarks = np.array(answers.landmarks, np.float32)
        self.answers = answers
        self._manifest = manifest

    def deviation(self, role: str, model: Model) -> Deviation:
        """How far `model` is from the original in `role`: detector, landmarks or embedding."""
        measures: dict[str, Callable[[Model], Deviation]] = {
            "detector": self._detector,
            "landmarks": self._landmarks,
            "embedding": self._embedding,
        }
        try:
            return measures[role](model)
        except (ModelError, ValueError):  # it sees no face, or its answer has no length
            return Deviation({}, ("no face seen",), math.inf)

    def _detector(self, model: Model) -> Deviation:
        shared = overlap(self.pictures.detection(model).box, Box(*self.answers.box))
        return _judged({"overlap": shared}, self._manifest.detector.tolerance.model_dump())

    def _landmarks(self, model: Model) -> Deviation:
        landmarks, looks = self.pictures.look(model, self.landmarks)
        apart = np.linalg.norm((landmarks - self.landmarks)[:, :2], axis=1).mean()
        pairs = list(zip(looks, self.answers.looks, strict=True))
        eyes = [(one.left_eye - other.left_eye, one.right_eye - other.right_eye) for one, other in pairs]
        measured = {
            "distance": float(apart) / eye_distance(self.landmarks),
            "openness": float(np.abs(eyes).mean()),
            "yaw_deg": max(abs(one.yaw_deg - other.yaw_deg) for one, other in pairs),
        }
        return _judged(measured, self._manifest.landmarks.tolerance.model_dump())

    def _embedding(self, model: Model) -> Deviation:
        found = self.pictures.embedding(model, self.landmarks)
        score = similarity(found, np.array(self.answers.embedding, np.float32))
        return _judged({"similarity": score}, self._manifest.embedding.tolerance.model_dump())


def load_check(directory: Path, rehearsal: Path) -> Check:
    """Loads the check pictures and the originals' answers; raises ModelError or CameraError."""
    manifest = load_manifest(directory)
    geometry = manifest.canonical_face
    face = load_canonical_face(directory / geometry.file, geometry.sha256)
    pictures = CheckPictures(rehearsal, PoseSolver(face.vertices, face.weights))
    return Check(pictures, load_answers(directory, manifest), manifest)


def load_answers(directory: Path, manifest: Manifest) -> Answers:
    """Reads the originals' answers; raises ModelError when the file is missing, changed or not what it should be."""
    path = directory / manifest.check.file
    try:
        return TypeAdapter(Answers).validate_json(read_checked(path, manifest.check.sha256))
    except ValidationError:
        raise ModelError(f"{path}: not the answers of the check pictures: reinstall likeness") from None


def _judged(measured: Mapping[str, float], limits: Mapping[str, float]) -> Deviation:
    """Likeness (overlap, similarity) is perfect at 1 with a least value, a difference at 0 with a most.

    NaN keeps no limit.
    """
    used = {
        name: (1 - value) / (1 - limits[name]) if name in _LIKENESS else value / limits[name]
        for name, value in measured.items()
    }
    broken = tuple(name for name, share in used.items() if not share <= 1)
    return Deviation(dict(measured), broken, math.inf if broken else max(used.values()))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (one.area + other.area - shared)
