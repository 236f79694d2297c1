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

from device.camera.portrait import HEIGHT, WIDTH, load_picture
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.landmarks import region_from_detection
from device.vision.manifest import default_directory

HERE = Path(__file__).parent
CROP = np.s_[0:282, 36:412]
_JAW_TOP = (132, 361)
_FACE = 468  # the landmarks after these are irises
_HAIR_SIDES, _HAIR_TOP, _HAIR_BOTTOM = 0.85, 1.05, 0.95  # of the face's height, from the face's centre


def main() -> None:
    """Writes astronaut.png, astronaut_landmarks.csv and astronaut_head.png."""
    source = cv2.imread(sys.argv[1], cv2.IMREAD_COLOR)
    if source is None:
        sys.exit(f"{sys.argv[1]}: not a picture")
    cv2.imwrite(str(HERE / "astronaut.png"), source[CROP], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    picture = load_picture(HERE / "astronaut.png")
    landmarks = _find_landmarks(picture)
    np.savetxt(HERE / "astronaut_landmarks.csv", landmarks / WIDTH, "%.5f", ",")
    cv2.imwrite(str(HERE / "astronaut_head.png"), _outline_head(picture, landmarks))


def _find_landmarks(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    vision = load_vision(default_directory(), preferred_runtime())
    (detection,) = vision.detector.detect(picture)
    face = vision.finder.find(picture, region_from_detection(detection))
    if face is None:
        sys.exit("no face in the picture")
    return face.landmarks


def _outline_head(picture: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Cuts out hair and face by GrabCut (Rother et al., 2004), and below the ears the face alone."""
    points = landmarks[:_FACE, :2]
    face = np.asarray(cv2.convexHull(points.astype(np.int32)), np.int32)
    x, y = points.mean(axis=0).tolist()
    size = float(np.ptp(points[:, 1]))
    labels = np.full((HEIGHT, WIDTH), cv2.GC_BGD, np.uint8)
    around = (round(x - _HAIR_SIDES * size), round(y - _HAIR_TOP * size))
    to = (round(x + _HAIR_SIDES * size), round(y + _HAIR_BOTTOM * size))
    cv2.rectangle(labels, around, to, (int(cv2.GC_PR_BGD),), -1)
    middle, radii = (round(x), round(y - 0.4 * size)), (round(0.68 * size), round(0.6 * size))
    cv2.ellipse(labels, middle, radii, 0, 0, 360, (int(cv2.GC_PR_FGD),), -1)
    cv2.fillConvexPoly(labels, face, (int(cv2.GC_FGD),))
    cv2.setRNGSeed(1)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    cv2.grabCut(bgr, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 8, cv2.GC_INIT_WITH_MASK)
    head = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(head)
    head = np.where(parts == 1 + statistics[1:, cv2.CC_STAT_AREA].argmax(), 255, 0).astype(np.uint8)
    for smoothing in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN):
        head = np.asarray(cv2.morphologyEx(head, smoothing, np.ones((9, 9), np.uint8)), np.uint8)
    jaw = np.zeros_like(head)
    cv2.fillConvexPoly(jaw, face, (255,))
    jaw_top = int(landmarks[list(_JAW_TOP), 1].mean())
    head[jaw_top:] = np.minimum(head, cv2.dilate(jaw, np.ones((5, 5), np.uint8)))[jaw_top:]
    return head


if __name__ == "__main__":
    main()
