"""Reference portraits as documents carry them, made from full pictures: the chip's small one, and a poor print.

A model of documents, not a document: it ranks matchers and shows how much is lost, and is no measurement of any card.
Every draw comes from a seed and the picture's name, so that the same picture gives the same portrait twice.
"""

from __future__ import annotations

import hashlib
import math
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Box

CHIP_SIZE = (102, 126)  # width and height, px: the picture in a passport's chip can be this small

# The face in a portrait of ISO/IEC 19794-5 proportions (width 7 : height 9): its box takes 1 / 1.6 of the height.
_HEIGHT_IN_FACES = 1.6
_FACE_CENTRE = 0.55
_PRINT_SIZE = (280, 360)  # px: 24 x 30 mm, the portrait of a card, at 300 dots per inch
_CHIP_JPEG_QUALITY = 80

Image = NDArray[np.uint8]
Layer = NDArray[np.float32]


class ReferenceKind(StrEnum):
    """What becomes of the picture that serves as reference before it is compared."""

    FULL = "full"
    CHIP = "chip"
    PRINTED = "printed"


def as_reference(kind: ReferenceKind, image: Image, face: Box, name: str, seed: int) -> Image:
    """Returns the (H, W, 3) RGB picture with a face in the box `face` as this kind of reference portrait."""
    if kind is ReferenceKind.FULL:
        return image
    if kind is ReferenceKind.CHIP:
        return through_jpeg(cut_portrait(image, face, CHIP_SIZE), _CHIP_JPEG_QUALITY)
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return printed(cut_portrait(image, face, _PRINT_SIZE), np.random.default_rng(int.from_bytes(digest[:8], "big")))


def cut_portrait(image: Image, face: Box, size: tuple[int, int]) -> Image:
    """Returns the (height, width, 3) portrait of `size` (width, height) around a face, the edge drawn on."""
    scale = size[1] / (face.height * _HEIGHT_IN_FACES)
    if scale < 1:  # blur first, or fine structure folds into coarse: warpAffine looks at four pixels only
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.5 * math.sqrt(1 / scale**2 - 1) + 1e-6), np.uint8)
    right, down = face.x + face.width / 2, face.y + face.height / 2
    shift = size[0] / 2 - scale * right, size[1] * _FACE_CENTRE - scale * down
    matrix = np.array([(scale, 0, shift[0]), (0, scale, shift[1])])
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def printed(portrait: Image, random: np.random.Generator) -> Image:
    """Returns a portrait as a camera sees it printed on a card.

    Printed: washed out to 55-75 % of its contrast, half of them grey, in dots of a 45 degree screen, below guilloche
    lines. Seen: 90-130 px wide, out of focus by 0.5-0.9 px, lit from one side, with noise of 4-8 grey levels, as JPEG
    of quality 50-75.
    """
    ink = portrait.astype(np.float32) / 255
    if random.random() < 0.5:
        ink = np.repeat(ink @ np.array((0.299, 0.587, 0.114), np.float32)[..., None], 3, axis=2)
    contrast = random.uniform(0.55, 0.75)
    ink = ink * contrast + (1 - contrast) * random.uniform(0.55, 0.75)
    ink = _halftone(ink, random)
    ink = _guilloche(ink, random)
    return _photographed(ink, random)


def through_jpeg(image: Image, quality: int) -> Image:
    """Returns an RGB picture after JPEG compression of `quality` 0..100."""
    _, content = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def _halftone(ink: Layer, random: np.random.Generator) -> Layer:
    """Mixes in the dots of an amplitude-modulated screen: each is as large as the picture is dark there."""
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32)
    period, phase = random.uniform(3.0, 4.5), random.uniform(0, 2 * math.pi, 2)
    along, across = (rows + columns) / math.sqrt(2), (rows - columns) / math.sqrt(2)
    turn = 2 * math.pi / period
    screen = 0.5 + 0.25 * (np.cos(turn * along + phase[0]) + np.cos(turn * across + phase[1]))
    dots = 1 / (1 + np.exp(-12 * (ink - screen[..., None].astype(np.float32))))
    return np.asarray(0.65 * ink + 0.35 * dots, np.float32)


def _guilloche(ink: Layer, random: np.random.Generator) -> Layer:
    """Prints families of wavy security lines over the portrait, each in its own colour."""
    height, width = ink.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(2):
        swing, waves, phase = random.uniform(6, 16), random.uniform(1.5, 4), random.uniform(0, 2 * math.pi)
        spacing, slope = random.uniform(9, 15), random.uniform(-0.6, 0.6)
        height_of_wave = rows + slope * columns + swing * np.sin(2 * math.pi * waves * columns / width + phase)
        line = np.exp(-((np.mod(height_of_wave, spacing) - spacing / 2) ** 2) / (2 * 0.7**2))
        opacity = (random.uniform(0.25, 0.45) * line)[..., None]
        ink = ink * (1 - opacity) + random.uniform(0.3, 0.8, 3) * opacity
    return np.asarray(ink, np.float32)


def _photographed(ink: Layer, random: np.random.Generator) -> Image:
    width = int(random.integers(90, 131))
    size = width, round(width * ink.shape[0] / ink.shape[1])
    seen = cv2.GaussianBlur(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), (0, 0), random.uniform(0.5, 0.9))
    darkest = random.uniform(0.65, 0.9)
    light = np.linspace(darkest, 1.0, width, dtype=np.float32)[:: int(random.choice((-1, 1)))]
    noise = random.normal(0, random.uniform(4, 8), seen.shape)
    values = np.clip(seen * light[None, :, None] * 255 + noise, 0, 255).astype(np.uint8)
    return through_jpeg(values, int(random.integers(50, 76)))
