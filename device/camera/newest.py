"""The camera's thread and its one slot: whoever takes a frame gets the newest, never a queue of old ones."""

from __future__ import annotations

import threading

from device.camera import Camera, CaptureSource, HoldsColours
from device.signals import Frame


class NewestFrame:
    """Reads a camera on a thread of its own. Unexpected exceptions reach `take` like expected ones."""

    def __init__(self, camera: Camera, *, waits_for_taker: bool = False) -> None:
        """Takes the camera; with `waits_for_taker` no frame is dropped, as befits recorded time on a slow machine."""
        self._camera = camera
        self._waits_for_taker = waits_for_taker
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._fault: BaseException | None = None
        self._stop = threading.Event()
        self._held = False
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    @property
    def source(self) -> CaptureSource:
        """What kind of camera this is."""
        return self._camera.source

    @property
    def drops(self) -> bool:
        """Whether frames that nobody takes in time are lost, so that whoever takes them may pause."""
        return not self._waits_for_taker

    @property
    def can_hold_colours(self) -> bool:
        """Whether the camera can keep exposure and white balance as they are."""
        return isinstance(self._camera, HoldsColours)

    def hold_colours(self, held: bool) -> None:
        """Holds exposure and white balance, or lets them adapt again; without effect on a camera that cannot."""
        if held != self._held and isinstance(self._camera, HoldsColours):
            self._held = held
            self._camera.hold_colours(held)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def take(self, wait_s: float) -> Frame | None:
        """Returns the newest frame, once; None when none came within `wait_s`. Raises what the camera raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._fault is not None, wait_s)
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            if frame is None and self._fault is not None:
                raise self._fault
            return frame

    def stop(self, limit_s: float = 2.0) -> bool:
        """Ends the thread and closes the camera; False when it hangs, as a wedged camera does."""
        with self._changed:
            self._stop.set()
            self._changed.notify_all()
        self._thread.join(limit_s)
        if self._thread.is_alive():
            return False
        # A wedged driver blocks in close() as well: that, too, may take no longer than the limit.
        closer = threading.Thread(target=self._camera.close, name="camera-close", daemon=True)
        closer.start()
        closer.join(limit_s)
        return not closer.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._put(self._camera.read())
        except BaseException as error:  # noqa: BLE001 - carried to the main thread, which ends the process
            self._fail(error)

    def _put(self, frame: Frame) -> None:
        with self._changed:
            if self._waits_for_taker:
                self._changed.wait_for(lambda: self._frame is None or self._stop.is_set())
            self._frame = frame
            self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._fault = error
            self._changed.notify_all()
