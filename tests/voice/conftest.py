"""The sounds of every language, spoken once by a real espeak-ng, and somebody who listens."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from device.panel.catalogue import LANGUAGES, load_catalogue
from device.voice.player import Utterance
from device.voice.rendering import make_sounds
from device.voice.sounds import load_sounds
from device.voice.voice import Voice


class Listener:
    """Hears what is said: `heard` has one list of (language, key) for each utterance."""

    def __init__(self, patience: int | None = None) -> None:
        """Answers before the sound with this number in an utterance; hears all of it without one."""
        self.heard: list[list[tuple[str, str]]] = []
        self.patience = patience

    def say(self, utterance: Utterance) -> None:
        self.heard.append([(path.parent.name, path.stem) for path in utterance.sounds])
        utterance.played = len(utterance.sounds) if self.patience is None else self.patience

    @property
    def said(self) -> list[str]:
        """The keys, without the languages."""
        return [key for utterance in self.heard for _, key in utterance]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("voice")
    make_sounds(made, map(load_catalogue, LANGUAGES))
    return made


@pytest.fixture
def speaking(folder: Path):
    def make(listener: Listener, languages: Sequence[str]) -> Voice:
        catalogues = [load_catalogue(language) for language in languages]
        return Voice(listener, catalogues, {one.language: load_sounds(folder, one) for one in catalogues})

    return make
