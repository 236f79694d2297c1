"""Which font writes a language. Chinese and Hindi are in no printer's code pages, and Hindi has to be shaped."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageFont, features

from device.panel.catalogue import ENGLISH

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_FONTS = Path("/usr/share/fonts")
_MICROHEI = _FONTS / "truetype/wqy/wqy-microhei.ttc"
_LATIN = (_FONTS / "truetype/dejavu/DejaVuSans.ttf", _MICROHEI, _FONTS / "truetype/noto/NotoSans-Regular.ttf")
PLACES: dict[str, tuple[Path, ...]] = {
    "en": _LATIN,
    "es": _LATIN,
    "zh-CN": (_MICROHEI, _FONTS / "opentype/noto/NotoSansCJK-Regular.ttc"),
    "hi": (
        _FONTS / "truetype/lohit-devanagari/Lohit-Devanagari.ttf",
        _FONTS / "truetype/noto/NotoSansDevanagari-Regular.ttf",
    ),
}
"""Debian's fonts for each language, the best first."""
PACKAGES = {
    "en": "fonts-dejavu-core",
    "es": "fonts-dejavu-core",
    "zh-CN": "fonts-wqy-microhei",
    "hi": "fonts-lohit-deva libfribidi0",
}
"""What to install for each."""
SHAPED = frozenset({"hi"})


@dataclass(frozen=True, slots=True)
class Typeface:
    """The font of one language in all sizes; without a file it is Pillow's own, which has plain English only."""

    path: Path | None

    def at(self, size: int) -> Font:
        """The font with this height, in dots."""
        return _load(self.path, size)


def typeface(language: str) -> Typeface | None:
    """What writes a language here; None when nothing does. English can always be written."""
    found = next((path for path in PLACES[language] if path.is_file()), None)
    if language in SHAPED and not features.check("raqm"):
        return None
    return Typeface(found) if found is not None or language == ENGLISH else None


@functools.lru_cache(maxsize=16)
def _load(path: Path | None, size: int) -> Font:
    return ImageFont.load_default(size) if path is None else ImageFont.truetype(path, size)
