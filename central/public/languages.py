"""The languages of the public page: catalogues in YAML, of which each says the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files

import yaml
from markupsafe import Markup, escape

DEFAULT = "en"
MAX_WISHES = 12
"""How much of what a browser prefers is looked at."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language: its tag (RFC 5646), what it calls itself, and its texts."""

    tag: str
    name: str
    texts: dict[str, str] = field(repr=False)

    def text(self, key: str, **values: object) -> Markup:
        """A text with its values, each of which stays text."""
        return Markup(escape(self.texts[key])).format(**values)  # noqa: S704 - our own text, escaped

    def text_of(self, group: str, word: str) -> Markup | None:
        """The text of a terminal's word; None of one that is not known."""
        return self.text(f"{group}.{word}") if f"{group}.{word}" in self.texts else None


def _read(tag: str) -> Catalogue:
    raw = yaml.safe_load((files("central.public") / "catalogues" / f"{tag}.yaml").read_text("utf-8"))
    return Catalogue(tag, raw["name"], raw["texts"])


CATALOGUES = {tag: _read(tag) for tag in ("en", "zh-CN", "es", "hi")}


def choose(asked: str, preferred: str) -> Catalogue:
    """The catalogue that was asked for, or else the one that a browser's Accept-Language likes best."""
    if asked in CATALOGUES:
        return CATALOGUES[asked]
    by_language = {tag.partition("-")[0]: catalogue for tag, catalogue in CATALOGUES.items()}
    for wish in _wishes(preferred):
        if wish in by_language:
            return by_language[wish]
    return CATALOGUES[DEFAULT]


def _wishes(preferred: str) -> list[str]:
    """The languages of an Accept-Language (RFC 9110, section 12.5.4), the dearest first, without their regions."""
    weighed = []
    for wish in preferred.split(",")[:MAX_WISHES]:
        tag, _, weight = wish.partition(";q=")
        try:
            weighed.append((float(weight or 1), tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]
