"""Puts the loaded models together: one set of eyes for a terminal or an evaluation command."""

from __future__ import annotations

from pathlib import Path

from device.vision.detector import Detector
from device.vision.embedding import Embedder
from device.vision.following import FaceFollower
from device.vision.inference import Runtime
from device.vision.landmarks import LandmarkFinder
from device.vision.manifest import Models, load_manifest, load_models
from device.vision.pose import PoseSolver
from device.vision.tuned import load_tuned


class Vision:
    """Everything that looks at pictures. One thread uses it at a time."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.detector = Detector(models.detector)
        self.finder = LandmarkFinder(models.landmarks)
        self.embedder = Embedder(models.embedding)
        face = models.canonical_face
        self.follower = FaceFollower(self.detector, self.finder, PoseSolver(face.vertices, face.weights))

    def forget(self) -> None:
        """Overwrites what is left of the last pictures in buffers and in the models' own memory."""
        self.follower.restart()
        self.detector.forget()
        self.finder.forget()
        self.embedder.forget()


def load_vision(directory: Path, runtime: Runtime, threads: int = 1) -> Vision:
    """Loads every model of `directory` for `runtime`; raises ModelError with one clear line."""
    return Vision(load_models(directory, runtime, threads))


def load_tuned_vision(directory: Path, tuned_file: Path) -> Vision:
    """Loads the variants of `directory` that `tuned_file` names; raises ModelError with one clear line."""
    tuned = load_tuned(tuned_file, load_manifest(directory))
    return Vision(load_models(directory, tuned.runtime, tuned.threads, tuned.chosen))
