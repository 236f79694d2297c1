"""Writes the float originals' answers on the check pictures, with which a terminal compares the variants."""

from __future__ import annotations

import json

import numpy as np

from device.evaluation.tune_check import CheckPictures
from device.vision.alignment import aligned_crop
from device.vision.landmarks import LandmarkFinder, region_from_detection
from models.recipes.originals import Originals


def check_json(pictures: CheckPictures, originals: Originals) -> str:
    """Returns check.json: box, landmarks, looks and embedding, rounded far below the tolerances."""
    detection = pictures.detection(originals.detector)
    first = LandmarkFinder(originals.landmarks).find(pictures.portrait, region_from_detection(detection))
    if first is None:
        raise ValueError("the original finds no landmarks in the check picture")
    landmarks, _ = pictures.look(originals.landmarks, first.landmarks)
    _, looks = pictures.look(originals.landmarks, landmarks)
    embedding = originals.embed_crop(aligned_crop(pictures.portrait, landmarks))
    box = detection.box
    document = {
        "box": [round(value, 1) for value in (box.x, box.y, box.width, box.height)],
        "looks": [{name: round(value, 3) for name, value in look.model_dump().items()} for look in looks],
        "embedding": np.round(embedding.astype(float), 4).tolist(),
        "landmarks": np.round(landmarks.astype(float), 1).tolist(),
    }
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
    return "{\n" + lines + "\n}\n"
