"""The figures of docs/quality.md, as Markdown tables: what each fault costs the comparison, and what tells of it.

Usage: python -m benchmarks.quality {conditions,poses,choice,hints,stakes,time} ... [--people 26]
"""

import argparse
import csv
import itertools
import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from benchmarks.captures import LADDERS
from benchmarks.desk import Desk, clips
from device.liveness.capture import SCALES, Component, quality_score, severities
from device.liveness.guidance import guide
from device.liveness.rules import DEFAULT_RULES
from device.vision.embedding import fuse, similarity
from device.vision.landmarks import region_from_landmarks
from device.vision.pictures import read_picture
from device.vision.quality import measure_quality


def conditions(desk: Desk, media: Path, people: int) -> None:
    """London portraits, neutral as a chip portrait against smiling through each ladder."""
    neutral = sorted((media / "pairs" / "london").rglob("*_neutral.jpg"))
    chosen = neutral[:: max(len(neutral) // people, 1)][:people]
    subjects = []
    for path in chosen:
        probe = read_picture(Path(str(path).replace("neutral", "smiling")))
        seen, reference = desk.look(probe), desk.portrait(read_picture(path), path.name)
        subjects.append((probe, seen, reference))
    clean = [similarity(seen.embedding, reference) for _, seen, reference in subjects]
    print(f"{len(subjects)} people; unharmed: median {np.median(clean):.3f}, least {min(clean):.3f}\n")
    print("| what | step | measured: median (p10 to p90) | loss median, p90 | non-matches | no face | told most |")
    print("|---|---|---|---|---|---|---|")
    for ladder in LADDERS:
        for step in ladder.steps:
            _condition(desk, ladder, step, subjects, clean)


def _condition(desk, ladder, step, subjects, clean):
    rows, told = [], Counter()
    for (picture, seen, reference), best in zip(subjects, clean, strict=True):
        harmed = desk.look(ladder.degrade(picture, seen.face, step))
        if harmed is None:
            told["no face"] += 1
            continue
        score = similarity(harmed.embedding, reference)
        rows.append((best - score, score < desk.threshold, harmed.view))
        told[str(guide(harmed.signals, DEFAULT_RULES))] += 1
    measured = "; ".join(
        f"{name} {_spread([SCALES[name].value(view) for *_, view in rows])}" for name in ladder.components
    )
    losses = [loss for loss, *_ in rows] or [np.nan]
    loss = f"{np.median(losses):.3f}, {np.percentile(losses, 90):.3f}"
    missed, faceless = sum(missed for _, missed, _ in rows), len(subjects) - len(rows)
    hint, times = told.most_common(1)[0]
    cells = (ladder.name, f"{step} {ladder.unit}", measured, loss, missed, faceless, f"{hint} {times}")
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def _spread(values):
    if not values:
        return "-"
    low, middle, high = np.percentile(values, [10, 50, 90])
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


POSES = {
    "yaw from neutral, degrees": ((0, 5, 10, 15, 20, 30, 60), lambda view, usual: abs(view.yaw - usual[0])),
    "pitch from neutral, degrees": ((0, 3, 6, 9, 12, 20, 40), lambda view, usual: abs(view.pitch - usual[1])),
    "eye openness": ((0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5), lambda view, _: min(view.left_eye, view.right_eye)),
    "mouth opening": ((0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.6), lambda view, _: view.quality.mouth_opening),
}


def poses(desk: Desk, media: Path, _) -> None:
    """Frames of clips against a frontal frame of the same clip as chip portrait: what the person changes."""
    frames = []
    for clip in clips(desk, media):
        usual = clip.neutral.view.yaw, clip.neutral.view.pitch
        scores = [similarity(frame.embedding, clip.reference) for frame in clip.frames]
        best = np.percentile(scores, 90)
        frames += [
            (clip.name, frame.view, usual, best - score) for frame, score in zip(clip.frames, scores, strict=True)
        ]
    print("| what | from | to | frames | clips | loss against the clip's best tenth: median, p90 |")
    print("|---|---|---|---|---|---|")
    for what, (edges, value) in POSES.items():
        for low, high in itertools.pairwise(edges):
            chosen = [
                (name, loss)
                for name, view, usual, loss in frames
                if low <= value(view, usual) < high and _else_calm(what, view, usual)
            ]
            if chosen:
                losses = [loss for _, loss in chosen]
                print(
                    f"| {what} | {low} | {high} | {len(chosen)} | {len({name for name, _ in chosen})} | "
                    f"{np.median(losses):.3f}, {np.percentile(losses, 90):.3f} |"
                )


def _else_calm(what, view, usual):
    """Nothing but `what` is far from neutral."""
    limits = {"yaw from neutral, degrees": 12, "pitch from neutral, degrees": 9, "mouth opening": 0.1}
    return all(POSES[other][1](view, usual) <= limit for other, limit in limits.items() if other != what)


def hints(desk: Desk, media: Path, _) -> None:
    """How often a component is beyond its working point where nothing was done to the picture."""
    sets = {
        "London": sorted((media / "pairs" / "london").rglob("*.jpg")),
        "LFW colour": sorted((media / "pairs" / "lfw_colour").rglob("*.jpg"))[::4],
    }
    views = {
        name: [seen.view for path in paths if (seen := desk.look(read_picture(path)))] for name, paths in sets.items()
    }
    views["clips"] = [frame.view for clip in clips(desk, media) for frame in clip.frames]
    names = list(views)
    print("| component | working point | " + " | ".join(f"{name}, {len(views[name])}" for name in names) + " |")
    print("|---|---|" + "---|" * len(names))
    for component in Component:
        scale, cells = SCALES[component], []
        for name in names:
            beyond = np.mean([severities(view, DEFAULT_RULES)[component] > 1 for view in views[name]])
            usual = np.percentile([scale.value(view) for view in views[name]], [5, 50, 95])
            cells.append(f"{100 * beyond:.1f} % ({', '.join(f'{value:.2g}' for value in usual)})")
        print(f"| {component} | {scale.working_point(DEFAULT_RULES):g} | " + " | ".join(cells) + " |")


def choice(desk: Desk, media: Path, _) -> None:
    """The frames that the quality score chooses, against frames drawn blindly from the same clip."""
    random = np.random.default_rng(0)
    print("| clip | frames | one: best | one: drawn, mean | eight: best | eight: drawn, mean | rank correlation |")
    print("|---|---|---|---|---|---|---|")
    totals = []
    for clip in clips(desk, media):
        seen, reference = clip.frames, clip.reference
        embeddings = [frame.embedding for frame in seen]
        scores = np.array([similarity(each, reference) for each in embeddings])
        quality = np.array([quality_score(frame.view, DEFAULT_RULES) for frame in seen])
        best = np.argsort(-quality)
        drawn = [random.choice(len(seen), 8, replace=False) for _ in range(200)]
        eight = np.mean([similarity(fuse([embeddings[i] for i in each]), reference) for each in drawn])
        chosen = similarity(fuse([embeddings[i] for i in best[:8]]), reference)
        ranks = np.corrcoef(np.argsort(np.argsort(quality)), np.argsort(np.argsort(scores)))[0, 1]
        row = (scores[best[0]], scores.mean(), chosen, eight, ranks)
        totals.append(row)
        print(f"| {clip.name} | {len(seen)} | " + " | ".join(f"{value:.3f}" for value in row) + " |", flush=True)
    print("| mean | | " + " | ".join(f"{value:.3f}" for value in np.mean(totals, axis=0)) + " |")


def stakes(desk: Desk, media: Path, _) -> None:
    """What a loss of comparison score costs in non-matches: the listed genuine pairs of LFW colour."""
    folder = media / "pairs" / "lfw_colour"
    with (folder / "pairs.csv").open() as file:
        pairs = [(row["a"], row["b"]) for row in csv.DictReader(file) if row["same"] == "1"]
    names = {name for pair in pairs for name in pair}
    seen = {name: desk.reader.read_central(folder / "images" / name) for name in names}
    scores = np.array([similarity(seen[a].embedding, seen[b].embedding) for a, b in pairs if seen[a] and seen[b]])
    print(f"{len(scores)} genuine pairs\n\n| loss | non-matches at FMR 1e-3 | at 1e-4 |\n|---|---|---|")
    thresholds = desk.vision.models.thresholds
    for loss in (0, 0.02, 0.05, 0.1, 0.15, 0.2):
        rates = [100 * np.mean(scores - loss < level) for level in (thresholds.fmr_1e_3, thresholds.fmr_1e_4)]
        print(f"| {loss} | " + " | ".join(f"{rate:.1f} %" for rate in rates) + " |")


def timing(desk: Desk, media: Path, _) -> None:
    """Milliseconds of one thread's time."""
    picture = cv2.resize(read_picture(next((media / "pairs" / "london").rglob("*_smiling.jpg"))), (640, 640))
    seen, luma = desk.look(picture), cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    print("| what | least ms | median ms |\n|---|---|---|")
    parts = {
        "quality": lambda: measure_quality(luma, seen.face),
        "landmarks": lambda: desk.vision.finder.find(picture, region_from_landmarks(seen.face.landmarks)),
        "guidance": lambda: guide(seen.signals, DEFAULT_RULES),
        "quality score": lambda: quality_score(seen.view, DEFAULT_RULES),
    }
    for name, part in parts.items():
        spent = []
        for _ in range(200):
            begun = time.thread_time()
            part()
            spent.append(1e3 * (time.thread_time() - begun))
        print(f"| {name} | {min(spent):.2f} | {np.median(spent):.2f} |")


TABLES = {"conditions": conditions, "poses": poses, "hints": hints, "choice": choice, "stakes": stakes, "time": timing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=TABLES, nargs="+")
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parser.add_argument("--people", type=int, default=26)
    parsed = parser.parse_args()
    cv2.setNumThreads(1)
    desk = Desk()
    for what in parsed.what:
        print(f"\n{what}\n", flush=True)
        TABLES[what](desk, parsed.media, parsed.people)


if __name__ == "__main__":
    sys.exit(main())
