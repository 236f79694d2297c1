"""The label on a terminal's back: its serial and id in words, and both with its key's id as a QR code."""

from __future__ import annotations

import io
from pathlib import Path

import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from PIL import Image, ImageDraw, ImageFont

from device.durable import PUBLIC, replace_file
from device.wire.envelope import key_id
from device.wire.fields import decode_base64url
from provisioning.records import TerminalRecord
from provisioning.vault import ProvisioningError

DPI = 300
WIDTH, HEIGHT = 732, 343  # 62 by 29 mm, a common size of label printers
_MARGIN = 20
_PDF_EPOCH = 0  # no date inside: the same label is the same file


def label_text(record: TerminalRecord, result_key: str) -> str:
    """What the QR code says; the key's id tells a replaced terminal from the one that was labelled."""
    kid = key_id(Ed25519PublicKey.from_public_bytes(decode_base64url(result_key)))
    return f"likeness:{record.id}?serial={record.label}&key={kid}"


def write_label(place: Path, record: TerminalRecord, result_key: str) -> bool:
    """Writes a PDF or PNG by the name's ending; returns False when the file is that label already."""
    form = {".pdf": "PDF", ".png": "PNG"}.get(place.suffix.lower())
    if form is None:
        raise ProvisioningError(f"{place}: name a .pdf or .png file")
    picture = _draw(record, label_text(record, result_key))
    written = io.BytesIO()
    if form == "PDF":
        dated = {"creationDate": None, "modDate": None}
        picture.save(written, form, resolution=DPI, title=record.id, **dated)
    else:
        picture.save(written, form, dpi=(DPI, DPI))
    return replace_file(place, written.getvalue(), PUBLIC)


def _draw(record: TerminalRecord, text: str) -> Image.Image:
    picture = Image.new("L", (WIDTH, HEIGHT), 255)
    code = _code(text, HEIGHT - 2 * _MARGIN)
    picture.paste(code, (_MARGIN, (HEIGHT - code.height) // 2))
    left = code.width + 2 * _MARGIN
    draw = ImageDraw.Draw(picture)
    lines = ((record.label, 44), (record.id, 34), (record.outlet, 26), ("Likeness face verification", 20))
    top = _MARGIN * 2
    for words, size in lines:
        font = _font(draw, words, size, WIDTH - left - _MARGIN)
        draw.text((left, top), words, 0, font)
        top += size + 24
    return picture


def _font(draw: ImageDraw.ImageDraw, words: str, size: int, room: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The largest font up to `size` in which the words fit."""
    while size > 10 and draw.textlength(words, ImageFont.load_default(size)) > room:
        size -= 1
    return ImageFont.load_default(size)


def _code(text: str, room: int) -> Image.Image:
    code = segno.make_qr(text, error="m")
    scale = room // code.symbol_size()[0]
    written = io.BytesIO()
    code.save(written, kind="png", scale=scale, border=4)
    written.seek(0)
    return Image.open(written).convert("L")
