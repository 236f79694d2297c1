"""What auditors write down for ever."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

CHARACTERS = range(3, 501)
JOINERS = "\u200c\u200d"
"""Marks that are not seen and belong to writing all the same, as in Hindi."""


def read_note(form: Mapping[str, str]) -> str:
    """The note of a form, on one line; empty when it is too short, too long, or hides or turns what others read."""
    note = " ".join(form.get("note", "").split())
    return note if len(note) in CHARACTERS and all(map(_is_plain, note)) else ""


def _is_plain(sign: str) -> bool:
    return sign in JOINERS or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co")
