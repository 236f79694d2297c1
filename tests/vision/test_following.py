"""The follower before the animated person of a public-domain portrait, on both runtimes."""

import cv2
import numpy as np
import pytest

from device.camera.person import load_person
from device.signals import Frame
from device.vision.assembly import Vision
from device.vision.following import COUNT_EVERY
from device.vision.manifest import default_directory
from device.wire.plan import Action

FPS = 30.0
EMPTY = np.full((480, 640, 3), 120, np.uint8)


@pytest.fixture(scope="module")
def vision(models):
    return Vision(models)


@pytest.fixture(scope="module")
def person():
    return load_person(default_directory() / "rehearsal" / "astronaut.json")


@pytest.fixture
def look(vision):
    """Shows pictures one after the other to a follower that has seen nothing; returns the signals of each."""
    vision.follower.restart()
    number = iter(range(10_000))

    def look(*pictures):
        frames = (Frame(picture, n / FPS, n) for picture, n in zip(pictures, number, strict=False))
        return [vision.follower.look(frame) for frame in frames]

    return look


def pictures(person, count, seed=1):
    performance = person.perform(seed)
    return [performance.picture() for _ in range(count)]


def test_a_face_is_followed_through_every_frame(look, person):
    seen = look(*pictures(person, 3 * COUNT_EVERY))
    assert [signals.faces for signals, _ in seen] == [1] * len(seen)
    views = [signals.view for signals, _ in seen]
    assert all(view is not None for view in views)
    assert not any(signals.repeated for signals, _ in seen)
    assert [signals.number for signals, _ in seen] == list(range(len(seen)))
    assert seen[3][0].at == pytest.approx(3 / FPS)
    first = views[0]
    for view in views:
        assert view.yaw == pytest.approx(first.yaw, abs=5)
        assert view.width == pytest.approx(first.width, rel=0.1)
        assert min(view.left_eye, view.right_eye) > 0.15
        assert (view.relief, view.aspect, view.likeness) == (None, None, None)


def test_landmarks_and_box_agree_with_the_view(look, person):
    ((signals, face),) = look(*pictures(person, 1))
    x, y = face.landmarks[:, 0], face.landmarks[:, 1]
    assert (face.box.x, face.box.y) == pytest.approx((x.min(), y.min()), abs=0.01)
    assert signals.view.width == pytest.approx((x.max() - x.min()) / 480, rel=1e-3)
    assert signals.view.centre_x == pytest.approx((x.max() + x.min()) / 2 / 640, rel=1e-3)
    assert signals.view.centre_y == pytest.approx((y.max() + y.min()) / 2 / 480, rel=1e-3)


@pytest.mark.parametrize(("action", "sign"), [(Action.TURN_LEFT, 1), (Action.TURN_RIGHT, -1)])
def test_a_turning_head_is_followed_to_its_side(look, person, action, sign):
    performance = person.perform(1)
    neutral = look(performance.picture())[0][0].view.yaw
    performance.start(action)
    yaws = []
    while performance.busy:
        ((signals, _),) = look(performance.picture())
        assert signals.view is not None
        yaws.append(sign * (signals.view.yaw - neutral))
    assert max(yaws) > 20
    assert min(yaws) > -10
    assert abs(yaws[-1]) < 10


def side_by_side(one, other):
    return np.ascontiguousarray(np.concatenate((one[:, 100:540], other[:, 100:540]), axis=1))


def test_two_people_are_counted(look, person):
    shown = [side_by_side(a, b) for a, b in zip(pictures(person, 8, 1), pictures(person, 8, 2), strict=True)]
    seen = look(*shown)
    assert [signals.faces for signals, _ in seen] == [2] * len(seen)
    assert len({round(signals.view.centre_x, 1) for signals, _ in seen}) == 1  # it stays with one of them


def test_somebody_who_joins_is_counted_soon_and_the_first_stays_followed(look, person):
    alone, both = pictures(person, 2 * COUNT_EVERY + 2), pictures(person, 1, 2)[0]
    shown = [side_by_side(one, EMPTY) for one in alone[:2]] + [side_by_side(one, both) for one in alone[2:]]
    seen = look(*shown)
    counts = [signals.faces for signals, _ in seen]
    assert counts[0] == 1
    assert counts[2 + COUNT_EVERY :] == [2] * (COUNT_EVERY)
    assert all(signals.view.centre_x < 0.5 for signals, _ in seen)


def test_a_repeated_frame_is_flagged(look, person):
    one, two = pictures(person, 2)
    seen = look(one, one, two, two.copy(), one)
    assert [signals.repeated for signals, _ in seen] == [False, True, False, True, False]


def test_a_face_is_lost_at_once_and_found_again(look, person):
    shown = pictures(person, 10)
    shown[4:7] = [EMPTY] * 3
    seen = look(*shown)
    assert [signals.view is not None for signals, _ in seen] == [True] * 4 + [False] * 3 + [True] * 3
    assert [face is not None for _, face in seen] == [signals.view is not None for signals, _ in seen]
    assert [signals.faces for signals, _ in seen] == [1] * 4 + [0] * 3 + [1] * 3


def test_a_face_that_jumps_is_found_again(look, person):
    one, two, three = pictures(person, 3)
    jumped = cv2.warpAffine(two, np.float32([[0.6, 0, 0], [0, 0.6, 0]]), (640, 480))
    (before, _), *_, (after, _) = look(one, jumped, cv2.GaussianBlur(jumped, (3, 3), 0), three)
    assert before.view is not None
    assert after.view is not None
    assert after.view.width == pytest.approx(before.view.width, rel=0.1)


def test_restart_forgets_the_face_and_the_frame_before(look, vision, person):
    (one,) = pictures(person, 1)
    look(one)
    vision.follower.restart()
    ((signals, _),) = look(one)
    assert not signals.repeated
    ((signals, face),) = look(EMPTY)
    assert (signals.faces, signals.view, face) == (0, None, None)


@pytest.mark.parametrize("size", [(480, 640), (8, 8), (1, 1), (3, 2000)])
def test_noise_holds_no_face_whatever_its_size(look, size):
    noise = np.random.default_rng(3).integers(0, 256, (*size, 3)).astype(np.uint8)
    ((signals, face),) = look(noise)
    assert (signals.faces, face) == (0, None)
