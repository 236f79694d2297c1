"""A portrait taken apart for the animation: head, background and the depth of the head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import CameraError

WIDTH, HEIGHT = 640, 480
GRID = 4  # pixels of the picture between two points of the depth grid
LANDMARKS = 478
_JAW = (*(132, 58, 172, 136, 150, 149, 176, 148, 152), *(377, 400, 378, 379, 365, 397, 288, 361))
_LEFT_EAR, _RIGHT_EAR = 454, 234
_CHIN = 152
_SHADE = 0.8  # the neck lies in the jaw's shadow
_DEPTH_SCALE = 1.2  # the mesh is flatter than a head: at 1.0 the landmark model sees 0.8 of each turn


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """What the animation needs to know of a picture of a head.

    Attributes:
        head: (HEIGHT, WIDTH, 4) uint8, R G B and how much of the pixel is head, 0..255.
        background: (HEIGHT, WIDTH, 3) uint8, the same picture without its head.
        depth: (HEIGHT / GRID, WIDTH / GRID) float32, pixels in front of the axis about which the head turns.
        axis: (x, y) of that axis, pixels.
        landmarks: (LANDMARKS, 3) float32, pixels; z smaller is nearer.
    """

    head: NDArray[np.uint8]
    background: NDArray[np.uint8]
    depth: NDArray[np.float32]
    axis: tuple[float, float]
    landmarks: NDArray[np.float32]


def load_picture(path: Path) -> NDArray[np.uint8]:
    """Returns a picture as (HEIGHT, WIDTH, 3) RGB; raises CameraError when it is none or has another shape than 4:3."""
    raw = _read(path)
    picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR) if raw else None
    if picture is None:
        raise CameraError(f"{path}: not a picture: give a PNG or JPEG")
    height, width = picture.shape[:2]
    if abs(width * HEIGHT - height * WIDTH) > 2 * WIDTH:
        raise CameraError(f"{path}: {width}x{height} is not 4:3: crop it")
    resized = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LANCZOS4)
    return np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2RGB), np.uint8)


def load_portrait(picture: Path, matte: Path, landmarks: Path) -> Portrait:
    """Takes a picture apart.

    Args:
        picture: the portrait, 4:3.
        matte: a picture of the same shape, white where the head is.
        landmarks: CSV of LANDMARKS lines x,y,z as shares of the picture's width.

    Raises:
        CameraError: a file is missing or is not what it should be.
    """
    pixels, hard = load_picture(picture), load_picture(matte)[..., 0]
    return take_apart(pixels, hard, _load_landmarks(landmarks) * np.float32(WIDTH))


def take_apart(pixels: NDArray[np.uint8], hard: NDArray[np.uint8], points: NDArray[np.float32]) -> Portrait:
    """Takes pixels apart.

    Args:
        pixels: (HEIGHT, WIDTH, 3) RGB.
        hard: (HEIGHT, WIDTH) uint8, 255 where the head is.
        points: (LANDMARKS, 3) in pixels.
    """
    soft = cv2.GaussianBlur(cv2.erode(hard, np.ones((3, 3), np.uint8)), (0, 0), 1.2)
    axis = (float(points[[_LEFT_EAR, _RIGHT_EAR], 0].mean()), float(points[[_LEFT_EAR, _RIGHT_EAR], 1].mean()))
    return Portrait(
        head=np.dstack([pixels, soft]).astype(np.uint8),
        background=_remove_head(pixels, hard, points),
        depth=_depth(points, hard),
        axis=axis,
        landmarks=points,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CameraError(f"{path}: cannot be read: {error.strerror}") from None


def _load_landmarks(path: Path) -> NDArray[np.float32]:
    try:
        rows = [[float(value) for value in line.split(",")] for line in _read(path).decode().splitlines()]
        points = np.array(rows, np.float32)
    except ValueError:
        raise CameraError(f"{path}: not numbers x,y,z: make it with models/rehearsal/prepare.py") from None
    if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
        raise CameraError(f"{path}: not {LANDMARKS} lines x,y,z: make it with models/rehearsal/prepare.py")
    return points


def _remove_head(pixels: NDArray[np.uint8], matte: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Fills what the head hid: smoothly from around it, with a neck behind the jaw."""
    hidden = cv2.dilate(matte, np.ones((13, 13), np.uint8))
    size = (WIDTH // GRID, HEIGHT // GRID)
    small_hidden = (cv2.resize(hidden, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    small = cv2.inpaint(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), small_hidden, 4, cv2.INPAINT_NS)
    filled = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    filled = _paint_neck(filled, pixels, points)
    share = cv2.GaussianBlur(hidden, (0, 0), 2.0).astype(np.float32)[..., None] / 255.0
    return np.clip(pixels + (filled - pixels) * share, 0, 255).astype(np.uint8)


def _paint_neck(
    filled: NDArray[np.float32], pixels: NDArray[np.uint8], points: NDArray[np.float32]
) -> NDArray[np.float32]:
    chin_y, jaw = int(points[_CHIN, 1]), points[list(_JAW)]
    left, right = (int(x) for x in np.percentile(jaw[:, 0], (18, 82)))
    middle = (left + right) // 2
    skin = np.median(pixels[chin_y + 3 : chin_y + 8, middle - 20 : middle + 20], axis=(0, 1)).astype(np.float32)
    neck = np.zeros((HEIGHT, WIDTH), np.float32)
    neck[int(jaw[:, 1].min()) : chin_y + 8, left:right] = 1.0
    share = np.asarray(cv2.GaussianBlur(neck, (0, 0), 5.0), np.float32)[..., None]
    return np.asarray(filled + (skin * np.float32(_SHADE) - filled) * share, np.float32)


def _depth(points: NDArray[np.float32], matte: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Spans a thin plate over the landmarks' depth and the outline of the hair, which lies at the axis."""
    ears = float(points[[_LEFT_EAR, _RIGHT_EAR], 2].mean())
    outlines, _ = cv2.findContours(matte, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)[::12, 0, :].astype(np.float64)
    hair = outline[outline[:, 1] < points[_RIGHT_EAR, 1]]
    centres = np.vstack([points[:468:2, :2], hair])
    values = np.concatenate([_DEPTH_SCALE * (ears - points[:468:2, 2]), np.zeros(len(hair))])
    columns, rows = np.meshgrid(np.arange(GRID / 2, WIDTH, GRID), np.arange(GRID / 2, HEIGHT, GRID))
    grid = np.column_stack([columns.ravel(), rows.ravel()])
    height = _thin_plate(centres / WIDTH, values, grid / WIDTH).reshape(columns.shape)
    near = cv2.dilate(matte, np.ones((41, 41), np.uint8))
    inside = cv2.resize(near, height.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float64) / 255.0
    return np.asarray(cv2.GaussianBlur(np.maximum(height, 0.0) * inside, (0, 0), 1.5), np.float32)


def _thin_plate(
    centres: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Thin-plate spline (Bookstein, 1989), slightly relaxed against the landmarks' noise."""
    affine = np.column_stack([np.ones(len(centres)), centres])
    bending = _bending(centres, centres) + 1e-5 * np.eye(len(centres))
    system = np.block([[bending, affine], [affine.T, np.zeros((3, 3))]])
    solution = np.linalg.solve(system, np.concatenate([values, np.zeros(3)]))
    plane = np.column_stack([np.ones(len(at)), at]) @ solution[-3:]
    return np.asarray(_bending(at, centres) @ solution[:-3] + plane)


def _bending(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    squared = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(squared * np.log(np.maximum(squared, 1e-18)))
