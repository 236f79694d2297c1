"""The animated person and the printed photo, as the terminal's own models see them."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import models
from device.camera.animation import HeadRenderer, Posture, Renderer
from device.camera.person import load_person
from device.camera.portrait import HEIGHT, WIDTH, load_picture, load_portrait
from device.camera.printed import PrintRenderer
from device.signals import Face, Frame
from device.vision.assembly import Vision, load_vision
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, openness
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.vision.pose import Pose, PoseSolver
from device.vision.relief import relief
from device.wire.plan import Action

REHEARSAL = Path(models.__file__).parent / "rehearsal"
MIN_RELIEF = 0.055


@pytest.fixture(scope="module")
def vision() -> Vision:
    return load_vision(default_directory(), preferred_runtime())


@pytest.fixture(scope="module")
def head() -> HeadRenderer:
    files = (REHEARSAL / f"astronaut{end}" for end in (".png", "_head.png", "_landmarks.csv"))
    return HeadRenderer(load_portrait(*files))


@pytest.fixture(scope="module")
def sheet() -> PrintRenderer:
    return PrintRenderer(load_picture(REHEARSAL / "astronaut.png"))


@pytest.fixture
def see(vision):
    """Returns the face in a rendered posture and its pose."""
    face = vision.models.canonical_face
    solver = PoseSolver(face.vertices, face.weights)

    def look(renderer: Renderer, posture: Posture) -> tuple[Face, Pose]:
        vision.follower.restart()
        _, found = vision.follower.look(Frame(renderer.render(posture), 0.0, 0))
        assert found is not None
        return found, solver.solve(found.landmarks)

    return look


@pytest.mark.parametrize("yaw", [-33, -30, -20, 20, 30, 33])
def test_the_head_turns_to_the_side_and_as_far_as_asked(head, see, yaw):
    _, straight = see(head, Posture())
    _, turned = see(head, Posture(yaw=yaw))
    assert turned.yaw - straight.yaw == pytest.approx(yaw, abs=4.0)
    assert abs(turned.pitch - straight.pitch) < 6.0


def test_looking_up_is_seen(head, see):
    _, straight = see(head, Posture())
    _, up = see(head, Posture(pitch=18))
    assert up.pitch - straight.pitch > 14


@pytest.mark.parametrize("yaw", [-25, -18, 18, 25])
def test_the_turned_head_is_no_plane(head, see, yaw):
    frontal, _ = see(head, Posture())
    turned, _ = see(head, Posture(yaw=yaw))
    assert relief(frontal.landmarks, turned.landmarks) > 1.5 * MIN_RELIEF


def test_both_lids_close(head, see):
    (wide, _), (shut, _) = see(head, Posture()), see(head, Posture(closure=1.0))
    for eye in (LEFT_EYE, RIGHT_EYE):
        assert openness(shut.landmarks, eye) < 0.4 * openness(wide.landmarks, eye)


@pytest.mark.parametrize("yaw", [-33, 33])
def test_a_tilted_print_stays_a_plane_and_hardly_turns(sheet, see, yaw):
    (frontal, straight), (tilted, pose) = see(sheet, Posture()), see(sheet, Posture(yaw=yaw))
    assert relief(frontal.landmarks, tilted.landmarks) < MIN_RELIEF
    assert abs(pose.yaw - straight.yaw) < 10


def test_printed_eyes_do_not_close(sheet):
    assert np.array_equal(sheet.render(Posture()), sheet.render(Posture(closure=1.0)))


def test_the_background_stays_still(head):
    straight, turned = head.render(Posture()), head.render(Posture(yaw=30, pitch=10, closure=1.0))
    assert np.array_equal(straight[:, :100], turned[:, :100])
    assert np.array_equal(straight[:, -100:], turned[:, -100:])


def test_extreme_postures_are_drawn_too(head, sheet):
    for renderer in (head, sheet):
        for posture in (Posture(yaw=80), Posture(yaw=-80, pitch=40), Posture(closure=9.0), Posture(x=500, y=-500)):
            assert renderer.render(posture).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("name", ["astronaut", "astronaut_print"])
def test_the_same_seed_gives_the_same_pictures_and_no_two_are_alike(name):
    person = load_person(REHEARSAL / f"{name}.json")

    def pictures(seed: int) -> list[np.ndarray]:
        performance = person.perform(seed)
        performance.start(Action.TURN_LEFT)
        return [performance.picture() for _ in range(12)]

    first, again, other = pictures(1), pictures(1), pictures(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert len({image.tobytes() for image in first}) == len(first)


@pytest.mark.parametrize(
    ("action", "low_s", "high_s"),
    [
        (Action.TURN_LEFT, 1.6, 2.0),
        (Action.BLINK, 0.2, 0.3),
        (Action.BLINK_TWICE, 0.6, 1.0),
        (Action.LOOK_UP, 1.6, 2.0),
    ],
)
def test_an_action_takes_as_long_as_people_take(action, low_s, high_s):
    person = load_person(REHEARSAL / "astronaut_print.json")
    performance = person.perform(0)
    performance.start(action)
    pictures = 0
    while performance.busy:
        performance.picture()
        pictures += 1
    assert low_s <= pictures / person.fps <= high_s + 2 / person.fps


def test_rendering_keeps_up_with_a_camera(head):
    """Thirty frames a second leave 33 ms of processor time each; it takes about 7 of a server core."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        began = time.process_time()
        for number in range(30):
            head.render(Posture(yaw=number, pitch=1.0, x=1.0))
        assert (time.process_time() - began) / 30 < 0.033
    finally:
        cv2.setNumThreads(threads)
