"""Species of paper: prints that are moved, tilted, bent, waved and folded, and masks with living eyes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from device.camera.animation import CloseLids, HeadRenderer, Renderer
from device.camera.portrait import Portrait
from device.camera.recorded import Segment
from device.evaluation.redteam.cast import Cast, blink_frames
from device.evaluation.redteam.eyes import LiveEyes, stay_open, under_flap
from device.evaluation.redteam.flat import Gain, Handling, Plane, Waved, cylinder, roof
from device.evaluation.redteam.gallery import EYE_DONOR
from device.evaluation.redteam.heads import flat_depth, paper
from device.evaluation.redteam.species import FPS, Claim, Scene, Species, Stage, animated, answering

Hold: TypeAlias = Callable[[Portrait, CloseLids, np.random.Generator], Renderer]
"""Holds a printed face in some way before the camera."""

_frames_of = lru_cache(1)(blink_frames)


def _printed(hold: Hold) -> Stage:
    """Half of the sessions with printed eyes that never close, half with a flap of closed lids."""

    def stage(cast: Cast, name: str, random: np.random.Generator) -> Scene:
        close_lids = under_flap if random.integers(2) else stay_open
        return _scene(cast, name, hold(cast.head(name), close_lids, random))

    return stage


def _masked(hold: Hold) -> Stage:
    """Eye holes, with somebody's living eyes behind them."""

    def stage(cast: Cast, name: str, random: np.random.Generator) -> Scene:
        portrait, clip = cast.head(name), cast.gallery.clip(EYE_DONOR)
        close_lids: CloseLids = under_flap  # without media there are no eyes to film
        if clip is not None:
            close_lids = LiveEyes(cast.reader, _frames_of(clip, EYE_DONOR.segments_s[Segment.BLINK]), portrait)
        return _scene(cast, name, hold(portrait, close_lids, random))

    return stage


def _scene(cast: Cast, name: str, sheet: Renderer) -> Scene:
    return Scene(answering(animated(sheet)), cast.reference(name))


def _flat(portrait: Portrait, close_lids: CloseLids) -> HeadRenderer:
    return HeadRenderer(paper(portrait, flat_depth()), close_lids)


def _moved(portrait: Portrait, close_lids: CloseLids, random: np.random.Generator) -> Renderer:
    sideways, nearer = random.uniform(1.0, 4.0), random.uniform(-0.004, 0.008)
    return Plane(_flat(portrait, close_lids), Handling(shift=sideways, grow=nearer))


def _tilted(portrait: Portrait, close_lids: CloseLids, random: np.random.Generator) -> Renderer:
    handling = Handling(
        tilt=random.uniform(0.7, 2.3), shift=random.uniform(-1.0, 2.0), focal_length=random.uniform(550.0, 1500.0)
    )
    return Plane(_flat(portrait, close_lids), handling)


def _bent(portrait: Portrait, close_lids: CloseLids, random: np.random.Generator) -> Renderer:
    sheet = paper(portrait, cylinder(portrait, random.uniform(1.25, 3.0)))
    return Gain(HeadRenderer(sheet, close_lids), random.uniform(0.8, 1.6))


def _folded(portrait: Portrait, close_lids: CloseLids, random: np.random.Generator) -> Renderer:
    sheet = paper(portrait, roof(portrait, random.uniform(0.2, 1.0)))
    return Gain(HeadRenderer(sheet, close_lids), random.uniform(0.8, 1.6))


def _waved(portrait: Portrait, close_lids: CloseLids, random: np.random.Generator) -> Renderer:
    return Gain(Waved(portrait, close_lids, random.uniform(4.0, 16.0), FPS), random.uniform(0.8, 2.0))


def _worn(portrait: Portrait, close_lids: CloseLids, random: np.random.Generator) -> Renderer:
    """Cut out, and bent around the head of whoever wears it, who turns further than asked for."""
    mask = paper(portrait, cylinder(portrait, random.uniform(1.1, 1.4)), cut_out=True)
    return Gain(HeadRenderer(mask, close_lids), random.uniform(1.0, 1.9))


PAPER = (
    Species(
        "print-moved", "A print that is moved sideways and nearer when a cue is lit.", Claim.COVERED, _printed(_moved)
    ),
    Species(
        "print-tilted", "A print that is tilted by 20 to 75 degrees at turn cues.", Claim.COVERED, _printed(_tilted)
    ),
    Species("print-bent", "A print bent about its vertical axis, and turned.", Claim.COVERED, _printed(_bent)),
    Species("print-waved", "A print that waves, and is turned.", Claim.COVERED, _printed(_waved)),
    Species(
        "mask-held",
        "A print with eye holes, living eyes behind them, tilted at turn cues.",
        Claim.COVERED,
        _masked(_tilted),
    ),
    Species(
        "mask-bent", "A print with eye holes, living eyes behind them, bent and turned.", Claim.COVERED, _masked(_bent)
    ),
)
# A fold has relief and aspect like a nose's: landmarks do not tell it from a head.
_PAPER_IN_RELIEF = "Have the attendant look at the customer while the lights ask: folded paper deceives no eye."
RESIDUAL_PAPER = (
    Species(
        "mask-worn",
        "A paper mask with eye holes, worn around a head that answers.",
        Claim.RESIDUAL,
        _masked(_worn),
        advice=_PAPER_IN_RELIEF,
    ),
    Species(
        "print-folded",
        "A print folded along the nose and turned, its eyes printed, or closed by a flap.",
        Claim.RESIDUAL,
        _printed(_folded),
        advice=_PAPER_IN_RELIEF,
    ),
    Species(
        "mask-folded",
        "A print with eye holes, living eyes behind them, folded along the nose and turned.",
        Claim.RESIDUAL,
        _masked(_folded),
        advice=_PAPER_IN_RELIEF,
    ),
)
