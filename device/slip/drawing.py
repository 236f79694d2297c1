"""Draws a slip as one picture of black and white dots: the same for paper and screen."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import segno
from PIL import Image, ImageDraw

from device.slip.content import Wording
from device.slip.fonts import Font, Typeface

DOTS = {58: 384, 80: 576}
"""How many dots are printed across paper of that many millimetres, 8 of them in one."""
_MARGIN, _GAP, _LONGEST = 12, 14, 4000
_BODY, _LARGE, _CODE = 25, 31, 52
_WHITE, _BLACK = 1, 0
_QR_BORDER, _QR_LARGEST_MODULE = 4, 8
_LINES = 12
# Signs of East Asia may stand at a line's end one by one, together with the punctuation behind them.
_PIECES = re.compile(
    r"\s+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff][\u3000-\u303f\uff00-\uff65]*|[^\s\u2e80-\u9fff]+|.", re.S
)


class _Paper:
    """A roll of paper that is written from top to bottom."""

    def __init__(self, dots: int, face: Typeface) -> None:
        self._face, self._dots, self._at = face, dots, _GAP
        self._picture = Image.new("1", (dots, _LONGEST), _WHITE)
        self._draw = ImageDraw.Draw(self._picture)

    def write(self, text: str, size: int, *, centred: bool = False) -> None:
        """Writes a paragraph."""
        font, room = self._face.at(size), self._dots - 2 * _MARGIN
        for line in _lines(text, font, room):
            left = _MARGIN + (room - font.getlength(line)) / 2 if centred else _MARGIN
            self._draw.text((int(left), self._at + size), line, _BLACK, font, anchor="ls")
            self._at += size * 3 // 2
        self._at += _GAP // 2

    def write_large(self, text: str, size: int) -> None:
        """Writes one line, as large as `size` and the paper allow."""
        while size > _BODY and self._face.at(size).getlength(text) > self._dots - 2 * _MARGIN:
            size -= 1
        self.write(text, size, centred=True)

    def rule(self) -> None:
        """Draws a line across."""
        self._at += _GAP // 2
        self._draw.line((_MARGIN, self._at, self._dots - _MARGIN, self._at), _BLACK, 2)
        self._at += _GAP

    def paste(self, picture: Image.Image) -> None:
        """Puts a picture in the middle."""
        self._picture.paste(picture, ((self._dots - picture.width) // 2, self._at))
        self._at += picture.height

    def cut(self) -> Image.Image:
        """What was written."""
        return self._picture.crop((0, 0, self._dots, min(self._at + _GAP, _LONGEST)))


def draw_slip(words: Wording, paper_mm: int, face: Typeface) -> Image.Image:
    """Draws a slip for paper of that width."""
    dots = DOTS[paper_mm]
    paper = _Paper(dots, face)
    paper.write(words.title, _LARGE, centred=True)
    paper.rule()
    for fact in words.facts:
        paper.write(fact, _BODY)
    paper.write(words.outcome, _LARGE)
    paper.rule()
    paper.paste(_qr_code(words.link, dots * 3 // 4))
    paper.write(words.code_label, _BODY, centred=True)
    paper.write_large(words.code, _CODE)
    paper.write(words.address, _BODY, centred=True)
    for sentence in words.advice:
        paper.write(sentence, _BODY)
    return paper.cut()


def png(picture: Image.Image) -> bytes:
    """The picture as a file."""
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def _qr_code(text: str, room: int) -> Image.Image:
    code = segno.make_qr(text, error="m")
    module = max(1, min(_QR_LARGEST_MODULE, room // code.symbol_size(border=_QR_BORDER)[0]))
    written = io.BytesIO()
    code.save(written, kind="png", scale=module, border=_QR_BORDER)
    return Image.open(written).convert("1")


def _lines(text: str, font: Font, room: float) -> Iterator[str]:
    """The text in lines that fit; a word that is longer than a line is broken, and what has no end is cut."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    count, line = 0, ""
    for piece in _PIECES.findall(printable):
        for part in _parts(piece, font, room):
            if line and font.getlength(line + part.rstrip()) > room:
                yield line.rstrip()
                line, count = "", count + 1
            if count == _LINES:
                return
            line += part if line else part.lstrip()
    if line.strip():
        yield line.rstrip()


def _parts(word: str, font: Font, room: float) -> Iterator[str]:
    """The word, or parts of it that fit."""
    while font.getlength(word) > room and len(word) > 1:
        end = next(end for end in range(len(word) - 1, 0, -1) if end == 1 or font.getlength(word[:end]) <= room)
        yield word[:end]
        word = word[end:]
    yield word
