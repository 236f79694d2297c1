"""Sentences become sounds: espeak-ng speaks every message of a catalogue into a file, once, at provisioning."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from device.durable import PUBLIC, replace_file
from device.panel.catalogue import Catalogue
from device.voice.sounds import MANIFEST, mark_of, read_manifest, sound_name

SPEAK_LIMIT_S = 30


class VoiceError(RuntimeError):
    """The sounds cannot be made; the message is one line that says what to do."""


def make_sounds(folder: Path, catalogues: Iterable[Catalogue]) -> int:
    """Speaks every message that has no file, or one of another text; returns how many. Raises VoiceError.

    The manifest is written last: a file that it does not name is never played.
    """
    marks = read_manifest(folder)
    try:
        due = [(catalogue, key) for catalogue in catalogues for key in _due(folder, catalogue, marks)]
        # A file is named again when it is made anew: a power cut in between leaves nothing that speaks another text.
        _write_manifest(folder, marks := {name: mark for name, mark in marks.items() if name not in _names(due)})
        for catalogue, key in due:
            path = folder / sound_name(catalogue.language, key)
            path.parent.mkdir(exist_ok=True)
            _speak(catalogue, catalogue.messages[key], path)
        _write_manifest(folder, marks | {name: mark_of(*one) for one, name in zip(due, _names(due), strict=True)})
    except OSError as error:
        raise VoiceError(f"{error.filename or folder}: cannot be written: {error.strerror or error}") from None
    return len(due)


def _due(folder: Path, catalogue: Catalogue, marks: dict[str, str]) -> list[str]:
    """The keys of the messages whose sound is missing or out of date."""
    return [
        key
        for key in catalogue.messages
        if marks.get(sound_name(catalogue.language, key)) != mark_of(catalogue, key)
        or not (folder / sound_name(catalogue.language, key)).is_file()
    ]


def _names(due: Iterable[tuple[Catalogue, str]]) -> list[str]:
    return [sound_name(catalogue.language, key) for catalogue, key in due]


def _write_manifest(folder: Path, marks: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / MANIFEST, (json.dumps(dict(sorted(marks.items())), indent=1) + "\n").encode(), PUBLIC)


def _speak(catalogue: Catalogue, text: str, path: Path) -> None:
    speed = str(catalogue.words_a_minute)
    command = ["espeak-ng", "-b", "1", "-v", catalogue.voice, "-s", speed, "-w", str(path), "--stdin"]
    try:
        done = subprocess.run(
            command, input=text, check=False, capture_output=True, encoding="utf-8", timeout=SPEAK_LIMIT_S
        )
    except FileNotFoundError:
        raise VoiceError("espeak-ng is not installed: sudo apt-get install espeak-ng") from None
    except subprocess.TimeoutExpired:
        raise VoiceError(f"espeak-ng did not end within {SPEAK_LIMIT_S} s: try again") from None
    if done.returncode != 0 or not path.is_file():
        told = " ".join(done.stderr.split())[:120]
        raise VoiceError(f"espeak-ng could not speak {path.stem} with voice {catalogue.voice}: {told or 'no reason'}")
