"""Relief and aspect: does the turned face differ from the frontal one by more than a plane could?

Two views of a plane are related by a homography (Hartley and Zisserman, 2004, section 13.1). In a print or a screen
that is turned before the camera the nose therefore stays in the plane of the cheeks, up to the landmarks' noise.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from device.vision.eyes import eye_distance

# Points that do not move with expression, gaze or lids: face outline, brows, eye corners, cheeks. The nose stands out.
RIGID = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288),
    *(109, 67, 103, 54, 21, 162, 127, 234, 93, 132, 58),
    *(9, 8, 168, 50, 280, 101, 330, 36, 266, 205, 425, 117, 346, 118, 347),
    *(33, 133, 263, 362, 55, 285, 46, 276, 70, 300, 105, 334),
)
NOSE = (1, 2, 4, 5, 195)

LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS = (263, 362), (33, 133)
LEFT_OUTLINE, RIGHT_OUTLINE = 454, 234
FOREHEAD, NOSE_BASE = 10, 2


def relief(frontal: NDArray[np.float32], turned: NDArray[np.float32]) -> float | None:
    """Returns how far the nose leaves the plane of the face in the turn, as a share of the eye distance.

    The homography that leads from the frontal to the turned face is fitted to all that lies about in one plane; the
    nose of a head moves along the line of the eyes beyond where it puts it (plane and parallax; Hartley and Zisserman,
    section 13.3), that of a picture does not. Over all points the residual of a head is half as large, and that of a
    steeply tilted picture, whose narrowed face the landmark model imagines turned, greater.

    Both are (478, 3) landmarks in pixels; depth is not used. None when no homography can be fitted.
    """
    source, target = (np.ascontiguousarray(each[:, :2], dtype=np.float64) for each in (frontal, turned))
    homography, _ = cv2.findHomography(source[list(RIGID)], target[list(RIGID)], 0)
    scale = eye_distance(turned)
    if homography is None or scale <= 0:
        return None
    in_plane = cv2.perspectiveTransform(source[None, list(NOSE)], homography)[0]
    left, right = target[list(LEFT_EYE_CORNERS)].mean(axis=0), target[list(RIGHT_EYE_CORNERS)].mean(axis=0)
    along = (left - right) / max(float(np.hypot(*(left - right))), 1e-6)
    return abs(float((target[list(NOSE)] - in_plane).mean(axis=0) @ along)) / scale


def aspect(landmarks: NDArray[np.float32]) -> float:
    """Returns the width of the face's outline over the distance of forehead and nose base, in the picture's plane.

    The mouth's and chin's motion do not change it. A print that is turned by 40 degrees narrows by about a sixth while
    the landmarks' depth, which the model imagines, still tells of a frontal face.
    """
    width = float(np.hypot(*(landmarks[LEFT_OUTLINE] - landmarks[RIGHT_OUTLINE])[:2]))
    height = float(np.hypot(*(landmarks[FOREHEAD] - landmarks[NOSE_BASE])[:2]))
    return width / height if height > 0 else 0.0
