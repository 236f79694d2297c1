"""Collects aligned faces for the calibration of int8 activations: only value ranges enter the model, no face does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Face
from device.vision.alignment import aligned_crop
from device.vision.detector import Detector
from device.vision.embedding import normalised
from device.vision.inference import Model, Runtime
from device.vision.landmarks import LandmarkFinder, region_from_detection, region_from_landmarks, square_of

_CLIPS = {".mp4", ".gif", ".avi", ".mkv", ".mov"}
_FRAMES_PER_CLIP = 20


def calibration_crops(directory: Path, models: Path) -> NDArray[np.float32]:
    """Returns (N, 112, 112, 3) normalised crops for the embedding."""
    return np.stack([normalised(aligned_crop(image, face.landmarks)) for image, face in _faces(directory, models)])


def calibration_squares(directory: Path, models: Path, every: int) -> NDArray[np.float32]:
    """Returns (N, 256, 256, 3) squares, 0..1, of every n-th face, as the landmark model gets them."""
    chosen = islice(_faces(directory, models), 0, None, every)
    squares = [square_of(image, region_from_landmarks(face.landmarks)) for image, face in chosen]
    return np.stack(squares) / np.float32(255)


def _faces(directory: Path, models: Path) -> Iterator[tuple[NDArray[np.uint8], Face]]:
    """The surest face in frames spread over each clip in `directory`; raises ValueError when there is none."""
    detector = Detector(Model((models / "detector.tflite").read_bytes(), Runtime.LITERT))
    finder = LandmarkFinder(Model((models / "landmarks.tflite").read_bytes(), Runtime.LITERT))
    seen = 0
    for path in clips_in(directory):
        for image in frames(path, _FRAMES_PER_CLIP):
            detections = detector.search(image)
            face = finder.find(image, region_from_detection(detections[0])) if detections else None
            face = finder.find(image, region_from_landmarks(face.landmarks)) if face else None
            if face:
                seen += 1
                yield image, face
    if not seen:
        raise ValueError(f"{directory}: no clip with a face")


def clips_in(directory: Path) -> list[Path]:
    """The clips in `directory`, in order."""
    return sorted(path for path in directory.iterdir() if path.suffix.lower() in _CLIPS)


def frames(path: Path, wanted: int) -> Iterator[NDArray[np.uint8]]:
    """So many frames of a clip, (H, W, 3) RGB, spread over its length."""
    clip = cv2.VideoCapture(str(path))
    count = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
    chosen = set(np.linspace(0, max(0, count - 1), wanted).astype(int).tolist())
    number = 0
    while clip.grab():
        if number in chosen:
            _, frame = clip.retrieve()
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
        number += 1
    clip.release()
