"""The real Picamera2 class on libcamera's virtual pipeline: what differs from a Pi's, and no more."""

import sys
import threading
from contextlib import suppress
from queue import Empty, Queue
from time import monotonic
from types import ModuleType, SimpleNamespace
from typing import Any


def _absent(name: str, **names: Any) -> None:
    module = ModuleType(name)
    vars(module).update(names)
    sys.modules[name] = module


class Names:
    """Every name there is, for a table that nobody reads."""

    def __getattr__(self, name: str) -> str:
        return name


# Preview windows and raw pictures: neither is used here, and neither library is in Debian.
_absent("pykms", PixelFormat=Names())
_absent("pidng")
_absent("pidng.core", PICAM2DNG=object)
_absent("pidng.camdefs", Picamera2Camera=object)

import libcamera  # noqa: E402
import picamera2  # noqa: E402
from picamera2.allocators import LibcameraAllocator  # noqa: E402

picamera2.picamera2.DmaAllocator = SimpleNamespace  # which close() makes anew, and which would need a DMA heap

REPEATS = 4
"""How often the virtual pipeline of libcamera 0.4 shows each picture of a folder."""


class Sensor:
    """libcamera's camera behind a shutter: the virtual pipeline by itself answers each request at once.

    Attributes:
        fps: exposures a second; with None each waits for `expose`; with 0 there are none, as behind a broken cable.
        exposed: exposures so far.
    """

    def __init__(self, camera: Any, fps: float | None) -> None:
        self._camera, self.fps, self.exposed = camera, fps, 0
        self._waiting: Queue[Any] = Queue()
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._run, name="sensor", daemon=True)
        self._clock.start()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._camera, name)

    def queue_request(self, request: Any) -> None:
        """What Picamera2 calls with an empty buffer."""
        self._waiting.put(request)

    def expose(self) -> None:
        """Fills the oldest empty buffer."""
        request = self._waiting.get()
        if request is not None:
            self.exposed += 1
            self._camera.queue_request(request)

    def stop(self) -> None:
        """Empty buffers go back: libcamera wants none after this."""
        with suppress(Empty):
            while True:
                self._waiting.get_nowait()
        self._camera.stop()

    def release(self) -> None:
        """Ends the shutter's thread, too."""
        self._ended.set()
        self._waiting.put(None)
        self._clock.join()
        self._camera.release()

    def _run(self) -> None:
        due = monotonic()
        while not self._ended.wait(max(due - monotonic(), 0.0)):
            due = max(due + 1.0 / (self.fps or 10.0), monotonic())
            if self.fps:
                self.expose()


class VirtualPicamera2(picamera2.Picamera2):
    """Picamera2 without a raw stream, on memory that libcamera allocates, with a shutter."""

    fps: float | None = 30.0
    recorded_fps: float | None = None
    """With this, exposed is what is asked for, and the sensor's clock counts it: no machine is too slow."""

    def __init__(self, index: int = 0) -> None:
        super().__init__(index, allocator=SimpleNamespace())
        self.allocator = LibcameraAllocator(self.camera)
        self.camera = self.sensor = Sensor(self.camera, None if self.recorded_fps else self.fps)

    def capture_request(self, *arguments: Any, **named: Any) -> Any:
        """Picamera2's, on recorded time if so wanted."""
        if not self.recorded_fps:
            return super().capture_request(*arguments, **named)
        taken_at = self.sensor.exposed / REPEATS / self.recorded_fps
        for _ in range(REPEATS - 1):
            self.sensor.expose()
            super().capture_request(*arguments, **named).release()
        self.sensor.expose()
        request = super().capture_request(*arguments, **named)
        metadata = request.get_metadata() | {"SensorTimestamp": round(taken_at * 1e9)}
        request.get_metadata = lambda: metadata
        return request

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        formats = self.camera.generate_configuration([libcamera.StreamRole.VideoRecording]).at(0).formats
        return [
            {"format": str(pixels), "size": (size.width, size.height)}
            for pixels in formats.pixel_formats
            for size in formats.sizes(pixels)
        ]


def install() -> None:
    """From now on, whoever imports Picamera2 gets this one."""
    picamera2.Picamera2 = VirtualPicamera2
