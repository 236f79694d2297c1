"""What a frame costs the terminal: processor time by part, and wall time, on both runtimes.

Example: python -m benchmarks.vision --frames 60
A face is followed through real clips as in a session: the detector looks at every sixth frame, the landmark model at
each, every sixth frame is embedded. One pinned core for one thread, two for two, and those with LiteRT only.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.speed import MEDIA, SIZES, Stopwatch, decode_ms, frames_of, stay_on, table
from device.signals import Frame
from device.vision.assembly import Vision, load_vision
from device.vision.inference import Runtime, available_runtimes
from device.vision.manifest import default_directory

ROUNDS = 3
EMBED_EVERY = 6
PARTS = ("detector", "landmarks", "embedding", "OpenCV", "own")


def measure(media: Path, frames: int) -> list[dict[str, Any]]:
    """A row for each runtime, number of threads and size of frames; milliseconds a frame, medians of three rounds."""
    rows = []
    decoding = decode_ms(media, frames)
    for size in SIZES:
        clips = frames_of(media, size, frames)
        for runtime in available_runtimes():
            # tflite-runtime's second thread waits in a loop: a frame takes ten times as long.
            for count in (1, 2) if runtime is Runtime.LITERT else (1,):
                stay_on(count)
                vision = load_vision(default_directory(), runtime, count)
                rounds = [_round(vision, clips) for _ in range(ROUNDS)]
                middle = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
                row = {"frames": f"{size[0]} x {size[1]}", "runtime": runtime.value, "threads": count}
                rows.append(row | {"decode": decoding} | middle)
    return rows


def _round(vision: Vision, clips: list[list[Any]]) -> dict[str, float]:
    """Milliseconds a frame: each part's processor time, that of all threads, and the time that passed."""
    watch, count, models = Stopwatch(), sum(map(len, clips)), vision.models
    plain = models.detector._interpreter, models.landmarks._interpreter, models.embedding._interpreter
    for name, model in zip(PARTS, (models.detector, models.landmarks, models.embedding), strict=False):
        watch.watch_model(model, name)
    wall, worked = time.perf_counter(), time.process_time()
    with watch.watching_opencv():
        for clip in clips:
            vision.follower.restart()
            for number, image in enumerate(clip):
                with watch.on("own"):
                    _, face = vision.follower.look(Frame(image, number / 30, number))
                    if face is not None and number % EMBED_EVERY == 0:
                        vision.embedder.embed(image, face.landmarks)
    wall, worked = time.perf_counter() - wall, time.process_time() - worked
    models.detector._interpreter, models.landmarks._interpreter, models.embedding._interpreter = plain
    spent = {name: watch.spent[name] / count * 1e3 for name in PARTS}
    share = 100 * spent["own"] / (worked / count * 1e3)
    return spent | {"processor": worked / count * 1e3, "wall": wall / count * 1e3, "own %": share}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--media", type=Path, default=MEDIA, metavar="DIR")
    parser.add_argument("--frames", type=int, default=60, metavar="N", help="of each clip (60)")
    options = parser.parse_args()
    print(table(measure(options.media, options.frames)))


if __name__ == "__main__":
    main()
