"""`likeness-terminal bench`: how fast this very machine looks, for how long, and how warm it gets."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle
from statistics import median, quantiles

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera.person import load_person
from device.command_line import Add, add_model_options
from device.doctor.kernel import Kernel
from device.doctor.machine import judge_heat, judge_power
from device.signals import Frame
from device.vision.assembly import Vision, load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.vision.tuned import MAX_THREADS

SIZES = ((640, 480), (1280, 720))
PICTURES = 60
EMBED_EVERY = 6
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured at one size; milliseconds by the clock.

    Attributes:
        size: width x height of the pictures.
        looks: how many pictures were looked at.
        look_ms: the usual time of a look: the face followed, its pose, eyes and quality; each sixth time the detector.
        slowest_ms: what one look in twenty exceeds.
        embed_ms: the usual time to embed a face.
        looks_a_second: looks and embeddings as a session has them.
    """

    size: str
    looks: int
    look_ms: float
    slowest_ms: float
    embed_ms: float
    looks_a_second: float


def add_bench(add: Add) -> None:
    """Adds the command."""
    text = (
        "Measure how fast this machine looks at pictures, with its temperature and throttling beside it. "
        "Stop the daemon first: whatever else runs falsifies the times. Longer is more honest: a board without a fan "
        "warms up."
    )
    command = add("bench", _bench, text, "--seconds 120")
    command.add_argument("--seconds", type=float, default=20.0, metavar="S", help="for each size of pictures (20)")
    command.add_argument("--threads", type=int, default=1, choices=range(1, MAX_THREADS + 1), help="of the models (1)")
    command.add_argument("--json", action="store_true", help="print JSON")
    add_model_options(command)


def measure(vision: Vision, pictures: list[Picture], seconds: float, clock: Callable[[], float]) -> Speed:
    """Looks at the pictures over and over for so many seconds of `clock`, or once at least."""
    looks, embeds = [], []
    began = clock()
    vision.follower.restart()
    for number, picture in enumerate(cycle(pictures)):
        start = clock()
        _, face = vision.follower.look(Frame(picture, number / 30, number))
        looked = clock()
        looks.append(1e3 * (looked - start))
        if face is not None and number % EMBED_EVERY == 0:
            vision.embedder.embed(picture, face.landmarks)
            embeds.append(1e3 * (clock() - looked))
        if clock() - began >= seconds and number + 1 >= len(pictures):
            break
    vision.forget()
    return Speed(
        size=f"{pictures[0].shape[1]} x {pictures[0].shape[0]}",
        looks=len(looks),
        look_ms=median(looks),
        slowest_ms=quantiles(looks, n=20)[-1],
        embed_ms=median(embeds) if embeds else float("nan"),
        looks_a_second=1e3 * len(looks) / (sum(looks) + sum(embeds)),
    )


def _bench(parsed: argparse.Namespace) -> int:
    kernel, vision = Kernel(), load_vision(parsed.models, parsed.runtime or preferred_runtime(), parsed.threads)
    before, measured = _board(kernel), []
    if not parsed.json:
        _tell(f"{vision.models.runtime.value}, {parsed.threads} thread(s); before: {', '.join(before.values())}")
        _tell(f"{'pictures':11} {'looks':>6} {'usual':>9} {'slowest':>9} {'embedding':>9} {'a second':>9}")
    for size in SIZES:
        speed = measure(vision, list(_pictures(size)), parsed.seconds, time.perf_counter)
        measured.append(speed)
        if not parsed.json:
            _tell(
                f"{speed.size:11} {speed.looks:6} {speed.look_ms:6.1f} ms {speed.slowest_ms:6.1f} ms"
                f" {speed.embed_ms:6.1f} ms {speed.looks_a_second:9.1f}"
            )
    after = _board(kernel)
    if parsed.json:
        document = {"runtime": vision.models.runtime.value, "threads": parsed.threads, "before": before, "after": after}
        json.dump(document | {"speeds": [asdict(each) for each in measured]}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _tell(f"after: {', '.join(after.values())}")
    return 0


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _pictures(size: tuple[int, int]) -> Iterator[Picture]:
    """The animated portrait, filling the height; no other face is needed, and none is at hand on a terminal."""
    performance = load_person(default_directory() / "rehearsal" / "astronaut.json").perform(0)
    for _ in range(PICTURES):
        picture = performance.picture()
        scale = size[1] / picture.shape[0]
        fitted = cv2.resize(picture, None, fx=scale, fy=scale)[:, : size[0]]
        beside = size[0] - fitted.shape[1]
        filled = cv2.copyMakeBorder(fitted, 0, 0, beside // 2, beside - beside // 2, cv2.BORDER_REPLICATE)
        yield np.ascontiguousarray(filled, np.uint8)


def _board(kernel: Kernel) -> dict[str, str]:
    """How warm the board is, and whether its firmware slows it down, in the doctor's words."""
    return {"temperature": judge_heat(kernel.celsius()).found, "power": judge_power(kernel.throttled()).found}
