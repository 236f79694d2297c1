"""Looks for biometrics where none may be: pictures, crops and embeddings, as they are, packed, or written out."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

WORD = 8
PIECE = 24
PIECES = 12
"""Taken from each secret, evenly: whoever wrote a part of it is caught, too."""
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


@dataclass
class Canaries:
    """What must not be found; add to it while a session runs."""

    pieces: dict[bytes, str] = field(default_factory=dict)
    _order: list[bytes] = field(default_factory=list)
    _starts: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    def add_bytes(self, name: str, raw: bytes) -> None:
        """A secret, and how it would look in base64 and hexadecimal digits."""
        starts = np.linspace(0, max(0, len(raw) - PIECE), num=PIECES, dtype=int)
        for piece in {raw[start : start + PIECE] for start in starts}:
            if len({*piece}) > PIECE // 4:  # an even area of a picture says nothing, and is everywhere
                self.pieces |= dict.fromkeys(_forms(piece), name)

    def add_picture(self, name: str, rgb: NDArray[np.uint8]) -> None:
        """A picture: its pixels in either order and in grey, row by row."""
        for order in (rgb, rgb[..., ::-1], cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)):
            self.add_bytes(name, np.ascontiguousarray(order).tobytes())

    def add_vector(self, name: str, vector: NDArray[np.float32]) -> None:
        """An embedding: its numbers in binary, of either length and order, and in decimal digits."""
        for kind in ("<f2", "<f4", "<f8", ">f4", ">f8"):
            self.add_bytes(name, vector.astype(kind).tobytes())
        for value in vector[np.abs(vector) > 0.05][:16]:
            self.pieces |= dict.fromkeys([f"{value:.6f}".encode(), *_forms(repr(float(value)).encode())], name)

    def found_in(self, raw: bytes) -> set[str]:
        """The names of what is in `raw`; `picture` for one of whatever content."""
        found = {self.pieces[piece] for piece in self._candidates(raw) if piece in raw}
        marks = [form for mark in (JPEG, PNG) for form in _forms(mark)]
        return found | ({"picture"} if any(mark in raw for mark in marks) else set())

    def _candidates(self, raw: bytes) -> list[bytes]:
        """Pieces whose first eight bytes are there: all at once, as there are tens of thousands of pieces."""
        if len(raw) < WORD:
            return []
        windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(raw, np.uint8), WORD)
        words = np.ascontiguousarray(windows).view(np.uint64).ravel()
        if len(self._order) != len(self.pieces):
            self._order = [*self.pieces]
            self._starts = np.frombuffer(b"".join(piece[:WORD] for piece in self._order), np.uint64)
        return [self._order[index] for index in np.flatnonzero(np.isin(self._starts, words))]


def _forms(piece: bytes) -> Iterator[bytes]:
    yield piece
    yield piece.hex().encode()
    for lead in range(3):  # base64 looks different at each place within three bytes
        for text in (base64.b64encode(bytes(lead) + piece), base64.urlsafe_b64encode(bytes(lead) + piece)):
            yield text[4 if lead else 0 : -4]


def found(canaries: Canaries, places: Iterable[tuple[str, bytes]]) -> dict[str, set[str]]:
    """Where something was found, and what."""
    return {place: names for place, raw in places if (names := canaries.found_in(raw))}
