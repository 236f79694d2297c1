"""Heads from portraits: any picture of a face, taken apart so that it can be printed, bent, warped or animated."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.portrait import GRID, HEIGHT, WIDTH, Portrait, take_apart
from device.signals import Face
from device.vision.reference import PortraitReader

_JAW_TOP = (132, 361)
_FACE = 468  # the landmarks after these are irises
_HAIR_SIDES, _HAIR_TOP, _HAIR_BOTTOM = 0.85, 1.05, 0.95  # of the face's height, from the face's centre
_FACE_HEIGHT = 0.44  # of the picture, as somebody stands before the terminal
_FACE_AT = (0.5, 0.52)
_WALL = (176, 178, 182)


class HeadError(ValueError):
    """A picture holds no face that could be taken apart."""


def frame_head(reader: PortraitReader, picture: NDArray[np.uint8]) -> Portrait:
    """Puts the face of an RGB picture where a customer's would be, and takes the result apart.

    Raises HeadError when no face is found.
    """
    framed = _frame(picture, _widest(reader, picture))
    points = _widest(reader, framed).landmarks
    return take_apart(framed, outline_head(framed, points), points)


def _widest(reader: PortraitReader, picture: NDArray[np.uint8]) -> Face:
    faces = reader.faces(picture)
    if not faces:
        raise HeadError("no face in the picture")
    return max(faces, key=lambda face: face.box.width)


def _frame(picture: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """Returns (HEIGHT, WIDTH, 3) with the face in place; beyond the picture's rim its edge goes on."""
    box = face.box
    scale = _FACE_HEIGHT * HEIGHT / box.height
    x, y = box.x + box.width / 2, box.y + box.height / 2
    to_frame = np.array([[scale, 0.0, _FACE_AT[0] * WIDTH - scale * x], [0.0, scale, _FACE_AT[1] * HEIGHT - scale * y]])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    framed = cv2.warpAffine(picture, to_frame, (WIDTH, HEIGHT), flags=way, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8)


def outline_head(
    picture: NDArray[np.uint8], landmarks: NDArray[np.float32], *, reduce: int = 4, rounds: int = 4
) -> NDArray[np.uint8]:
    """Returns (HEIGHT, WIDTH) uint8, 255 for hair and face by GrabCut (Rother et al., 2004), below the ears the face.

    Args:
        picture: (HEIGHT, WIDTH, 3) RGB.
        landmarks: (478, 3) in pixels.
        reduce: by what the picture is made smaller for GrabCut, which takes seconds of a whole one.
        rounds: GrabCut's.
    """
    size = (WIDTH // reduce, HEIGHT // reduce)
    points = landmarks[:_FACE, :2]
    face = np.asarray(cv2.convexHull(points.astype(np.int32)), np.int32)
    labels = cv2.resize(_guess(points, face), size, interpolation=cv2.INTER_NEAREST)
    bgr = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    cv2.setRNGSeed(1)
    cv2.grabCut(bgr, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    labels = cv2.resize(labels, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
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


def _guess(points: NDArray[np.float32], face: NDArray[np.int32]) -> NDArray[np.uint8]:
    """GrabCut's labels to begin with: the face is sure, the hair likely, the rest around it possible."""
    x, y = points.mean(axis=0).tolist()
    size = float(np.ptp(points[:, 1]))
    labels = np.full((HEIGHT, WIDTH), cv2.GC_BGD, np.uint8)
    around = (round(x - _HAIR_SIDES * size), round(y - _HAIR_TOP * size))
    to = (round(x + _HAIR_SIDES * size), round(y + _HAIR_BOTTOM * size))
    cv2.rectangle(labels, around, to, (int(cv2.GC_PR_BGD),), -1)
    middle, radii = (round(x), round(y - 0.4 * size)), (round(0.68 * size), round(0.6 * size))
    cv2.ellipse(labels, middle, radii, 0, 0, 360, (int(cv2.GC_PR_FGD),), -1)
    cv2.fillConvexPoly(labels, face, (int(cv2.GC_FGD),))
    return labels


def whole_picture(portrait: Portrait) -> NDArray[np.uint8]:
    """Returns the (HEIGHT, WIDTH, 3) RGB picture that the portrait was taken from."""
    share = portrait.head[..., 3:].astype(np.float32) / 255.0
    mixed = portrait.head[..., :3] * share + portrait.background * (1.0 - share)
    return np.asarray(np.where(share > 0, mixed, portrait.background), np.uint8)


def paper(portrait: Portrait, depth: NDArray[np.float32], *, cut_out: bool = False) -> Portrait:
    """Returns the portrait as a sheet of paper before a wall, of the given depth (pixels, on the portrait's grid).

    Args:
        portrait: whose picture is printed.
        depth: (HEIGHT / GRID, WIDTH / GRID) float32 like `Portrait.depth`.
        cut_out: the sheet is cut along the head's outline.
    """
    pixels = portrait.head[..., :3] if cut_out else whole_picture(portrait)
    sheet = np.zeros((HEIGHT, WIDTH), np.uint8)
    sheet[8 : HEIGHT - 8, WIDTH // 6 : WIDTH - WIDTH // 6] = 255
    alpha = portrait.head[..., 3] if cut_out else sheet
    wall = np.full((HEIGHT, WIDTH, 3), _WALL, np.uint8)
    return replace(portrait, head=np.dstack([pixels, alpha]).astype(np.uint8), background=wall, depth=depth)


def grid_of(portrait: Portrait) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns x and y of the depth grid's points, pixels from the axis about which the head turns."""
    columns = np.arange(GRID / 2, WIDTH, GRID, dtype=np.float32) - portrait.axis[0]
    rows = np.arange(GRID / 2, HEIGHT, GRID, dtype=np.float32) - portrait.axis[1]
    x, y = np.meshgrid(columns, rows)
    return x.astype(np.float32), y.astype(np.float32)


def half_face(portrait: Portrait) -> float:
    """Half the width of the face's outline, pixels."""
    return float(np.ptp(portrait.landmarks[:_FACE, 0])) / 2


def flat_depth() -> NDArray[np.float32]:
    """The depth of a flat sheet, on the portrait's grid."""
    return np.zeros((HEIGHT // GRID, WIDTH // GRID), np.float32)
