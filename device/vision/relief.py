"""Relief and aspect: does the turned face differ from the frontal one by more than a plane could?

Two views of a plane are related by a homography (Hartley and Zisserman, 2004, section 13.1). A print or a screen that
is turned before the camera therefore leaves no residual beyond the landmarks' noise; a head does.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from device.vision.eyes import eye_distance

# Points that do not move with expression, gaze or lids: face outline, brows, nose, cheeks.
RIGID = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288),
    *(109, 67, 103, 54, 21, 162, 127, 234, 93, 132, 58),
    *(1, 2, 4, 5, 6, 9, 8, 168, 195, 197, 98, 327, 129, 358, 48, 278, 64, 294, 115, 344),
    *(50, 280, 101, 330, 36, 266, 205, 425, 117, 346, 118, 347),
    *(33, 133, 263, 362, 55, 285, 46, 276, 70, 300, 105, 334),
)

LEFT_OUTLINE, RIGHT_OUTLINE = 454, 234
FOREHEAD, NOSE_BASE = 10, 2


def relief(frontal: NDArray[np.float32], turned: NDArray[np.float32]) -> float | None:
    """Returns the root mean square distance of `turned` from the best homography of `frontal`, over the eye distance.

    Both are (478, 3) landmarks in pixels; depth is not used. None when no homography can be fitted.
    """
    source = np.ascontiguousarray(frontal[list(RIGID), :2], dtype=np.float64)
    target = np.ascontiguousarray(turned[list(RIGID), :2], dtype=np.float64)
    homography, _ = cv2.findHomography(source, target, 0)
    scale = eye_distance(turned)
    if homography is None or scale <= 0:
        return None
    mapped = cv2.perspectiveTransform(source[None], homography)[0]
    return float(np.sqrt(((mapped - target) ** 2).sum(axis=1).mean())) / scale


def aspect(landmarks: NDArray[np.float32]) -> float:
    """Returns the width of the face's outline over the distance of forehead and nose base, in the picture's plane.

    The mouth's and chin's motion do not change it. A print that is turned by 40 degrees narrows by about a sixth while
    the landmarks' depth, which the model imagines, still tells of a frontal face.
    """
    width = float(np.hypot(*(landmarks[LEFT_OUTLINE] - landmarks[RIGHT_OUTLINE])[:2]))
    height = float(np.hypot(*(landmarks[FOREHEAD] - landmarks[NOSE_BASE])[:2]))
    return width / height if height > 0 else 0.0
