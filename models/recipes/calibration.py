"""Collects aligned faces for the calibration of int8 activations: only value ranges enter the model, no face does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.vision.alignment import aligned_crop
from device.vision.detector import Detector
from device.vision.embedding import normalised
from device.vision.inference import Model, Runtime
from device.vision.landmarks import LandmarkFinder, region_from_detection, region_from_landmarks

_CLIPS = {".mp4", ".gif", ".avi", ".mkv", ".mov"}
_FRAMES_PER_CLIP = 20


def calibration_crops(directory: Path, models: Path) -> NDArray[np.float32]:
    """Returns (N, 112, 112, 3) normalised crops of the surest face in frames spread over each clip in `directory`."""
    detector = Detector(Model((models / "detector.tflite").read_bytes(), Runtime.LITERT))
    finder = LandmarkFinder(Model((models / "landmarks.tflite").read_bytes(), Runtime.LITERT))
    crops = []
    for path in sorted(path for path in directory.iterdir() if path.suffix.lower() in _CLIPS):
        for image in _frames(path):
            detections = detector.search(image)
            face = finder.find(image, region_from_detection(detections[0])) if detections else None
            face = finder.find(image, region_from_landmarks(face.landmarks)) if face else None
            if face:
                crops.append(normalised(aligned_crop(image, face.landmarks)))
    if not crops:
        raise ValueError(f"{directory}: no clip with a face")
    return np.stack(crops)


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    clip = cv2.VideoCapture(str(path))
    count = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = set(np.linspace(0, max(0, count - 1), _FRAMES_PER_CLIP).astype(int).tolist())
    number = 0
    while clip.grab():
        if number in wanted:
            _, frame = clip.retrieve()
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
        number += 1
    clip.release()
