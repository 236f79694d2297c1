"""The outlet's voice: speaks what the panel shows in the customer's language, and knows which consent text was read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from device.panel.catalogue import Catalogue, load_catalogue
from device.panel.prompts import Scene, Shown
from device.panel.sentences import CHALLENGE_OFFER, LANGUAGE_CHOSEN, LANGUAGE_OFFER, OTHER_PURPOSE, PURPOSE
from device.voice.player import Player, Utterance
from device.voice.settings import VoiceSettings
from device.voice.sounds import load_sounds
from device.voice.speech import Speech
from device.wire.claims import SpokenConsent

LOG = logging.getLogger(__name__)
CONSENT = f"scene.{Scene.CONSENT}"
CONSENTS = (CONSENT, f"scene.{Scene.WITNESS}")


@dataclass(frozen=True, slots=True)
class _Reading:
    """The consent text as it is read out: in which language, of how many sounds, whether these are all, and how far."""

    catalogue: Catalogue
    sounds: int
    utterance: Utterance
    complete: bool

    @property
    def whole(self) -> bool:
        return self.complete and self.utterance.played >= self.sounds


class Voice:
    """Speaks the outlet's languages, the first one until a customer chooses another; without languages it is silent."""

    def __init__(
        self, player: Player | None, catalogues: Sequence[Catalogue], sounds: Mapping[str, Mapping[str, Path]]
    ) -> None:
        """Takes what plays, and for each language its catalogue and its sounds by key; no player is silence."""
        self._player = player
        # A language without its consent text cannot lead anybody through a session.
        self._catalogues = [one for one in catalogues if CONSENT in sounds.get(one.language, {})]
        self._sounds = sounds
        self._chosen = 0
        self._speech = Speech()
        self._purpose: str | None = None
        self._alternative, self._text = False, CONSENT
        self._consent: _Reading | None = None

    def begin(self, purpose: str | None, *, same_customer: bool) -> None:
        """A session begins; `purpose` is what its request says the check is for.

        `same_customer` keeps the language that was chosen.
        """
        self._purpose, self._consent, self._alternative = purpose, None, False
        self._speech = Speech()
        if not same_customer:
            self._chosen = 0

    def offer_alternative(self, *, offered: bool) -> None:
        """Other tasks may be chosen in this session; said once, when the face is looked for."""
        self._alternative = offered

    def choose_next(self) -> None:
        """The customer wants another language: the consent text is read again, in that one."""
        if self._player is not None and len(self._catalogues) > 1:
            self._chosen = (self._chosen + 1) % len(self._catalogues)
            LOG.info("voice language=%s", self._language.language)
            self._read_consent(LANGUAGE_CHOSEN)

    def follow(self, shown: Shown, at: float) -> None:
        """Says what is to be said about what the panel shows at time `at`, in seconds."""
        if self._player is None or not self._catalogues:
            return
        self._speech, key = self._speech.then(at, shown)
        if key in CONSENTS:
            self._text = key
            self._read_consent()
        elif shown.scene is Scene.POSITION and self._alternative:
            self._alternative = False
            self._say([CHALLENGE_OFFER])
        elif key is not None:
            self._say([key])

    def consent_read(self) -> SpokenConsent | None:
        """Which consent text was read to the customer last, and whether to its end."""
        if self._consent is None:
            return None
        catalogue = self._consent.catalogue
        return SpokenConsent(version=catalogue.consent, language=catalogue.language, whole=self._consent.whole)

    @property
    def _language(self) -> Catalogue:
        return self._catalogues[self._chosen]

    def _read_consent(self, *before: str) -> None:
        """Reads out what the check is for and what is agreed to, then offers the next language in its own words."""
        told = OTHER_PURPOSE if self._purpose is None else f"{PURPOSE}{self._purpose}"
        keys = [*before, told if told in self._language.messages else OTHER_PURPOSE, self._text]
        found = self._found(keys)
        utterance = self._play([*found, *self._offer()])
        self._consent = _Reading(self._language, len(found), utterance, complete=len(found) == len(keys))

    def _offer(self) -> list[Path]:
        """The next language's offer of itself."""
        following = self._catalogues[(self._chosen + 1) % len(self._catalogues)]
        offer = self._sounds[following.language].get(LANGUAGE_OFFER)
        return [offer] if offer is not None and following is not self._language else []

    def _say(self, keys: Sequence[str]) -> None:
        if found := self._found(keys):
            self._play(found)

    def _found(self, keys: Sequence[str]) -> list[Path]:
        sounds = self._sounds[self._language.language]
        return [sounds[key] for key in keys if key in sounds]

    def _play(self, sounds: Sequence[Path]) -> Utterance:
        utterance = Utterance(sounds)
        if self._player is not None:
            self._player.say(utterance)
        return utterance


@contextmanager
def open_voice(settings: VoiceSettings) -> Iterator[Voice]:
    """The voice as configured; it falls silent when the block ends."""
    catalogues = [load_catalogue(language) for language in settings.languages]
    sounds = {one.language: load_sounds(settings.folder, one) for one in catalogues}
    player = Player(settings.device, settings.volume) if catalogues and settings.volume > 0 else None
    try:
        yield Voice(player, catalogues, sounds)
    finally:
        if player is not None:
            player.close()
