"""Looks at pictures with the float originals and with every variant, and keeps what differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.recording import RecordingCamera
from device.evaluation.analyse import analyse
from device.evaluation.testset import PICTURES, subject_of
from device.evaluation.tune_check import overlap
from device.signals import Face
from device.vision.alignment import aligned_crop
from device.vision.assembly import Vision
from device.vision.detector import Detector
from device.vision.embedding import Embedder
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, eye_distance, openness
from device.vision.inference import Model
from device.vision.landmarks import LandmarkFinder, region_from_landmarks
from device.vision.manifest import Models
from device.vision.pictures import read_picture
from device.vision.pose import PoseSolver
from device.vision.reference import PortraitReader
from models.recipes.calibration import clips_in, frames
from models.recipes.originals import Originals

_LONGEST_CLIP = 400  # frames: a longer one would take most of the time
_SAME_BLINK_S = 0.25
_WARM, _TIMED = 3, 40

Picture = tuple[str, NDArray[np.uint8]]
"""Whose it is, and (H, W, 3) RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class Contenders:
    """The variants of each role by the name of their file, loaded for one runtime."""

    detector: Mapping[str, Model]
    landmarks: Mapping[str, Model]
    embedding: Mapping[str, Model]


@dataclass(slots=True)
class Differences:
    """What one variant of the detector or the landmark model does differently: one number for each face (or eye)."""

    missed: int = 0
    overlap: list[float] = field(default_factory=list)
    distance: list[float] = field(default_factory=list)
    openness: list[float] = field(default_factory=list)
    yaw_deg: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Observed:
    """Everything seen in one set; `vectors` has an embedding of each face by variant, the original's under its name."""

    subjects: list[str] = field(default_factory=list)
    differences: dict[str, Differences] = field(default_factory=dict)
    vectors: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)


class Observer:
    """Finds each face with the originals, then asks every variant about that same face."""

    ORIGINAL = "float original"

    def __init__(self, models: Models, originals: Originals, contenders: Contenders, solver: PoseSolver) -> None:
        self._originals = originals
        self._solver = solver
        # It finds the face that `evaluate` would compare; its own embedding is not used.
        self._reader = PortraitReader(replace(models, detector=originals.detector, landmarks=originals.landmarks))
        self._detector, self._finder = Detector(originals.detector), LandmarkFinder(originals.landmarks)
        self._detectors = {name: Detector(model) for name, model in contenders.detector.items()}
        self._finders = {name: LandmarkFinder(model) for name, model in contenders.landmarks.items()}
        self._embedders = {name: Embedder(model) for name, model in contenders.embedding.items()}

    def observe(self, pictures: Iterable[Picture], *, embed: bool) -> Observed:
        """Looks at the largest central face of each picture; one in which the originals see none is left out."""
        seen = Observed()
        for subject, image in pictures:
            face = self._reader.central_face(image)
            if face is None:
                continue
            seen.subjects.append(subject)
            if embed:
                self._embed(aligned_crop(image, face.landmarks), seen.vectors)
            else:
                self._differ(image, face, seen.differences)
        return seen

    def _differ(self, image: NDArray[np.uint8], face: Face, differences: dict[str, Differences]) -> None:
        found = max(self._detector.search(image), key=lambda each: overlap(each.box, face.box))
        for name, detector in self._detectors.items():
            difference = differences.setdefault(name, Differences())
            shared = max((overlap(each.box, found.box) for each in detector.search(image)), default=0.0)
            difference.missed += shared == 0
            difference.overlap.append(shared)
        region = region_from_landmarks(face.landmarks)
        reference = self._finder.find(image, region)
        for name, finder in self._finders.items():
            difference = differences.setdefault(name, Differences())
            found_by = finder.find(image, region)
            if found_by is None or reference is None:
                difference.missed += 1
                continue
            one, other = found_by.landmarks, reference.landmarks
            apart = np.linalg.norm((one - other)[:, :2], axis=1).mean()
            difference.distance.append(float(apart) / eye_distance(other))
            difference.openness += [abs(openness(one, eye) - openness(other, eye)) for eye in (LEFT_EYE, RIGHT_EYE)]
            difference.yaw_deg.append(abs(self._solver.solve(one).yaw - self._solver.solve(other).yaw))

    def _embed(self, crop: NDArray[np.uint8], vectors: dict[str, list[NDArray[np.float32]]]) -> None:
        vectors.setdefault(self.ORIGINAL, []).append(self._originals.embed_crop(crop))
        for name, embedder in self._embedders.items():
            vectors.setdefault(name, []).append(embedder.embed_crop(crop))


def pictures_in(folder: Path, *, a_subject: int | None = None) -> Iterator[Picture]:
    """The pictures below `folder` in order, at most `a_subject` of each subject; whose they are says their name."""
    taken: dict[str, int] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES):
        subject = subject_of(path.name)
        taken[subject] = taken.get(subject, 0) + 1
        if a_subject is None or taken[subject] <= a_subject:
            yield subject, read_picture(path)


def frames_of(folder: Path, a_clip: int) -> Iterator[Picture]:
    """Frames spread over each clip in `folder`."""
    for path in clips_in(folder):
        for image in frames(path, a_clip):
            yield path.stem, image


def blinks_by_model(models: Models, landmarks: Mapping[str, Model], folder: Path) -> dict[str, list[list[float]]]:
    """For each landmark model and each clip that is not too long, when blinks begin, in seconds."""
    lengths = {path: cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT) for path in clips_in(folder)}
    paths = [path for path, length in lengths.items() if length <= _LONGEST_CLIP]
    found: dict[str, list[list[float]]] = {}
    for name, model in landmarks.items():
        follower = Vision(replace(models, landmarks=model)).follower
        for path in paths:
            camera = RecordingCamera(path)
            blinks = analyse(camera, follower)["blinks"]
            camera.close()
            found.setdefault(name, []).append([blink["at_s"] for blink in blinks])
    return found


def blinks_kept(original: Sequence[Sequence[float]], variant: Sequence[Sequence[float]]) -> tuple[int, int, int]:
    """How many blinks the original sees, how many of them the variant sees too, and how many it sees besides."""
    kept = extra = 0
    for expected, found in zip(original, variant, strict=True):
        left = list(expected)
        for at in found:
            near = [each for each in left if abs(each - at) <= _SAME_BLINK_S]
            if near:
                left.remove(near[0])
                kept += 1
            else:
                extra += 1
    return sum(map(len, original)), kept, extra


def times_ms(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Median processor time of each call in milliseconds; they take turns, so that whatever else runs hits all alike.

    Processor time does not count what other processes take; with one thread it is the time of an idle machine.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(_WARM + _TIMED):
        for name, call in calls.items():
            began = time.process_time()
            call()
            if turn >= _WARM:
                spent[name].append(time.process_time() - began)
    return {name: float(np.median(each)) * 1000 for name, each in spent.items()}
