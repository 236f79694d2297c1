"""The message catalogues: one file for each language, the only place where the panel's words stand."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from device.wire.fields import unique_members

LANGUAGES = ("en", "zh-CN", "es", "hi")
ENGLISH = "en"


class CatalogueError(ValueError):
    """A catalogue cannot be used; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The panel's words in one language.

    Attributes:
        language: its tag (RFC 5646), such as zh-CN.
        name: what its speakers call it.
        voice: the voice of espeak-ng that speaks it.
        words_a_minute: how fast.
        consent: version of the consent text, `scene.consent`.
        messages: the sentences, by their keys; docs/panel.md tells the keys.
        slip: what stands on the customer's slip, by its keys; it is never spoken.
    """

    language: str
    name: str
    voice: str
    words_a_minute: int
    consent: str
    messages: dict[str, str]
    slip: dict[str, str] = field(default_factory=dict)


@functools.cache
def load_catalogue(language: str) -> Catalogue:
    """Reads the catalogue of a language; raises CatalogueError."""
    if language not in LANGUAGES:
        raise CatalogueError(f"there is no language {language!r:.20}: choose from {', '.join(LANGUAGES)}")
    file = resources.files("device.panel") / "catalogues" / f"{language}.json"
    read: dict[str, Any] = json.loads(file.read_bytes(), object_pairs_hook=unique_members)
    return Catalogue(language, **read)
