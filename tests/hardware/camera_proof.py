"""What the terminal's PiCamera does on libcamera's virtual pipeline. Usage: see `camera`; runs in its root folder."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import virtual_picamera2

from device.camera import CameraError, CameraStalledError
from device.camera.person import Person, load_person
from device.camera.picamera import LORES_SIZE, MAIN_SIZE, PiCamera
from device.camera.rehearsal import RehearsalCamera
from device.evaluation.sessions import MakeCamera, draw, verify_on_desk
from device.liveness.session import Press
from device.panel.gpio import PinReader
from device.signals import Frame
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.vision.reference import PortraitReader

SENSOR = Path("/usr/share/libcamera/pipeline/virtual/virtual.yaml")
FRAMES = Path("/proof/frames")
PERSON = Path("/proof/person.json")
REHEARSAL = Path("/proof/rehearsal.json")
SHIM = {
    "LD_PRELOAD": "/proof/udmabuf.so",  # without effect on a kernel that has /dev/udmabuf
    # The virtual pipeline of libcamera 0.4 leaves each frame's status as it found it in memory: zero is success.
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.perturb=255",
    "LIBCAMERA_LOG_LEVELS": "*:FATAL",
}
SEED = 1
STALLED_AFTER_S = 1.0
NO_STALL_S = 120.0


class ProofError(Exception):
    """Something was not as it is to be; the message says what."""


def expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise ProofError(what)
    print(f"  {what}", flush=True)


def wire(sizes: list[tuple[int, int]] | None) -> None:
    """Puts a sensor of these sizes before the next process; None takes it away."""
    sensor = {
        "supported_formats": [
            {"width": width, "height": height, "frame_rates": [30, 30]} for width, height in sizes or []
        ],
        "frames": {"path": f"{FRAMES}/"},
        "location": "CameraLocationFront",
        "model": "recording",
    }
    SENSOR.parent.mkdir(parents=True, exist_ok=True)
    SENSOR.write_text(json.dumps({"Recording": sensor} if sizes else {}))


def film(pictures: list[np.ndarray]) -> None:
    """Lays down what the sensor sees, over and over."""
    FRAMES.mkdir(exist_ok=True)
    for path in FRAMES.iterdir():
        path.unlink()
    for number, picture in enumerate(pictures):
        shown = cv2.resize(picture, MAIN_SIZE, interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(
            str(FRAMES / f"{number}.jpg"), cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95]
        )


def colours() -> list[np.ndarray]:
    """One picture: red, green and blue stripes."""
    picture = np.zeros((480, 640, 3), np.uint8)
    for number in range(3):
        picture[:, number * 214 : number * 214 + 214, number] = 200
    return [picture]


class Tap:
    """A rehearsal that keeps its pictures, and before which of them START was pressed."""

    def __init__(self, panel: PinReader, seed: int) -> None:
        self._camera = RehearsalCamera(actor(), panel.lights, seed=seed, press_start=self._press)
        self._panel, self.pictures, self.pressed_at = panel, [], 0
        self.source, self.close = self._camera.source, self._camera.close

    def read(self) -> Frame:
        frame = self._camera.read()
        self.pictures.append(frame.image)
        return frame

    def _press(self) -> None:
        self.pressed_at = len(self.pictures)
        self._panel.press(Press.START)


class Finger:
    """The terminal's camera, and a finger on START before one of its pictures."""

    def __init__(self, panel: PinReader, pressed_at: int) -> None:
        self._camera, self._panel, self._left = PiCamera(stalled_after_s=NO_STALL_S), panel, pressed_at
        self.source, self.close = self._camera.source, self._camera.close

    def read(self) -> Frame:
        if self._left == 0:
            self._panel.press(Press.START)
        self._left -= 1
        return self._camera.read()


def formats() -> None:
    """Asked for BGR888 and YUV420, the pipeline silently gives NV12: it is read as what it is."""
    camera = PiCamera()
    try:
        granted, frames = (camera._main, camera._lores), [camera.read() for _ in range(5)]
        told = camera.conditions()
    finally:
        camera.close()
        camera.close()
    expect([stream.format for stream in granted] == ["NV12", "NV12"], "both streams were adjusted to NV12, and noticed")
    sizes = [(stream.width, stream.height) for stream in granted]
    expect(bool(told.model) and len(told.streams) == 2, f"tells the doctor of itself: {told}")
    newest = frames[-1]
    expect([newest.detail.shape[1::-1], newest.image.shape[1::-1]] == sizes, f"pictures of the granted sizes {sizes}")
    for name, picture in (("main", newest.detail), ("lores", newest.image)):
        width = picture.shape[1]
        stripes = [np.median(picture[:, int(width * at)], axis=0) for at in (1 / 6, 1 / 2, 5 / 6)]
        expect([int(np.argmax(stripe)) for stripe in stripes] == [0, 1, 2], f"{name}: red, green, blue in this order")
    times = [frame.taken_at for frame in frames]
    expect(all(np.diff(times) > 0.01), f"stamped by the sensor, {1 / np.mean(np.diff(times)):.0f} frames a second")
    expect(abs(times[-1] - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1.0, "on the clock since boot")


def adjusted() -> None:
    """A sensor that has neither of the sizes asked for."""
    camera = PiCamera()
    try:
        frame = camera.read()
    finally:
        camera.close()
    shapes = frame.detail.shape, frame.image.shape
    expect(frame.detail.shape[1::-1] != MAIN_SIZE, f"sizes that were not asked for are read as they are: {shapes}")


def stall() -> None:
    """The sensor falls silent: a stall within its time, and the process can be left."""
    camera = PiCamera(stalled_after_s=STALLED_AFTER_S)
    camera.read()
    camera.hold_colours(True)
    camera.hold_colours(False)
    camera._camera.sensor.fps = 0.0
    began = time.monotonic()
    with suppress(CameraStalledError):
        for _ in range(10):  # what was exposed before still comes
            began = time.monotonic()
            camera.read()
        raise ProofError("a silent sensor is not noticed")
    took = time.monotonic() - began
    expect(abs(took - STALLED_AFTER_S) < 0.5, f"a silent sensor is a stall after {took:.2f} s")
    second = refusal(PiCamera)
    expect("cannot be opened" in second, f"a second user is refused: {second}")


def absent() -> None:
    """No camera is a state, with advice."""
    said = refusal(PiCamera)
    expect("check its cable" in said, f"no camera: {said}")


def refusal(act: Callable[[], Any]) -> str:
    try:
        act()
    except CameraError as error:
        return str(error)
    raise ProofError("it was not refused")


def record() -> None:
    """A rehearsal, whose pictures become the recording."""
    taps: list[Tap] = []
    told = run_session(lambda panel, seed: taps.append(Tap(panel, seed)) or taps[0])
    expect(told["outcome"] == "verified", f"the rehearsal is verified, score {told['comparison']['score']}")
    film(taps[0].pictures)
    REHEARSAL.write_text(json.dumps(told | {"pressed_at": taps[0].pressed_at}))


def session() -> None:
    """The recording through the whole stack: sensor, pipeline, Picamera2, PiCamera, vision, session."""
    rehearsed = json.loads(REHEARSAL.read_text())
    virtual_picamera2.VirtualPicamera2.recorded_fps = rehearsed["capture"]["fps"]
    told = run_session(lambda panel, _seed: Finger(panel, rehearsed["pressed_at"]))
    if told["outcome"] != "verified":
        print(json.dumps(told, indent=2))
    expect(told["outcome"] == "verified", f"verified: {', '.join(told['liveness']['plan'])}")
    late = [
        abs(a["cue_s"] - b["cue_s"])
        for a, b in zip(told["liveness"]["steps"], rehearsed["liveness"]["steps"], strict=True)
    ]
    expect(max(late) < 0.2, f"each cue within {max(late):.3f} s of the rehearsal's")
    expect(told["capture"]["source"] == "pi-camera", "captured by a Pi camera")
    apart = abs(told["comparison"]["score"] - rehearsed["comparison"]["score"])
    expect(apart < 0.05, f"score {told['comparison']['score']}, {apart:.4f} from the rehearsal's")


def run_session(make: MakeCamera) -> dict[str, Any]:
    vision = load_vision(default_directory(), preferred_runtime())
    reference = PortraitReader(vision.models).read(default_directory() / "rehearsal" / "astronaut.png").embedding
    return verify_on_desk(make, vision, reference, draw(SEED, actor().actions))[1]


def actor() -> Person:
    """The animation, at no more pictures a second than libcamera can keep in memory at once."""
    parts = {"portrait": "astronaut.png", "head": "astronaut_head.png", "landmarks": "astronaut_landmarks.csv"}
    places = {part: str(default_directory() / "rehearsal" / name) for part, name in parts.items()}
    PERSON.write_text(json.dumps(places | {"fps": 15}))
    return load_person(PERSON)


PARTS = {
    "formats": formats,
    "adjusted": adjusted,
    "stall": stall,
    "absent": absent,
    "record": record,
    "session": session,
}


def main(quick: bool) -> None:
    """Each part in a process of its own: libcamera reads what sensors there are once."""
    film(colours())
    plan: list[tuple[str, list[tuple[int, int]] | None]] = [
        ("formats", [MAIN_SIZE, LORES_SIZE]),
        ("adjusted", [(800, 600)]),
        ("stall", [MAIN_SIZE, LORES_SIZE]),
        ("absent", None),
    ]
    plan += [] if quick else [("record", None), ("session", [MAIN_SIZE, LORES_SIZE])]
    for name, sizes in plan:
        wire(sizes)
        print(name, flush=True)
        if subprocess.run([sys.executable, sys.argv[0], name], env=os.environ | SHIM, check=False).returncode:
            sys.exit(f"tests/hardware/camera: {name} failed: see the lines above")


if __name__ == "__main__":
    if sys.argv[1] in PARTS:
        virtual_picamera2.install()
        try:
            PARTS[sys.argv[1]]()
        except ProofError as error:
            sys.exit(f"not so: {error}")
    else:
        main(sys.argv[1] == "quick")
