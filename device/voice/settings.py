"""What the configuration says about the voice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from device.panel.catalogue import LANGUAGES
from device.settings import Settings


class VoiceSettings(Settings):
    """The voice beside lights and tones; without languages there is none.

    Attributes:
        languages: the outlet's, the first one until a customer chooses another.
        folder: what `likeness-terminal voice make` wrote.
        volume: 0 is silence.
        device: ALSA's name of the loudspeaker, as `aplay -L` lists them.
    """

    languages: tuple[str, ...] = ()
    folder: Path = Path("/var/lib/likeness/voice")
    volume: Annotated[float, Field(ge=0, le=1)] = 0.7
    device: Annotated[str, Field(min_length=1, max_length=100)] = "default"

    @field_validator("languages")
    @classmethod
    def _known_and_once(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(languages) - set(LANGUAGES):
            raise ValueError(f"{min(unknown)!r:.20} is not spoken here: choose from {', '.join(LANGUAGES)}")
        if len(set(languages)) != len(languages):
            raise ValueError("a language stands twice: remove one")
        return languages
