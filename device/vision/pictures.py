"""Reads portraits from a file, from a signed request or from a chip, hostile until decoded; writes a picture.

Only the formats a portrait comes in are let through to the decoder, and none before its header has told a sane size: a
few bytes of PNG can ask for gigabytes. JPEG 2000, as chips hold it, is not among them: OpenCV's decoder takes the
process down when a few bytes are changed (tests/fuzz), and central can convert what it read from a chip.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 64_000_000
_LONGEST_SIDE = 2048  # larger pictures are scaled down: faces are compared at 112 pixels

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# JPEG markers that begin a frame and so hold the size; C4, C8 and CC are tables.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN = 0xDA
_PNM_HEADER = re.compile(rb"P[2356](?:\s+|#[^\n]*\n)+(\d{1,9})(?:\s+|#[^\n]*\n)+(\d{1,9})\s")


class PictureError(ValueError):
    """The picture cannot be used; the message is one line that says what to do."""


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Returns the file as (H, W, 3) RGB, upright by EXIF, at most 2048 pixels a side; raises PictureError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise PictureError(f"{str(path)!r}: not a file name") from None
    try:
        return decode_picture(content)
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from None


def decode_picture(content: bytes) -> NDArray[np.uint8]:
    """Returns a JPEG, PNG, WebP, BMP or PNM as `read_picture` does; raises PictureError, naming no file."""
    if not content:
        raise PictureError("empty: give a picture")
    if len(content) > MAX_BYTES:
        raise PictureError(f"larger than {MAX_BYTES // 1024 // 1024} MiB: give a smaller picture")
    width, height = _size(content)
    if min(width, height) < 1 or width * height > MAX_PIXELS:
        raise PictureError(
            f"{width} x {height} pixels cannot be handled: give at most {MAX_PIXELS // 1_000_000} megapixels"
        )
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise PictureError("damaged: the picture cannot be decoded")
    scale = _LONGEST_SIDE / max(decoded.shape)
    if scale < 1:
        decoded = cv2.resize(decoded, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def encode_jpeg(image: NDArray[np.uint8], longest_side: int, limit: int) -> bytes:
    """Returns (H, W, 3) RGB as a JPEG of at most `longest_side` pixels and `limit` bytes, as good as that allows."""
    picture = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    scale = longest_side / max(picture.shape)
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for quality in (92, 80, 60, 40, 20, 5):
        _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(encoded) <= limit:
            return encoded.tobytes()
    raise PictureError(f"does not fit into {limit} bytes")


def _size(content: bytes) -> tuple[int, int]:
    """Width and height from the header; raises PictureError for an unknown format or a file that ends too early."""
    for magic, read in _FORMATS:
        if re.match(magic, content, re.DOTALL):
            try:
                return read(content)
            except (IndexError, struct.error):
                raise PictureError("truncated: copy the picture again") from None
    raise PictureError("not a JPEG, PNG, WebP, BMP or PNM picture")


def _jpeg(content: bytes) -> tuple[int, int]:
    at, size = 2, (0, 0)
    while True:
        while content[at] == 0xFF and content[at + 1] == 0xFF:
            at += 1  # fill bytes
        marker, length = struct.unpack_from(">xBH", content, at)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            size = width, height
        if marker == _JPEG_SCAN:
            break
        at += 2 + max(length, 2)
    if content.find(b"\xff\xd9", at) < 0:  # compressed data escape FF, so this can only be the end of the picture
        raise PictureError("truncated: copy the picture again")
    return size


def _png(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", content, 16)
    at, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND":  # OpenCV takes as much memory as a chunk says that it is long, whatever follows
        length, kind = struct.unpack_from(">I4s", content, at)
        at += length + 12
        if at > len(content):
            raise PictureError("truncated: copy the picture again")
    return width, height


def _webp(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    low = struct.unpack_from("<HBHB", content, 24)
    return (low[0] | low[1] << 16) + 1, (low[2] | low[3] << 16) + 1


def _bmp(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<ii", content, 18)
    return width, abs(height)


def _pnm(content: bytes) -> tuple[int, int]:
    header = _PNM_HEADER.match(content[:4096])
    if not header:
        raise PictureError("damaged: the PNM header has no size")
    return int(header[1]), int(header[2])


_FORMATS: tuple[tuple[bytes, Callable[[bytes], tuple[int, int]]], ...] = (
    (rb"\xff\xd8\xff", _jpeg),
    (rb"\x89PNG\r\n\x1a\n", _png),
    (rb"RIFF....WEBP", _webp),
    (rb"BM", _bmp),
    (rb"P[2356]\s", _pnm),
)
