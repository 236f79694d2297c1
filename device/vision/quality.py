"""Capture quality of a face: the components of ISO/IEC 29794-5 that cost little, each as its own number.

The definitions follow OFIQ, the standard's reference implementation (BSI, 2024), where it does without a network of its
own; docs/quality.md tells where they differ. Photometry is measured on the face's outline at a fixed size.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Box, CaptureQuality, Face
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, eye_distance

SIDE, COARSE_SIDE = 128, 32
FEATURE_SIGMA = 5.0  # coarse pixels: what is larger is shading
NEARLY_BLACK, BURNT_OUT = 25, 247  # OFIQ's ranges of under- and over-exposure: luma 0..25 and 247..255
CHIN, UPPER_INNER_LIP, LOWER_INNER_LIP = 152, 13, 14
MOUTH_CORNERS = (61, 291)
# MediaPipe's face oval, in order.
OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_OUTLINE = np.array(OUTLINE)
_BETWEEN_EYES = np.array([LEFT_EYE[0], LEFT_EYE[3], RIGHT_EYE[0], RIGHT_EYE[3]])
_LEVELS = np.arange(256.0)
_ZONES = np.array([*_BETWEEN_EYES, *MOUTH_CORNERS])
_SMOOTHING = cv2.getGaussianKernel(2 * round(4 * FEATURE_SIGMA) + 1, FEATURE_SIGMA, cv2.CV_32F)
_CHEEK_SIDE = 0.3  # of the distance of the eyes
_EYE_REACH = 0.45  # of an eye's width, to each side of its centre


def measure_quality(picture: NDArray[np.uint8], face: Face) -> CaptureQuality | None:
    """Returns the quality of `face` in the (H, W) luma of a picture; None when its box is outside of the picture."""
    cut = _inside(face.box, picture)
    if cut is None:
        return None
    left, top, right, bottom = cut
    size = (SIDE, SIDE)
    luma = np.asarray(cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA), np.uint8)
    points = (face.landmarks[:, :2] - (left, top)) * (SIDE / (right - left), SIDE / (bottom - top))
    inside = _outline(points)
    shares = _luma_shares(luma, inside)
    filled = shares[shares > 0]
    uniformity, eye_visibility = _photometry_of_zones(luma, points)
    return CaptureQuality(
        eye_distance=eye_distance(face.landmarks),
        margin=_margin(face.box, picture),
        mouth_opening=mouth_opening(face.landmarks),
        brightness=float(shares @ _LEVELS) / 255.0,
        under_exposed=float(shares[: NEARLY_BLACK + 1].sum()),
        over_exposed=float(shares[BURNT_OUT:].sum()),
        dynamic_range=max(float(-(filled * np.log2(filled)).sum()), 0.0),
        uniformity=uniformity,
        eye_visibility=eye_visibility,
        sharpness=_sharpness(luma, inside),
    )


def mouth_opening(landmarks: NDArray[np.float32]) -> float:
    """Returns the gap of the inner lips over the distance from between the eyes to the chin; (478, 3) landmarks.

    Both are taken in three dimensions, so that a nod changes neither more than the other.
    """
    between_eyes = landmarks[_BETWEEN_EYES].mean(axis=0)
    height = float(np.linalg.norm(landmarks[CHIN] - between_eyes))
    gap = float(np.linalg.norm(landmarks[UPPER_INNER_LIP] - landmarks[LOWER_INNER_LIP]))
    return gap / height if height > 0 else 0.0


def _inside(box: Box, picture: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the part of the box that lies in the picture; None when there is hardly any."""
    height, width = picture.shape
    left, top = max(int(box.x), 0), max(int(box.y), 0)
    right, bottom = min(int(box.x + box.width), width), min(int(box.y + box.height), height)
    return (left, top, right, bottom) if right - left >= 2 and bottom - top >= 2 else None


def _margin(box: Box, picture: NDArray[np.uint8]) -> float:
    height, width = picture.shape
    return min(box.x, box.y, width - box.x - box.width, height - box.y - box.height) / max(box.width, 1e-6)


def _outline(points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(128, 128) mask of the face's outline; all of it where the outline has no area in the picture."""
    inside = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(points[_OUTLINE]).astype(np.int32)), (255,))
    return inside if inside.any() else np.full_like(inside, 255)


def _luma_shares(luma: NDArray[np.uint8], inside: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(256,) shares of the luma levels within the face's outline."""
    counts = cv2.calcHist([luma], [0], inside, [256], [0, 256])[:, 0].astype(np.float64)
    return np.asarray(counts / counts.sum(), np.float64)


def _sharpness(luma: NDArray[np.uint8], inside: NDArray[np.uint8]) -> float:
    """The variance of the luma's second derivative along that one of four directions in which it is least.

    In shares of the variance of features as large as an eye, so that neither little light nor shading is taken for
    blur; at the scale of what is compared, where the sensor's noise is averaged out. Motion blurs a single direction:
    a Laplacian hardly sees it.
    """
    size = (COARSE_SIDE, COARSE_SIDE)
    coarse = cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    face = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA)[1:-1, 1:-1] >= 255, np.uint8)
    features = coarse - cv2.sepFilter2D(coarse, -1, _SMOOTHING, _SMOOTHING)
    spread = _variance(features[1:-1, 1:-1], face) if face.any() else 0.0
    if spread <= 0:
        return 0.0
    across = coarse[1:-1, 2:] - 2 * coarse[1:-1, 1:-1] + coarse[1:-1, :-2]
    down = coarse[2:, 1:-1] - 2 * coarse[1:-1, 1:-1] + coarse[:-2, 1:-1]
    mixed = (coarse[2:, 2:] - coarse[2:, :-2] - coarse[:-2, 2:] + coarse[:-2, :-2]) / 4
    mean = (across + down) / 2
    return min(_variance(each, face) for each in (across, down, mean + mixed, mean - mixed)) / spread


def _variance(values: NDArray[np.float32], where: NDArray[np.uint8]) -> float:
    return float(cv2.meanStdDev(values, mask=where)[1][0, 0]) ** 2


def _photometry_of_zones(luma: NDArray[np.uint8], points: NDArray[np.float32]) -> tuple[float, float]:
    """How alike both cheeks are lit, and how bright the brighter eye is beside them; 1 where a zone is out of sight.

    The cheeks' zones lie below the eyes, half-way to the mouth, as OFIQ has them; an eye's spans nine tenths of it.
    """
    left_outer, left_inner, right_outer, right_inner, *mouth = (complex(x, y) for x, y in points[_ZONES].tolist())
    corners = (left_outer, left_inner), (right_outer, right_inner)
    eyes = [(outer + inner) / 2 for outer, inner in corners]
    down = (sum(mouth) - sum(eyes)) / 4
    half = abs(eyes[0] - eyes[1]) * _CHEEK_SIDE / 2
    cheeks = [_mean_around(luma, eye + down, half) for eye in eyes]
    lids = [
        _mean_around(luma, eye, abs(outer - inner) * _EYE_REACH)
        for eye, (outer, inner) in zip(eyes, corners, strict=True)
    ]
    if None in cheeks or None in lids:
        return 1.0, 1.0
    darker, lighter = sorted(max(cheek or 0.0, 1.0) for cheek in cheeks)
    return darker / lighter, max(lid or 0.0 for lid in lids) / ((darker + lighter) / 2)


def _mean_around(luma: NDArray[np.uint8], centre: complex, half: float) -> float | None:
    """The mean of a square about `centre`, x + iy; None where it lies outside."""
    x, y, half = centre.real, centre.imag, max(half, 1.0)
    left, right, top, bottom = (min(max(round(edge), 0), SIDE) for edge in (x - half, x + half, y - half, y + half))
    return cv2.mean(luma[top:bottom, left:right])[0] if right > left and bottom > top else None
