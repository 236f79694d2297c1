"""The closed loop: panel -> pins -> person -> camera, with the real panel on mock pins."""

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

from device.camera import CaptureSource, RecordingEndedError
from device.camera.pace import RealTimeCamera
from device.camera.rehearsal import REACTION_S, CueWatcher, RehearsalCamera
from device.liveness.guidance import Guidance
from device.liveness.session import Press
from device.panel.gpio import Panel, PinMap, PinReader, mock_factory
from device.panel.prompts import Lights, Scene, prompt
from device.wire.plan import Action


@dataclass
class Diary:
    """A performance that notes what it was asked for; its pictures count up."""

    started: list[tuple[Action, int]] = field(default_factory=list)
    pictures: int = 0
    until: int = 0

    @property
    def busy(self) -> bool:
        return self.pictures < self.until

    def start(self, action: Action) -> None:
        self.started.append((action, self.pictures))
        self.until = self.pictures + 15

    def picture(self) -> np.ndarray:
        self.pictures += 1
        return np.full((4, 4, 3), self.pictures % 256, np.uint8)


class Writer:
    """A person of 20 pictures a second who keeps a diary."""

    name = "a diary"
    fps = 20.0

    def __init__(self, actions: frozenset[Action] = frozenset(Action)) -> None:
        self.actions = actions
        self.diary = Diary()

    def perform(self, seed: int) -> Diary:
        return self.diary


@pytest.fixture(params=[True, False], ids=["active-high", "active-low"])
def loop(request):
    """Runs scenes on a real panel; returns frames, presses and the diary."""
    pins, factory = PinMap(active_high=request.param), mock_factory()
    panel = Panel(pins, factory)
    reader = PinReader(pins, factory)

    def run(scenes, *, person=None, seed=0, glides=False):
        person = person or Writer()
        camera = RehearsalCamera(person, reader.lights, seed=seed, press_start=lambda: reader.press(Press.START))
        frames, presses = [], []
        for scene, seconds, action in scenes:
            began = frames[-1].taken_at if frames else 0.0
            panel.show(prompt(scene, 0.0, action=action, glides=glides))
            for _ in range(round(seconds * person.fps)):
                frames.append(camera.read())
                panel.show(prompt(scene, frames[-1].taken_at - began, action=action, glides=glides))
                presses += [(press, frames[-1].taken_at) for press in panel.presses()]
        return frames, presses, getattr(person, "diary", None)

    yield run
    panel.close()
    factory.close()


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("seed", range(5))
def test_each_cue_is_read_from_the_pins_and_answered_once_after_the_reaction_time(loop, action, seed):
    _, _, diary = loop([(Scene.POSITION, 1, None), (Scene.CUE, 5, action), (Scene.PAUSE, 1, None)], seed=seed)
    [(answered, picture)] = diary.started
    assert answered is action
    assert REACTION_S[0] <= picture / 20 - 1.0 <= REACTION_S[1] + 2 / 20


def test_cues_follow_each_other(loop):
    scenes = [(Scene.PAUSE, 1, None)]
    for action in (Action.BLINK_TWICE, Action.BLINK, Action.TURN_RIGHT, Action.LOOK_UP):
        scenes += [(Scene.CUE, 3, action), (Scene.STEP_DONE, 0.3, None), (Scene.PAUSE, 0.6, None)]
    _, _, diary = loop(scenes)
    assert [action for action, _ in diary.started] == [
        Action.BLINK_TWICE,
        Action.BLINK,
        Action.TURN_RIGHT,
        Action.LOOK_UP,
    ]


def test_what_the_person_cannot_do_is_not_answered(loop):
    _, _, diary = loop([(Scene.CUE, 5, Action.LOOK_UP)], person=Writer(frozenset({Action.BLINK})))
    assert diary.started == []


@pytest.mark.parametrize("action", list(Action))
def test_each_cue_is_read_from_steady_light_too(loop, action):
    scenes = [(Scene.CONSENT, 3, None), (Scene.POSITION, 1, None), (Scene.CUE, 5, action), (Scene.PAUSE, 1, None)]
    _, presses, diary = loop(scenes, glides=True)
    assert [what for what, _ in diary.started] == [action] and len(presses) == 1


@pytest.mark.parametrize("scene", [s for s in Scene if s is not Scene.CUE])
@pytest.mark.parametrize("guidance", [None, *Guidance])
def test_nothing_but_a_cue_is_taken_for_one(scene, guidance):
    watcher = CueWatcher()
    for tick in range(200):
        watcher.watch(tick / 20, prompt(scene, tick / 20, guidance=guidance))
        assert watcher.action() is None


def test_start_is_pressed_once_when_consent_is_asked_for(loop):
    _, presses, _ = loop([(Scene.IDLE, 4, None), (Scene.CONSENT, 5, None), (Scene.POSITION, 2, None)])
    [(press, at)] = presses
    assert press is Press.START
    assert 4.0 + REACTION_S[0] <= at <= 4.0 + REACTION_S[1] + 0.1


def test_start_is_pressed_again_for_the_next_session(loop):
    session = [(Scene.CONSENT, 3, None), (Scene.POSITION, 1, None), (Scene.REJECTED, 3, None), (Scene.IDLE, 4, None)]
    _, presses, _ = loop(session * 2)
    assert [press for press, _ in presses] == [Press.START, Press.START]


@pytest.mark.parametrize("scene", [s for s in Scene if s not in (Scene.CONSENT, Scene.WITNESS)])
def test_start_is_pressed_for_nothing_else(loop, scene):
    _, presses, _ = loop([(scene, 6, Action.BLINK)])
    assert presses == []


def test_time_is_recorded_time(loop):
    frames, _, _ = loop([(Scene.IDLE, 3, None)])
    assert [frame.taken_at for frame in frames] == pytest.approx([n / 20 for n in range(60)])
    assert [frame.number for frame in frames] == list(range(60))


def test_the_source_is_told():
    assert RehearsalCamera(Writer(), Lights).source is CaptureSource.REHEARSAL


def test_real_pace_waits_until_a_frame_is_due_and_ends_when_closed():
    camera = RealTimeCamera(RehearsalCamera(Writer(), Lights))
    camera.read()
    reader_ended = threading.Event()

    def read_on() -> None:
        try:
            while True:
                camera.read()
        except RecordingEndedError:
            reader_ended.set()

    thread = threading.Thread(target=read_on)
    thread.start()
    camera.close()
    camera.close()
    assert reader_ended.wait(5.0)
    thread.join(5.0)
    assert camera.source is CaptureSource.REHEARSAL
