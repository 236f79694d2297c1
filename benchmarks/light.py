"""The figures of docs/light.md: real clips, lit by a simulated ring, against the code of their session.

Usage: python -m benchmarks.light [--media ../shared/data] [--seeds 4] [--figure FILE.png]

Nothing here was filmed under a ring. Each trial is one session of a clip: plan and code of a seed, the clip's frontal
frames to and fro for the face between the turns, and the light added by `device.evaluation.lit`.
"""

import argparse
import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.camera import RecordingEndedError
from device.camera.recording import RecordingCamera
from device.evaluation.intervals import Rate, clopper_pearson
from device.evaluation.lit import LitSensor, Room, Scene
from device.evaluation.lit_camera import reach_map, triangulate
from device.liveness.light import MIN_CORRELATION, LightFinding, LightSample, judge_light
from device.signals import Chroma
from device.vision.assembly import load_vision
from device.vision.chroma import background_pixels, log_ratios, skin_pixels
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.wire.light import LightVerdict, derive_light
from device.wire.plan import TURNS, derive_plan

AMBIENTS = (50.0, 150.0, 300.0, 600.0, 1200.0, 2500.0)
ROOMS = {f"{lux:g} lux": (Room(lux), Scene.LIVE) for lux in AMBIENTS} | {
    "50 lux, white balance automatic": (Room(50.0, locked=False), Scene.LIVE),
    "300 lux, white balance automatic": (Room(300.0, locked=False), Scene.LIVE),
    "300 lux, wall at 0.8 m": (Room(300.0, background_m=0.8), Scene.LIVE),
    "300 lux, wall at 0.5 m": (Room(300.0, background_m=0.5), Scene.LIVE),
    "300 lux, dark wall (60 lux) at 1 m": (Room(300.0, background_m=1.0, background_share=0.2), Scene.LIVE),
}
ATTACKS = {
    f"{scene}, {lux:g} lux": (Room(lux), scene) for scene in Scene if scene is not Scene.LIVE for lux in (50.0, 300.0)
}
HEADER = (
    "| setting | correlation, 5 / 50 / 95 % | gain of the face | gain of the background | denied | not measured |\n"
    "|---|---|---|---|---|---|"
)
FRONTAL_DEG = 10.0
LEAST_FRAMES, MOST_FRAMES, MOST_SEEN = 40, 60, 200
PIXELS = 500
TURN_S, BLINK_S, REACTION_S = 1.6, 0.9, 0.65


@dataclass(frozen=True, slots=True)
class Clip:
    """Frontal frames of one person: the pixels of skin and background, and how much of the ring's light each gets."""

    name: str
    fps: float
    frames: list[tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]]


@dataclass(frozen=True, slots=True)
class Trial:
    clip: str
    room: Room
    scene: Scene
    finding: LightFinding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=4, help="sessions of each clip in each setting")
    parser.add_argument("--figure", type=Path, help="also draw the correlations (PNG)")
    parsed = parser.parse_args()
    report(list(load_clips(parsed.media / "videos")), parsed.seeds, parsed.figure)


def report(clips: list[Clip], seeds: int, figure: Path | None) -> None:
    print(f"{len(clips)} clips, {seeds} sessions of each in each setting")
    found: dict[str, list[Trial]] = {}
    for title, settings in (("A live face", ROOMS), ("Attacks", ATTACKS)):
        print(f"\n{title}\n\n{HEADER}")
        for label, (room, scene) in settings.items():
            found[label] = [run(clip, room, scene, seed) for clip in clips for seed in range(seeds)]
            print(row(label, found[label]), flush=True)
    print("\nDenied sessions of a live face by clip\n")
    print(by_clip(found))
    print("\nWhat a correlation threshold costs and lets through, gains left aside\n")
    print(thresholds(found))
    if figure is not None:
        draw(found, figure)


def load_clips(folder: Path) -> Iterable[Clip]:
    vision = load_vision(default_directory(), preferred_runtime())
    for path in sorted(folder.glob("live_*.mp4")):
        camera, frames, times, triangles = RecordingCamera(path), [], [], None
        vision.follower.restart()
        try:
            while len(frames) < MOST_FRAMES:
                frame = camera.read()
                if frame.number >= MOST_SEEN:
                    break
                signals, face = vision.follower.look(frame)
                if face is None or signals.view is None or abs(signals.view.yaw) > FRONTAL_DEG:
                    continue
                times.append(frame.taken_at / max(frame.number, 1))
                triangles = triangulate(face.landmarks) if triangles is None else triangles
                reach = reach_map(face, np.zeros(frame.image.shape[:2], np.float32), triangles)
                skin = skin_pixels(frame.image, face.landmarks)
                shares = skin_pixels(np.repeat(reach[..., None], 3, axis=2), face.landmarks)[:, 0]
                every = max(len(skin) // PIXELS, 1)
                around = background_pixels(frame.image, face.box)
                frames.append((skin[::every], shares[::every], around[:: max(len(around) // PIXELS, 1)]))
        except RecordingEndedError:
            pass
        camera.close()
        if len(frames) >= LEAST_FRAMES:
            yield Clip(path.stem.removeprefix("live_"), min(1.0 / float(np.median(times)), 30.0), frames)


def run(clip: Clip, room: Room, scene: Scene, seed: int) -> Trial:
    """One session: the frames of the pauses, reactions and blinks, none of the turns."""
    draw = {name: hashlib.sha256(f"light {name} {clip.name} {seed}".encode()).digest() for name in ("n", "s", "other")}
    plan = derive_plan(nonce=draw["n"], salt=draw["s"], session="s", terminal="t")
    code = derive_light(nonce=draw["n"], salt=draw["s"], session="s", terminal="t")
    shown = (
        derive_light(nonce=draw["other"], salt=draw["s"], session="s", terminal="t") if scene is Scene.GUESSED else code
    )
    random = np.random.default_rng(seed)
    room = replace(room, latency_frames=1 + seed % 3)
    sensor = LitSensor(room, Scene.LIVE if scene is Scene.GUESSED else scene, seed)
    spans, at = [], 0.0
    for action, pause in zip(plan.actions, plan.pauses_s, strict=True):
        neutral = pause + REACTION_S + (0.0 if action in TURNS else BLINK_S)
        spans.append((at, at + neutral))
        at += neutral + (TURN_S if action in TURNS else 0.0)
    position, step, samples = int(random.integers(len(clip.frames))), 1, []
    for number in itertools.count():
        now = number / clip.fps
        if now > at:
            break
        if not 0 <= position + step < len(clip.frames):
            step = -step
        position += step
        skin, reach, around = clip.frames[position]
        pixels = np.concatenate([skin, around])
        shares = np.concatenate([reach, np.full(len(around), room.background_reach, np.float32)])
        duties = shown.duties(now - room.latency_frames / clip.fps)
        lit = sensor.expose(pixels, shares, duties, 1 / clip.fps)
        face = log_ratios(lit[: len(skin)])
        if face is not None and any(first <= now < last for first, last in spans):
            samples.append(LightSample(now, Chroma(face, log_ratios(lit[len(skin) :]))))
    return Trial(clip.name, room, scene, judge_light(samples, code))


def denied(found: list[Trial]) -> Rate:
    return clopper_pearson(sum(each.finding.verdict is LightVerdict.NOT_ANSWERED for each in found), len(found))


def spread(found: list[Trial], name: str) -> str:
    values = [value for each in found if (value := getattr(each.finding, name)) is not None]
    return " / ".join(f"{value:.3f}" for value in np.percentile(values, (5, 50, 95))) if values else "-"


def row(label: str, found: list[Trial]) -> str:
    unmeasured = sum(each.finding.verdict is LightVerdict.NOT_MEASURED for each in found)
    parts = (
        label,
        spread(found, "correlation"),
        spread(found, "gain"),
        spread(found, "background_gain"),
        denied(found),
        unmeasured,
    )
    return "| " + " | ".join(map(str, parts)) + " |"


def by_clip(found: dict[str, list[Trial]]) -> str:
    labels = [f"{lux:g} lux" for lux in AMBIENTS]
    lines = ["| clip | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    for clip in sorted({each.clip for each in found[labels[0]]}):
        rates = [denied([each for each in found[label] if each.clip == clip]) for label in labels]
        lines.append(f"| {clip} | " + " | ".join(f"{rate.hits}/{rate.trials}" for rate in rates) + " |")
    return "\n".join(lines)


def thresholds(found: dict[str, list[Trial]]) -> str:
    live, other = ("300 lux", "600 lux", "1200 lux"), ("injected, 300 lux", "injected-guessed, 300 lux")
    lines = [
        "| correlation | "
        + " | ".join([f"live below, {label}" for label in live] + [f"{label}, reach it" for label in other])
        + " |"
    ]
    lines.append("|---" * (len(live) + len(other) + 1) + "|")
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7):
        below = [sum((each.finding.correlation or 0) < threshold for each in found[label]) for label in live]
        reach = [sum((each.finding.correlation or 0) >= threshold for each in found[label]) for label in other]
        rates = [
            clopper_pearson(hits, len(found[label])) for hits, label in zip(below + reach, live + other, strict=True)
        ]
        lines.append(f"| {threshold} | " + " | ".join(map(str, rates)) + " |")
    return "\n".join(lines)


def draw(found: dict[str, list[Trial]], path: Path) -> None:
    import matplotlib  # noqa: PLC0415  the extra `evaluation`, for pictures only

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(figsize=(9, 0.3 * len(found) + 1))
    values = [[each.finding.correlation or 0.0 for each in trials] for trials in found.values()]
    parts = axes.boxplot(values, orientation="horizontal", patch_artist=True, widths=0.6, whis=(5, 95), sym=".")
    for box, label in zip(parts["boxes"], found, strict=True):
        box.set_facecolor("#7fbf9b" if label in ROOMS else "#d98c8c")
    axes.axvline(MIN_CORRELATION, color="black", linestyle=":", label=f"needed: {MIN_CORRELATION}")
    axes.set_yticks(range(1, len(found) + 1), list(found))
    axes.invert_yaxis()
    axes.set_xlabel("correlation of the face's chroma with the code (box: quartiles, whiskers: 5 and 95 %)")
    axes.legend(loc="lower left")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
