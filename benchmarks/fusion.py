"""What several frames add to one: probes fused from 1, 2, 4 and 8 pictures against one reference; mirrored pictures.

Usage: python -m benchmarks.fusion {pictures,clips} [--media ../shared/data] [--runtime ai-edge-litert]

pictures: LFW colour, 10 pictures of each of 79 people. Each picture is once the reference; the probe is made of the
next n pictures of the same person by name, so that the probe of 8 holds that of 4. Impostors are all other people's
probes. Differences are paired: the same draw of subjects for both.
clips: frames of each clip in videos/, blurred, darkened and with noise, against the clip's own 102x126 px portrait and
those of the London set, through the terminal's IdentityTrail.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from device.camera import RecordingEndedError
from device.camera.recording import RecordingCamera
from device.evaluation.bootstrap import RATES, Redraw, Scores, error_rates
from device.evaluation.degrade import ReferenceKind, as_reference
from device.evaluation.testset import PICTURES, subject_of
from device.liveness.capture import quality_score
from device.liveness.rules import DEFAULT_RULES
from device.vision.alignment import aligned_crop
from device.vision.assembly import Vision, load_vision
from device.vision.embedding import fuse
from device.vision.identity import PROBE_FRAMES, IdentityTrail
from device.vision.inference import Runtime, preferred_runtime
from device.vision.manifest import default_directory
from device.vision.pictures import read_picture
from device.vision.reference import PortraitReader

SIZES = (1, 2, 4, 8)
FRAMES, WINDOW = 48, 12  # of each clip; of a challenge, whose frames are embedded five times a second
DRAWS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["pictures", "clips"])
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runtime", type=Runtime, choices=list(Runtime), default=preferred_runtime())
    parsed = parser.parse_args()
    cv2.setNumThreads(1)
    vision = load_vision(default_directory(), parsed.runtime)
    {"pictures": pictures, "clips": clips}[parsed.what](vision, parsed.media)


def pictures(vision: Vision, media: Path) -> None:
    plain, mirrored, subjects = lfw_colour(vision, media)
    scores = {size: fused_scores(plain, subjects, size) for size in SIZES}
    compare_sizes(vision, scores)
    print("\nother ways\n")
    show_difference(
        scores[1], fused_scores(mirrored, subjects, 1), "crop fused with its mirror image less crop, 1 picture"
    )
    for name, average in (("mean", np.mean), ("median", np.median)):
        combined = fused_scores(plain, subjects, SIZES[-1], average)
        show_difference(
            scores[SIZES[-1]], combined, f"{name} of the scores less the fused probe's score, {SIZES[-1]} pictures"
        )


def lfw_colour(vision: Vision, media: Path):
    """Unit vectors of each picture's crop, and of the crop fused with its mirror image; and whose they are."""
    reader = PortraitReader(vision.models)
    plain, mirrored, subjects = [], [], []
    folder = media / "pairs" / "lfw_colour" / "images"
    for path in sorted(path for path in folder.iterdir() if path.suffix in PICTURES):
        portrait = reader.read_central(path)
        if portrait is None:
            continue
        crop = aligned_crop(read_picture(path), portrait.face.landmarks)
        mirror = vision.embedder.embed_crop(np.ascontiguousarray(crop[:, ::-1]))
        plain.append(portrait.embedding)
        mirrored.append(fuse([portrait.embedding, mirror]))
        subjects.append(subject_of(path.name))
    return np.array(plain), np.array(mirrored), np.unique(subjects, return_inverse=True)[1]


def fused_scores(vectors: np.ndarray, subjects: np.ndarray, size: int, average=None) -> Scores:
    """Each picture as reference against each probe of `size` pictures; a probe never holds its own reference.

    The probe's pictures are fused, or each is compared and the scores are averaged.
    """
    single = vectors @ vectors.T
    scores = np.empty_like(single)  # row: the probe made for that reference; column: the reference
    for subject in np.unique(subjects):
        own = np.flatnonzero(subjects == subject)
        for at, index in enumerate(own):
            following = [own[(at + step) % len(own)] for step in range(1, size + 1)]
            probe = vectors @ fuse(list(vectors[following]))
            scores[index] = probe if average is None else average(single[following], axis=0)
    probe, reference = np.nonzero(subjects[:, None] != subjects[None, :])
    pairs = np.stack((subjects[probe], subjects[reference]), axis=1)
    return Scores(np.diag(scores).astype(float), subjects, scores[probe, reference].astype(float), pairs)


def compare_sizes(vision: Vision, scores: dict[int, Scores]) -> None:
    limits = (vision.models.thresholds.fmr_1e_3, vision.models.thresholds.fmr_1e_4)
    at = " | ".join(f"FMR, FNMR % at {limit:.3f}" for limit in limits)
    print(f"| pictures in the probe | EER % | {' | '.join(f'TAR % at {rate:g}' for rate in RATES)} | {at} |")
    print("|---" * (2 + len(RATES) + len(limits)) + "|")
    for size, each in scores.items():
        rates = error_rates(each, limits, replicates=DRAWS)
        cells = [percent(rates.eer), *(percent(rates.true_match[rate]) for rate in RATES)]
        cells += [f"{percent(matched, 4)}, {percent(missed)}" for _, matched, missed in rates.at]
        print(f"| {size} | {' | '.join(cells)} |", flush=True)
    print()
    for size in SIZES[1:]:
        show_difference(scores[1], scores[size], f"{size} pictures less 1")


def show_difference(one: Scores, other: Scores, name: str) -> None:
    """Prints by how much the second is better, with the interval of the paired draws."""
    limits = (0.4,)
    draws = []
    for scores in (one, other):
        redraw, random = Redraw(scores, limits, 0.0), np.random.default_rng(0)
        draws.append(np.array([redraw.statistics(random)[1 : 1 + len(RATES)] for _ in range(DRAWS)]))
    first, second = (error_rates(scores, (), replicates=1).true_match for scores in (one, other))
    low, high = np.percentile(draws[1] - draws[0], (2.5, 97.5), axis=0)
    cells = [
        f"TAR at {rate:g} {100 * (second[rate].value - first[rate].value):+.2f} [{100 * a:+.2f}, {100 * b:+.2f}]"
        for rate, a, b in zip(RATES, low, high, strict=True)
    ]
    print(f"{name}, percentage points: {', '.join(cells)}", flush=True)


def percent(estimate, digits: int = 2) -> str:
    low, high = (f"{100 * bound:.{digits}f}" for bound in (estimate.low, estimate.high))
    return f"{100 * estimate.value:.{digits}f} [{low}, {high}]"


def clips(vision: Vision, media: Path) -> None:
    reader = PortraitReader(vision.models)
    names = sorted(path.name for path in (media / "videos").iterdir() if path.suffix in {".mp4", ".gif"})
    strangers = [
        chip(reader, read_picture(path), path.name) for path in sorted((media / "pairs/london").glob("*l.jpg"))
    ]
    seen = {name: poor_frames(vision, media / "videos" / name) for name in names}
    references = {name: chip(reader, first, name) for name, (first, _) in seen.items()}
    print("| probe | genuine / impostor | EER % | FMR, FNMR % at 1e-3 | at 1e-4 |\n|---|---|---|---|---|")
    for size in (1, WINDOW):
        scores = clip_scores({name: trails(found, size) for name, (_, found) in seen.items()}, references, strangers)
        rates = error_rates(scores, (vision.models.thresholds.fmr_1e_3, vision.models.thresholds.fmr_1e_4))
        cells = [f"{percent(matched)}, {percent(missed)}" for _, matched, missed in rates.at]
        name = "one frame" if size == 1 else f"the trail's best {PROBE_FRAMES} of {size} frames"
        counts = f"{len(scores.genuine)} / {len(scores.impostor)}"
        print(f"| {name} | {counts} | {percent(rates.eer)} | {' | '.join(cells)} |", flush=True)


def chip(reader: PortraitReader, image: np.ndarray, name: str) -> np.ndarray:
    face = reader.faces(image)[0]
    _, content = cv2.imencode(".png", as_reference(ReferenceKind.CHIP, image, face.box, name, 0)[..., ::-1])
    return reader.read_central(content.tobytes()).embedding


def poor_frames(vision: Vision, clip: Path) -> tuple[np.ndarray, list[tuple[np.ndarray, float]]]:
    """The first frame as it is, and from the rest, spoilt: embeddings with their quality, in order."""
    random, camera = np.random.default_rng(7), RecordingCamera(clip)
    every = max((camera.info.frames or 300) // FRAMES, 1)
    first, found = None, []
    try:
        while len(found) < FRAMES:
            frame = camera.read()
            first = frame.image if first is None else first
            if frame.number % every or frame.number < every:
                continue
            image = spoilt(frame.image, random)
            vision.follower.restart()
            view, face = vision.follower.look(replace(frame, image=image))
            if face is not None and view.view is not None:
                found.append((vision.embedder.embed(image, face.landmarks), quality_score(view.view, DEFAULT_RULES)))
    except RecordingEndedError:
        pass
    finally:
        camera.close()
    return first, found


def spoilt(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Out of focus, moving, dark and noisy, each by its own luck: as in a dim shop."""
    height = image.shape[0] / 480
    seen = cv2.GaussianBlur(image, (0, 0), height * random.uniform(0.3, 3.0)).astype(np.float32)
    length = max(int(height * random.uniform(1, 12)), 1)
    seen = cv2.blur(seen, (length, 1)) * random.uniform(0.15, 1.0)
    return np.clip(seen + random.normal(0, random.uniform(3, 12), seen.shape), 0, 255).astype(np.uint8)


def trails(found: list[tuple[np.ndarray, float]], size: int) -> list[IdentityTrail]:
    """What the terminal keeps of each `size` successive frames, not overlapping."""
    kept = []
    for start in range(0, len(found) - size + 1, size):
        trail = IdentityTrail()
        for at, (embedding, quality) in enumerate(found[start : start + size]):
            trail.add(float(at), embedding, quality)
        kept.append(trail)
    return kept


def clip_scores(probes: dict[str, list], references: dict[str, np.ndarray], strangers: list[np.ndarray]) -> Scores:
    genuine, genuine_of, impostor, impostor_of = [], [], [], []
    others = dict(enumerate(strangers, start=len(references)))
    everyone = {**dict(enumerate(references.values())), **others}
    for own, name in enumerate(references):
        for trail in probes[name]:
            for other, reference in everyone.items():
                score = trail.compare(reference, 0.0, 0.0, np.inf).score
                if own == other:
                    genuine.append(score)
                    genuine_of.append(own)
                else:
                    impostor.append(score)
                    impostor_of.append((own, other))
    return Scores(np.array(genuine), np.array(genuine_of), np.array(impostor), np.array(impostor_of))


if __name__ == "__main__":
    sys.exit(main())
