"""Species of screens and footage: stills on a tablet, tilted recordings, replays that are deaf or cut to a script."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from device.camera import Camera
from device.camera.animation import HeadRenderer
from device.camera.recording import RecordingCamera
from device.evaluation.redteam.acting import Actor, ScriptedCamera, TiltedRecording
from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.eyes import stay_open
from device.evaluation.redteam.flat import Handling, Plane
from device.evaluation.redteam.gallery import Gallery
from device.evaluation.redteam.lenses import Screen, SeenThrough
from device.evaluation.redteam.species import Claim, Scene, Species, animated, answering
from device.panel.gpio import PinReader
from device.wire.plan import DEFAULT_ACTIONS, Action, possible_plans

LATEST_CUE_S = 1.6  # the longest pause before a cue
_SURELY_LIT_S = 0.3
# How long each action of the animation lasts until the session has it: with the hold, or the wait for another blink.
_TAKES_S = {Action.TURN_LEFT: 2.0, Action.TURN_RIGHT: 2.0, Action.BLINK: 1.1, Action.BLINK_TWICE: 1.15}


def _tablet_still(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    handling = Handling(
        tilt=random.uniform(0.0, 2.2), shift=random.uniform(0.0, 3.0), grow=random.uniform(-0.004, 0.008)
    )
    still = Plane(HeadRenderer(cast.head(name), stay_open), handling)
    return Scene(answering(SeenThrough(animated(still), Screen)), cast.reference(name))


def _tablet_tilted(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    """As tests of the flatness rules found it: 29 to 33 degrees of a head, times the gain."""
    handling = Handling(tilt=random.uniform(0.7, 2.3), focal_length=random.uniform(550.0, 1500.0))
    blinking = animated(Plane(HeadRenderer(cast.head(name)), handling))
    return Scene(answering(SeenThrough(blinking, Screen)), cast.reference(name))


def _recording_tilted(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    person, peak_deg = cast.person(name), float(random.uniform(20.0, 70.0))
    tilted = Actor(lambda seed: TiltedRecording(person.perform(seed), person.fps, peak_deg), person.fps)
    return Scene(answering(tilted), cast.chip(name))


def _deaf(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    clip, of = cast.gallery.clips()[name]

    def play(_panel: PinReader, _seed: int) -> Camera:
        return RecordingCamera(clip)

    return Scene(play, cast.clip_reference(of), press_start=True)


def _edited(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    """A perfect puppet of the victim, cut to one of the possible plans at the best times."""
    plans = possible_plans(DEFAULT_ACTIONS)
    return scripted(cast, name, script_for(plans[int(random.integers(len(plans)))]))


def _surplus(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    """The same, with blinks to spare: they are nobody's fault, and may serve where another plan asks for them."""
    turn = (Action.TURN_LEFT, Action.TURN_RIGHT)[int(random.integers(2))]
    return scripted(cast, name, surplus_script(turn))


def scripted(cast: Cast, name: str, script: Sequence[tuple[float, Action]]) -> Scene:
    """A puppet of the victim that plays a script, deaf to the cues."""
    person = animated(HeadRenderer(cast.head(name)))

    def play(panel: PinReader, seed: int) -> Camera:
        return ScriptedCamera(person, panel, script, seed)

    return Scene(play, cast.reference(name))


def script_for(plan: Sequence[Action]) -> list[tuple[float, Action]]:
    """Seconds from the challenge's begin at which each action of a plan fits whatever the pauses are."""
    script, at = list[tuple[float, Action]](), 0.0
    for action in plan:
        at += LATEST_CUE_S + _SURELY_LIT_S
        script.append((at, action))
        at += _TAKES_S[action]
    return script


def surplus_script(turn: Action) -> list[tuple[float, Action]]:
    """Blinks to spare around two turns: the best script that `benchmarks.guesses` found, right for 2.1 of 32 plans."""
    other = Action.TURN_LEFT if turn is Action.TURN_RIGHT else Action.TURN_RIGHT
    twice = Action.BLINK_TWICE
    return [(1.14, twice), (4.21, turn), (6.78, twice), (9.06, other), (12.06, twice)]


def _answering_screen(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    """A tablet whose operator plays the right turn or blink as each cue is lit; held upright."""
    return Scene(answering(SeenThrough(animated(HeadRenderer(cast.head(name))), Screen)), cast.reference(name))


def _blinking_people(gallery: Gallery) -> Sequence[str]:
    return list(gallery.blinkers())


def _all_clips(gallery: Gallery) -> Sequence[str]:
    return list(gallery.clips())


SCREENS = (
    Species("tablet-still", "A tablet that shows a still portrait, moved and tilted.", Claim.COVERED, _tablet_still),
    Species(
        "tablet-tilted",
        "A tablet that shows a face which blinks when asked, tilted for turns.",
        Claim.COVERED,
        _tablet_tilted,
    ),
    Species(
        "recording-tilted",
        "A real recording that blinks when asked, tilted by 20 to 70 degrees.",
        Claim.COVERED,
        _recording_tilted,
        _blinking_people,
    ),
    Species(
        "replay-deaf",
        "A clip that simply plays: two filmed screens, and every genuine clip.",
        Claim.COVERED,
        _deaf,
        _all_clips,
    ),
    Species(
        "replay-edited",
        "A perfect puppet cut to a plausible order of actions, at the best times.",
        Claim.GUESS,
        _edited,
    ),
    Species("replay-surplus", "The same with blinks to spare, which may fit several plans.", Claim.GUESS, _surplus),
)
RESIDUAL_SCREENS = (
    Species(
        "screen-answering",
        "A tablet, held upright, whose operator plays the right turn or blink for each cue.",
        Claim.RESIDUAL,
        _answering_screen,
        advice="Stand the terminal where the attendant sees what is held before it; refuse screens. The "
        "coloured light, where fitted, tells a screen by what it does not reflect.",
    ),
)
