"""Bona fide presentations: recorded people who answer the cues, as filmed and in worse conditions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from device.camera.animation import HeadRenderer
from device.camera.person import Person
from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.gallery import ASTRONAUT, Gallery
from device.evaluation.redteam.lenses import Glasses, Lens, SeenThrough, further_away, light, sensor_noise
from device.evaluation.redteam.species import Claim, Scene, Species, animated, answering
from device.vision.embedding import Embedding
from device.vision.landmarks import LandmarkFinder


def _as_filmed(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    person, reference = _somebody(cast, name)
    return Scene(answering(person), reference, person.actions)


def _other_light(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    """Dimmer, brighter, warmer, from the side, or with a noisy sensor."""
    lenses: list[Lens] = [
        light(random.uniform(0.55, 0.75)),
        light(random.uniform(1.15, 1.3)),
        light(0.9, tint=(1.12, 1.0, 0.82)),
        light(1.05, side=random.uniform(0.25, 0.5)),
        sensor_noise(random.uniform(3.0, 6.0), int(random.integers(2**31))),
    ]
    lens = lenses[int(random.integers(len(lenses)))]
    person, reference = _somebody(cast, name)
    return Scene(answering(SeenThrough(person, lambda _seed: lens)), reference, person.actions)


def _further_away(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    lens = further_away(random.uniform(0.75, 0.95))
    person, reference = _somebody(cast, name)
    return Scene(answering(SeenThrough(person, lambda _seed: lens)), reference, person.actions)


def _in_glasses(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    """Glasses drawn in simulation; the document shows none."""
    person, reference = _somebody(cast, name)
    finder = LandmarkFinder(cast.vision.models.landmarks)
    return Scene(answering(SeenThrough(person, lambda _seed: Glasses(cast.reader, finder))), reference, person.actions)


def _somebody(cast: Cast, name: str) -> tuple[Person, Embedding]:
    if name == ASTRONAUT:
        return animated(HeadRenderer(cast.head(name))), cast.reference(name)
    return cast.person(name), cast.chip(name)


def _everybody(gallery: Gallery) -> Sequence[str]:
    """The recorded people; without media the animation stands in for them."""
    return list(gallery.people()) or [ASTRONAUT]


BONA_FIDE = (
    Species("bona-fide", "Recorded people as filmed.", Claim.BONA_FIDE, _as_filmed, _everybody),
    Species(
        "bona-fide-light",
        "The same, dimmer, brighter, warmer, lit from the side, or with a noisy sensor.",
        Claim.BONA_FIDE,
        _other_light,
        _everybody,
    ),
    Species(
        "bona-fide-distance",
        "The same, smaller by a twentieth to a quarter.",
        Claim.BONA_FIDE,
        _further_away,
        _everybody,
    ),
    Species(
        "bona-fide-glasses", "The same, with glasses drawn in simulation.", Claim.BONA_FIDE, _in_glasses, _everybody
    ),
)
