"""What this machine's models say of the check pictures, as JSON: to be held against another's.

Run by the environment of the Debian package: python3 -I answers.py PICTURES.npz
The pictures are drawn by whoever comes first: OpenCV rounds a drawing otherwise on another processor.
"""

import json
import platform
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from device.evaluation.tune_check import load_check
from device.vision.assembly import load_vision
from device.vision.inference import Model, preferred_runtime
from device.vision.manifest import default_directory


def answers(drawn: Path) -> dict[str, Any]:
    """Detector, landmarks and both variants of the embedding, each asked by itself."""
    folder = default_directory()
    vision, check = load_vision(folder, preferred_runtime()), load_check(folder, folder / "rehearsal")
    if not drawn.exists():
        np.savez(drawn, *check.pictures._postures)
    check.pictures._postures = list(np.load(drawn).values())
    models = vision.models
    # Full int8 rounds in each layer, and otherwise on another processor; the other one reckons in float32.
    files = {"embedding": "sface_int8_weights.tflite", "embedding_int8": "sface_int8.tflite"}
    embeddings = {name: Model((folder / file).read_bytes(), models.runtime) for name, file in files.items()}
    found = check.pictures.detection(models.detector)
    landmarks, looks = check.pictures.look(models.landmarks, check.landmarks)
    return {
        "box": [found.box.x, found.box.y, found.box.width, found.box.height],
        "score": found.score,
        "landmarks": landmarks.ravel().tolist(),
        "looks": [number for look in looks for number in (look.yaw_deg, look.left_eye, look.right_eye)],
        **{name: check.pictures.embedding(model, check.landmarks).tolist() for name, model in embeddings.items()},
        "hashes": dict(models.hashes),
        "machine": f"{platform.machine()}, Python {platform.python_version()}, {models.runtime}, "
        f"NumPy {np.__version__}, OpenCV {cv2.__version__}",
    }


if __name__ == "__main__":
    json.dump(answers(Path(sys.argv[1])), sys.stdout)
