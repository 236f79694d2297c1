"""The coloured light in simulation: each kind of scene once, and whole sessions from the pins to the verdict."""

import numpy as np
import pytest

from device.camera.person import load_person
from device.decision import LIGHT_NOT_ANSWERED
from device.evaluation.lit import LitSensor, Room, Scene
from device.evaluation.lit_camera import lit_by_the_ring
from device.evaluation.sessions import Drawn, answering, verify_on_desk
from device.liveness.light import LightSample, judge_light
from device.signals import Chroma
from device.vision.assembly import load_vision
from device.vision.chroma import log_ratios
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.vision.reference import PortraitReader
from device.wire.light import LightVerdict, derive_light
from device.wire.plan import Action, Plan

FPS = 20
CODE = derive_light(nonce=bytes(16), salt=bytes(16), session="s", terminal="t")
REHEARSAL = default_directory() / "rehearsal"


def seen(scene: Scene, room: Room) -> LightVerdict:
    """Eight seconds of a patch of skin before a wall."""
    sensor = LitSensor(room, scene, 1)
    skin, wall = np.tile(np.uint8([180, 130, 110]), (300, 1)), np.tile(np.uint8([120, 125, 130]), (300, 1))
    pixels = np.concatenate([skin, wall])
    reach = np.repeat(np.float32([0.9, room.background_reach]), 300)
    samples = []
    for number in range(8 * FPS):
        lit = sensor.expose(pixels, reach, CODE.duties(number / FPS - 0.1), 1 / FPS)
        samples.append(LightSample(number / FPS, Chroma(log_ratios(lit[:300]), log_ratios(lit[300:]))))
    return judge_light(samples, CODE).verdict


@pytest.mark.parametrize("scene", [Scene.LIVE, Scene.CUT_OUT])
def test_what_stands_in_the_light_answers(scene):
    assert seen(scene, Room(300.0)) is LightVerdict.ANSWERED


@pytest.mark.parametrize("scene", [Scene.SCREEN, Scene.INJECTED, Scene.PRINT, Scene.TINTED])
def test_a_screen_an_injection_and_what_is_lit_all_over_do_not(scene):
    assert seen(scene, Room(300.0)) is LightVerdict.NOT_ANSWERED


def test_a_very_bright_room_outshines_the_ring():
    assert seen(Scene.LIVE, Room(20_000.0)) is LightVerdict.NOT_ANSWERED


@pytest.mark.parametrize(
    ("lit", "verdict", "reasons"),
    [(True, LightVerdict.ANSWERED, []), (False, LightVerdict.NOT_ANSWERED, [LIGHT_NOT_ANSWERED])],
    ids=["lit", "injected: the ring is not seen"],
)
def test_a_session_from_the_pins_to_the_verdict(lit, verdict, reasons):
    vision = load_vision(default_directory(), preferred_runtime())
    reference = PortraitReader(vision.models).read(REHEARSAL / "astronaut.png").embedding
    plan = Plan((Action.TURN_LEFT, Action.BLINK), (0.6, 1.2))
    make = answering(load_person(REHEARSAL / "astronaut.json"))
    make = lit_by_the_ring(make, vision, Room(300.0)) if lit else make
    found, document = verify_on_desk(make, vision, reference, Drawn(1, plan.actions, plan, bytes(16), CODE))
    assert document["liveness"]["light"]["verdict"] == verdict
    assert list(found.decision.reasons) == reasons
    assert (document["outcome"] == "verified") == lit
