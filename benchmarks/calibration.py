"""The figures of docs/calibration.md: which rotation a face stands upright in, as a Markdown table.

Usage: python -m benchmarks.calibration [--media DIR] [--runtime R]
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2

from device.calibrate import sight
from device.camera import RecordingEndedError
from device.camera.orientation import ROTATIONS
from device.camera.recording import RecordingCamera
from device.liveness.calibrating import UPRIGHT_ROLL_DEG, stands_upright
from device.signals import Frame
from device.vision.assembly import Vision, load_vision
from device.vision.inference import Runtime, available_runtimes
from device.vision.manifest import default_directory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runtime", type=Runtime, choices=list(Runtime), help="only this one")
    parsed = parser.parse_args()
    for runtime in [parsed.runtime] if parsed.runtime else available_runtimes():
        print(f"\n{runtime}\n")
        print_orientations(load_vision(default_directory(), runtime), parsed.media)


def print_orientations(vision: Vision, media: Path) -> None:
    """What `calibrate` sees in pictures that stand upright, in each of the four rotations."""
    stills = sorted((media / "pairs" / "london").rglob("*.jpg"))
    pictures = (
        cv2.resize(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), None, fx=0.5, fy=0.5) for path in stills
    )
    print("| what | pictures | answered rightly | wrongly | not | seen upright at 90, 180, 270 | least lead |")
    print("|---|---|---|---|---|---|---|")
    _print_row(vision, "London set", pictures)
    for path in sorted((media / "videos").iterdir()):
        if path.suffix in {".mp4", ".gif"}:
            _print_row(vision, path.name, _every_second(path))


def _print_row(vision: Vision, what: str, pictures: Iterable) -> None:
    answers, imagined, leads = Counter(), Counter(), []
    for number, picture in enumerate(pictures):
        seen = {each: sight(vision, Frame(picture, 0.0, number), each) for each in ROTATIONS}
        best = stands_upright(seen)
        answers["not" if best is None else best[0]] += 1
        for rotation in (90, 180, 270):
            view = seen[rotation].signals.view
            if view is not None and abs(view.roll) <= UPRIGHT_ROLL_DEG:
                imagined[rotation] += 1
                leads.append(seen[0].score - seen[rotation].score)
    wrongly = sum(answers[rotation] for rotation in (90, 180, 270))
    upright = ", ".join(str(imagined[rotation]) for rotation in (90, 180, 270))
    least = f"{min(leads):.2f}" if leads else "-"
    cells = (what, answers.total(), answers[0], wrongly, answers["not"], upright, least)
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def _every_second(path: Path) -> Iterator:
    """A picture for each second of a clip, of 720 pixels at most."""
    camera, due = RecordingCamera(path), 0.0
    try:
        while True:
            frame = camera.read()
            if frame.taken_at >= due:
                due = frame.taken_at + 1.0
                scale = min(1.0, 720 / max(frame.image.shape))
                yield cv2.resize(frame.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    except RecordingEndedError:
        return
    finally:
        camera.close()


if __name__ == "__main__":
    sys.exit(main())
