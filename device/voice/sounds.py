"""Spoken sentences as files: one WAV file for each message of a language, and a manifest that says what each speaks."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from device.panel.catalogue import Catalogue

LOG = logging.getLogger(__name__)
MANIFEST = "manifest.json"


def sound_name(language: str, key: str) -> str:
    """The place of a message's sound in the folder."""
    return f"{language}/{key}.wav"


def mark_of(catalogue: Catalogue, key: str) -> str:
    """The sha256 of all that a message's sound is made from: another one makes the file stale."""
    made_from = [catalogue.language, catalogue.voice, catalogue.words_a_minute, catalogue.messages[key]]
    return hashlib.sha256(json.dumps(made_from, ensure_ascii=False).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, str]:
    """The mark of each file by its place in the folder; empty when there is no manifest that can be read."""
    try:
        read = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(name): str(mark) for name, mark in read.items()} if isinstance(read, dict) else {}


def load_sounds(folder: Path, catalogue: Catalogue) -> dict[str, Path]:
    """The sounds of a language by their keys; what is missing or speaks another text is left out, and told."""
    marks, sounds = read_manifest(folder), {}
    for key in catalogue.messages:
        name = sound_name(catalogue.language, key)
        if marks.get(name) == mark_of(catalogue, key) and (folder / name).is_file():
            sounds[key] = folder / name
    if left_out := len(catalogue.messages) - len(sounds):
        LOG.warning(
            "voice language=%s: %d of %d sentences are missing or out of date in %s: likeness-terminal voice make",
            catalogue.language, left_out, len(catalogue.messages), folder,
        )  # fmt: skip
    return sounds
