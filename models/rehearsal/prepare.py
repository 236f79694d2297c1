"""Prepares the bundled portrait: crop, landmarks and the outline of the head.

    python -m models.rehearsal.prepare ASTRONAUT.png

ASTRONAUT.png is `skimage/data/astronaut.png` of scikit-image 0.26. Writes beside this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.portrait import WIDTH, load_picture
from device.evaluation.redteam.heads import outline_head
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.landmarks import region_from_detection
from device.vision.manifest import default_directory

HERE = Path(__file__).parent
CROP = np.s_[0:282, 36:412]


def main() -> None:
    """Writes astronaut.png, astronaut_landmarks.csv and astronaut_head.png."""
    source = cv2.imread(sys.argv[1], cv2.IMREAD_COLOR)
    if source is None:
        sys.exit(f"{sys.argv[1]}: not a picture")
    cv2.imwrite(str(HERE / "astronaut.png"), source[CROP], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    picture = load_picture(HERE / "astronaut.png")
    landmarks = _find_landmarks(picture)
    np.savetxt(HERE / "astronaut_landmarks.csv", landmarks / WIDTH, "%.5f", ",")
    cv2.imwrite(str(HERE / "astronaut_head.png"), outline_head(picture, landmarks, reduce=1, rounds=8))


def _find_landmarks(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    vision = load_vision(default_directory(), preferred_runtime())
    (detection,) = vision.detector.detect(picture)
    face = vision.finder.find(picture, region_from_detection(detection))
    if face is None:
        sys.exit("no face in the picture")
    return face.landmarks


if __name__ == "__main__":
    main()
