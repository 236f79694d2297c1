"""What a customer and a counter wait for: whole sessions on the whole terminal, with broker, central and certificates.

Example: python -m benchmarks.session --sessions 6
Recorded people, who answer each cue 0.4 to 0.9 s after its light, and the animated portrait. Recorded time is that
of the frames, as a customer would count it; working time is this machine's, of the wall clock.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / part) for part in (".", "e2e")]

import cv2
from broker import Broker
from counter import PORTRAIT, REHEARSAL, Counter
from world import Central, World

from benchmarks.speed import MEDIA, table
from device.panel.prompts import Scene
from device.vision.assembly import Vision, load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.vision.reference import PortraitReader
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority
from tests.evaluation.recordings import cut_portrait, frame_at

FINAL = (Scene.VERIFIED, Scene.REJECTED, Scene.INCONCLUSIVE)


def measure(media: Path, sessions: int) -> list[dict[str, Any]]:
    """A row for each person; medians, and the longest, of `sessions` sessions."""
    vision = load_vision(default_directory(), preferred_runtime(), 1)
    people = {"the animation": (REHEARSAL / "astronaut.json", None)}
    if media.is_dir():
        for who, clip in (
            ("tranvanluyt", "live_turns_tranvanluyt_real.mp4"),
            ("liveportrait_d12", "live_turns20_liveportrait_d12.mp4"),
        ):
            people[who] = (media / "people" / f"{who}.json", (media / "videos" / clip, 0.3))
    return [_row(who, vision, *place, sessions) for who, place in people.items()]


def _row(who: str, vision: Vision, person: Path, portrait: tuple[Path, float] | None, sessions: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        told = [_session(Path(folder) / str(number), vision, person, portrait, number) for number in range(sessions)]
    verified = sum(each.pop("verified") for each in told)
    row: dict[str, Any] = {"who": who, "sessions": sessions, "verified": verified}
    for name in told[0]:
        values = [each[name] for each in told]
        row[name] = f"{statistics.median(values):.3g} ({max(values):.3g})"
    return row


def _session(
    folder: Path, vision: Vision, person: Path, portrait: tuple[Path, float] | None, seed: int
) -> dict[str, Any]:
    made = create_demo_authority(folder / "keys", ("shop-1",), port=free_port(), rehearsal=True)
    world = World(folder, made, Broker(made), Central(made.central))
    world.broker.start()
    world.central.start()
    with closing(world), closing(Counter(world, vision, str(person), seed=seed)) as counter:
        if portrait is None:
            cv2.imwrite(str(counter.portrait), cv2.imread(str(PORTRAIT)))
        else:
            counter.portrait = counter.portrait.with_suffix(".png")
            cut_portrait(PortraitReader(vision.models), frame_at(*portrait), counter.portrait)
        counter.terminal.connect()
        counter.ask("--attempts", "1")
        return _timed(counter)


def _timed(counter: Counter) -> dict[str, Any]:
    """Feeds frames until the end is signed; the last frame's work holds decision, signature and row."""
    seen: dict[Scene, float] = {}
    while not set(FINAL) & seen.keys():
        frame = counter.camera.read()
        began = time.perf_counter()
        counter.app.tick(frame)
        signed = time.perf_counter()
        seen.setdefault(counter.app.shown.scene, frame.taken_at)
    depth = counter.terminal.outbox.depth()
    counter.terminal.is_receipted()
    receipted = time.perf_counter()
    pressed = seen[Scene.POSITION]
    return {
        "START to first cue, recorded s": seen[Scene.CUE] - pressed,
        "START to decision, recorded s": frame.taken_at - pressed,
        "last frame to signed row, ms": (signed - began) * 1e3,
        "signed row to central's receipt, ms": (receipted - signed) * 1e3 if depth else 0.0,
        "verified": Scene.VERIFIED in seen,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--media", type=Path, default=MEDIA, metavar="DIR")
    parser.add_argument("--sessions", type=int, default=6, metavar="N", help="of each person (6)")
    options = parser.parse_args()
    print(table(measure(options.media, options.sessions)))


if __name__ == "__main__":
    main()
