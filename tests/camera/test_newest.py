"""The camera's thread and its slot, with a camera that the test feeds frame by frame."""

import threading
from queue import SimpleQueue

import numpy as np
import pytest

from device.camera import CameraStalledError, CaptureSource, RecordingEndedError
from device.camera.newest import NewestFrame
from device.camera.recording import RecordingCamera
from device.signals import Frame

LIMIT_S = 20.0
AT_ONCE_S = 0.0


class HandFedCamera:
    """Delivers what the test puts in; `waits` counts how often the thread came back for more."""

    source = CaptureSource.USB_CAMERA

    def __init__(self) -> None:
        self._fed: SimpleQueue[Frame | BaseException] = SimpleQueue()
        self.waits = threading.Semaphore(0)
        self.closed = 0

    def feed(self, *items: Frame | BaseException) -> None:
        for item in items:
            self._fed.put(item)

    def read(self) -> Frame:
        self.waits.release()
        item = self._fed.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        self.closed += 1


def frame(number: int) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), number / 30, number)


@pytest.fixture
def camera():
    return HandFedCamera()


@pytest.fixture
def frames(camera):
    """Started; its thread is let go at the end."""
    newest = NewestFrame(camera)
    newest.start()
    assert camera.waits.acquire(timeout=LIMIT_S)
    yield newest
    camera.feed(RecordingEndedError("the test is over"))
    newest.stop(LIMIT_S)


def deliver(camera: HandFedCamera, *items: Frame) -> None:
    """Returns when the thread has put them all in the slot."""
    camera.feed(*items)
    for _ in items:
        assert camera.waits.acquire(timeout=LIMIT_S)


def test_the_newest_frame_wins_and_is_given_once(camera, frames):
    deliver(camera, frame(0), frame(1), frame(2))
    assert frames.take(LIMIT_S).number == 2
    assert frames.take(AT_ONCE_S) is None
    deliver(camera, frame(3))
    assert frames.take(AT_ONCE_S).number == 3


def test_who_waits_is_woken_by_the_next_frame(camera, frames):
    taken = []
    waiter = threading.Thread(target=lambda: taken.append(frames.take(LIMIT_S)))
    waiter.start()
    camera.feed(frame(7))
    waiter.join(LIMIT_S)
    assert [one.number for one in taken] == [7]


def test_without_a_frame_there_is_none(frames):
    assert frames.take(0.01) is None
    assert frames.source is CaptureSource.USB_CAMERA


@pytest.mark.parametrize("fault", [CameraStalledError("no frame came"), ZeroDivisionError("unexpected")])
def test_what_the_camera_raises_reaches_take_again_and_again(camera, frames, fault):
    camera.feed(fault)
    for _ in range(2):
        with pytest.raises(type(fault)) as caught:
            frames.take(LIMIT_S)
        assert caught.value is fault


def test_a_frame_before_the_fault_is_still_given(camera, frames):
    deliver(camera, frame(0))
    camera.feed(CameraStalledError("no frame came"))
    seen = []
    with pytest.raises(CameraStalledError):
        while True:
            seen.append(frames.take(LIMIT_S))
    assert [one.number for one in seen] == [0]


class TirelessCamera(HandFedCamera):
    """Never lets its reader wait."""

    def read(self) -> Frame:
        self.feed(frame(0))
        return super().read()


def test_stop_ends_the_thread_and_closes_the_camera():
    camera = TirelessCamera()
    frames = NewestFrame(camera)
    frames.start()
    assert frames.take(LIMIT_S) is not None
    assert frames.stop(LIMIT_S)
    assert camera.closed == 1
    assert "camera" not in [thread.name for thread in threading.enumerate()]


def test_a_camera_that_hangs_is_told_and_not_closed_under_its_reader(camera, frames):
    assert frames.stop(limit_s=0.01) is False
    assert camera.closed == 0


def test_a_real_recording_is_read_to_its_end(write_clip):
    frames = NewestFrame(RecordingCamera(write_clip(frames=12)))
    frames.start()
    numbers = []
    with pytest.raises(RecordingEndedError, match="after 12 frames"):
        while True:
            numbers.append(frames.take(LIMIT_S).number)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 11
    assert frames.stop(LIMIT_S)


def test_recorded_time_may_wait_for_its_taker_so_that_no_frame_is_dropped(write_clip):
    frames = NewestFrame(RecordingCamera(write_clip(frames=12)), waits_for_taker=True)
    frames.start()
    numbers = []
    with pytest.raises(RecordingEndedError):
        while True:
            numbers.append(frames.take(LIMIT_S).number)
    assert numbers == list(range(12))
    assert frames.stop(LIMIT_S)


def test_who_waits_for_its_taker_is_stopped_too():
    camera = TirelessCamera()
    frames = NewestFrame(camera, waits_for_taker=True)
    frames.start()
    assert frames.take(LIMIT_S) is not None
    assert frames.stop(LIMIT_S)
    assert camera.closed == 1
