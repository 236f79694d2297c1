"""Species of injected streams: tampered frames, wrong times, cut takes, warped portraits, and driven puppets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from device.camera.animation import HeadRenderer
from device.camera.motion import Manner
from device.camera.person import Performance
from device.evaluation.redteam.acting import Actor, Takes, WrongFirst
from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.flat import Gain, Warp, Warped, affine_turn, egg, projective_turn
from device.evaluation.redteam.gallery import Gallery
from device.evaluation.redteam.heads import paper
from device.evaluation.redteam.species import FPS, Claim, Scene, Species, Stage, animated, answering
from device.evaluation.redteam.stream import Frozen, Retouch, drop, repeat, retouched, stretch

Direct = Callable[[Performance, np.random.Generator, int], Performance]
"""Makes another performance of one, with the session's generator and seed."""

_FAST = Manner(fps=FPS, turn_s=(0.22, 0.3, 0.6))
_AT_ONCE_S = (0.0, 0.03)


def _puppet(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    return Scene(answering(animated(HeadRenderer(cast.head(name)))), cast.reference(name))


def _directed(direct: Direct) -> Stage:
    """A perfect puppet of the victim, so that nothing but the direction can be what ends the session."""

    def stage(cast: Cast, name: str, random: np.random.Generator) -> Scene:
        person = animated(HeadRenderer(cast.head(name)))
        actor = Actor(lambda seed: direct(person.perform(seed), random, seed), FPS)
        return Scene(answering(actor), cast.reference(name))

    return stage


def _tampered(make: Callable[[np.random.Generator, int], Retouch]) -> Stage:
    def stage(cast: Cast, name: str, random: np.random.Generator) -> Scene:
        make_camera = answering(animated(HeadRenderer(cast.head(name))))
        return Scene(retouched(make_camera, lambda seed: make(random, seed)), cast.reference(name))

    return stage


def _early(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    """Answers as fast as no neck and no lid does: as footage that knows when its cue will be lit."""
    return Scene(answering(animated(HeadRenderer(cast.head(name)), _FAST), _AT_ONCE_S), cast.reference(name))


def _warped(warp: Warp) -> Stage:
    def stage(cast: Cast, name: str, random: np.random.Generator) -> Scene:
        head = cast.head(name)
        strength = float(random.uniform(0.9, 1.8))
        renderer = Warped(HeadRenderer(head), head, lambda x, y, turn: warp(x, y, turn * strength))
        return Scene(answering(animated(renderer)), cast.reference(name))

    return stage


def _egg(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    """The portrait drawn on half an ellipsoid: a smooth warp that knows nothing of noses."""
    head = cast.head(name)
    shaped = paper(head, egg(head, random.uniform(0.5, 1.1)), cut_out=True)
    renderer = Gain(HeadRenderer(shaped), random.uniform(1.0, 1.9))
    return Scene(answering(animated(renderer)), cast.reference(name))


def _hard_cuts(performance: Performance, random: np.random.Generator, _seed: int) -> Performance:
    return Takes(performance, random, random.uniform(0.5, 1.5))


def _near_cuts(performance: Performance, random: np.random.Generator, _seed: int) -> Performance:
    return Takes(performance, random, random.uniform(0.0, 0.3))


def _soft_cuts(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    person = cast.person(name)
    return Scene(answering(person), cast.chip(name), person.actions)


def _recorded_people(gallery: Gallery) -> Sequence[str]:
    return list(gallery.people())


STREAMS = (
    Species(
        "splice-hard",
        "The right take for each cue, cut in from elsewhere in the picture or in other light.",
        Claim.COVERED,
        _directed(_hard_cuts),
    ),
    Species(
        "frames-frozen",
        "One picture whenever no action is asked for.",
        Claim.COVERED,
        _directed(lambda performance, _random, seed: Frozen(performance, 0.0, seed)),
    ),
    Species(
        "frames-repeated",
        "Each picture two to four times over.",
        Claim.COVERED,
        _tampered(lambda random, seed: repeat(int(random.integers(2, 5)), 0.0, seed)),
    ),
    Species(
        "frames-dropped",
        "A quarter to half a second is missing again and again.",
        Claim.COVERED,
        _tampered(lambda random, _seed: drop(random.uniform(1.0, 2.5), random.uniform(0.25, 0.5))),
    ),
    Species(
        "frames-stretched",
        "Slow footage: ten frames a second or fewer.",
        Claim.COVERED,
        _tampered(lambda random, _seed: stretch(random.uniform(2.1, 3.5))),
    ),
    Species("onset-early", "Each answer begins with its cue.", Claim.COVERED, _early),
    Species(
        "wrong-action-first",
        "Another action first, then the one that was asked for.",
        Claim.COVERED,
        _directed(lambda performance, _random, _seed: WrongFirst(performance)),
    ),
    Species(
        "warp-affine",
        "The portrait narrowed, shifted and sheared to imitate a turn.",
        Claim.COVERED,
        _warped(affine_turn),
    ),
    Species("warp-projective", "The portrait keystoned to imitate a turn.", Claim.COVERED, _warped(projective_turn)),
)
_SEALED = "Seal the housing, and let the technician's visit check the seal: the camera's cable is the way in."
RESIDUAL_STREAMS = (
    Species(
        "warp-egg", "The portrait drawn on an ellipsoid and turned: injected.", Claim.RESIDUAL, _egg, advice=_SEALED
    ),
    Species(
        "frames-frozen-noisy",
        "One picture with new noise, coded anew each time, whenever no action is asked for: injected.",
        Claim.RESIDUAL,
        _directed(lambda performance, _random, seed: Frozen(performance, 2.5, seed)),
        advice=_SEALED,
    ),
    Species(
        "frames-repeated-noisy",
        "Each picture twice or three times over, with new noise: injected.",
        Claim.RESIDUAL,
        _tampered(lambda random, seed: repeat(int(random.integers(2, 4)), 2.5, seed)),
        advice=_SEALED,
    ),
    Species(
        "splice-near",
        "Takes filmed from almost the same place, cut in on cue: injected.",
        Claim.RESIDUAL,
        _directed(_near_cuts),
        advice=_SEALED,
    ),
    Species(
        "splice-soft",
        "A real person's footage, joined at like poses, on cue: injected.",
        Claim.RESIDUAL,
        _soft_cuts,
        _recorded_people,
        advice=_SEALED,
    ),
    Species(
        "puppet",
        "A head animated in depth from the victim's portrait, on cue: injected.",
        Claim.RESIDUAL,
        _puppet,
        advice=_SEALED + " The coloured light has to be rendered too; the sensor's timestamps have to be forged.",
    ),
)
