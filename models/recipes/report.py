"""Writes models/REPORT.md: each variant against its float original. No figure in it is written by hand."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.evaluation.bootstrap import Scores, error_rates
from device.evaluation.intervals import Estimate
from device.evaluation.tune import call_of
from device.evaluation.tune_check import Check
from device.vision.alignment import aligned_crop
from device.vision.inference import Model, Runtime
from device.vision.manifest import Entry, Manifest, Models, load_models, load_variant
from device.vision.pose import PoseSolver
from device.vision.tuned import ROLES
from models.recipes.measures import (
    Contenders,
    Differences,
    Observed,
    Observer,
    blinks_by_model,
    blinks_kept,
    frames_of,
    pictures_in,
    times_ms,
)
from models.recipes.originals import Originals, load_originals

FRAMES_A_CLIP = 8
_A_SUBJECT = 2  # pictures, for detector and landmarks
_REPLICATES = 300
_HEAD = """# Report of the models

Written by `models/rebuild OUTPUT CALIBRATION PICTURES`; no figure is written by hand. Each variant is compared with its
float original: MediaPipe's published files (float16 weights, float32 arithmetic), and SFace's ONNX file in OpenCV.
What was only tried (models/recipes/landmarks_int8.py) is not shipped; it was calibrated on frames of the same clips.
"""


@dataclass(frozen=True, slots=True)
class Sources:
    """The originals' bytes by role, and the folders of clips and pictures where they were given."""

    originals: Mapping[str, bytes]
    clips: Path | None
    pictures: Path | None
    tried: Mapping[str, Model]


def report(directory: Path, manifest: Manifest, check: Check, sources: Sources, verdicts: Sequence[str]) -> str:
    """Returns the report on the variants in `directory`; parts without clips or pictures say so."""
    solver = check.pictures.solver
    models = load_models(directory, Runtime.LITERT)
    originals = load_originals(sources.originals, Runtime.LITERT)
    contenders = Contenders(**{role: _variants(directory, getattr(manifest, role), Runtime.LITERT) for role in ROLES})
    tried = Contenders({}, {**contenders.landmarks, **sources.tried}, {})
    parts = [
        _HEAD,
        _rebuilt(verdicts),
        _files(directory, manifest, sources.originals),
        _checked(directory, manifest, check),
    ]
    if sources.clips is not None:
        seen = Observer(models, originals, tried, solver).observe(frames_of(sources.clips, FRAMES_A_CLIP), embed=False)
        title = f"Landmarks, {FRAMES_A_CLIP} frames of each clip"
        parts.append(_landmarks(title, seen, tried.landmarks) + _blinks(models, originals, contenders, sources.clips))
    else:
        parts.append("## Clips\n\nNo CALIBRATION was given: blinks were not compared.\n")
    if sources.pictures is not None:
        parts += _pictures(sources.pictures, models, originals, solver, contenders, tried)
    else:
        parts.append("## Pictures\n\nNo PICTURES were given: accuracy was not compared.\n")
    parts.append(_times(directory, manifest, check, sources))
    return "\n".join(parts)


def _variants(directory: Path, entry: Entry, runtime: Runtime) -> dict[str, Model]:
    return {each.file: load_variant(directory, entry, each, runtime) for each in entry.variants_for(runtime)}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def _rebuilt(verdicts: Sequence[str]) -> str:
    return "## Rebuilt files\n\n" + "\n".join(f"- {verdict}" for verdict in verdicts) + "\n"


def _files(directory: Path, manifest: Manifest, originals: Mapping[str, bytes]) -> str:
    rows = [
        (role, each.file, size := (directory / each.file).stat().st_size, f"{size / len(originals[role]):.2f}")
        for role in ROLES
        for each in getattr(manifest, role).variants
    ]
    return "## Bytes\n\n" + table(("role", "variant", "bytes", "share of the published file"), rows)


def _checked(directory: Path, manifest: Manifest, check: Check) -> str:
    rows = [
        (each.file, runtime, deviation, f"{100 * deviation.used:.0f} %")
        for role in ROLES
        for each in getattr(manifest, role).variants
        for runtime in each.runtimes
        for deviation in [check.deviation(role, load_variant(directory, getattr(manifest, role), each, runtime))]
    ]
    text = "The public-domain portrait of models/rehearsal and its animation; the limits stand in manifest.yaml.\n\n"
    return "## Check pictures\n\n" + text + table(("variant", "runtime", "from the original", "of the tolerance"), rows)


def _landmarks(title: str, seen: Observed, names: Iterable[str]) -> str:
    head = (
        "variant",
        "distance, % of the eyes'",
        "95th percentile",
        "openness",
        "95th percentile",
        "yaw, degrees",
        "95th",
    )
    rows = []
    for name in names:
        each = seen.differences[name]
        cells = [f"{cell:.2f}" for cell in _mean_and_most(np.multiply(each.distance, 100))]
        cells += [f"{cell:.4f}" for cell in _mean_and_most(each.openness)]
        rows.append((name, *cells, *(f"{cell:.2f}" for cell in _mean_and_most(each.yaw_deg))))
    count = (
        f"{len(seen.subjects)} faces, ai-edge-litert; mean and 95th percentile of the difference from the original.\n\n"
    )
    return f"## {title}\n\n{count}{table(head, rows)}"


def _mean_and_most(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.percentile(values, 95))


def _blinks(models: Models, originals: Originals, contenders: Contenders, clips: Path) -> str:
    found = blinks_by_model(models, {Observer.ORIGINAL: originals.landmarks, **contenders.landmarks}, clips)
    rows = [(name, *blinks_kept(found[Observer.ORIGINAL], found[name])) for name in contenders.landmarks]
    text = (
        f"\nBlinks that `analyse` finds in {len(found[Observer.ORIGINAL])} clips, within 0.25 s of the original's:\n\n"
    )
    return text + table(("variant", "the original's", "kept", "others"), rows)


def _pictures(
    folder: Path, models: Models, originals: Originals, solver: PoseSolver, of: Contenders, tried: Contenders
) -> list[str]:
    looking = Observer(models, originals, Contenders(of.detector, tried.landmarks, {}), solver)
    seen = looking.observe(pictures_in(folder, a_subject=_A_SUBJECT), embed=False)
    rows = [(name, *_found(seen.differences[name], len(seen.subjects))) for name in of.detector]
    head = ("variant", "found", "overlap with the original's box", "5th percentile")
    detector = f"## Detector, {_where(folder, seen)}\n\n" + table(head, rows)
    landmarks = _landmarks(f"Landmarks, {_where(folder, seen)}", seen, tried.landmarks)
    embedded = Observer(models, originals, Contenders({}, {}, of.embedding), solver).observe(
        pictures_in(folder), embed=True
    )
    return [detector, landmarks, _embedding(_where(folder, embedded), embedded, of)]


def _where(folder: Path, seen: Observed) -> str:
    return f"`{folder.name}`, {len(seen.subjects)} faces of {len(set(seen.subjects))} persons"


def _found(difference: Differences, faces: int) -> tuple[str, str, str]:
    overlap = difference.overlap
    return f"{faces - difference.missed}/{faces}", f"{np.mean(overlap):.3f}", f"{np.percentile(overlap, 5):.3f}"


def _embedding(where: str, seen: Observed, contenders: Contenders) -> str:
    original = np.array(seen.vectors[Observer.ORIGINAL])
    rows = []
    for name in (Observer.ORIGINAL, *contenders.embedding):
        vectors = np.array(seen.vectors[name])
        cosines = (vectors * original).sum(axis=1)
        rates = error_rates(_scores(vectors, seen.subjects), (), replicates=_REPLICATES)
        accuracy = [_percent(rates.eer), *(_percent(rates.true_match[rate]) for rate in (1e-3, 1e-4))]
        rows.append((name, f"{cosines.mean():.4f}", f"{cosines.min():.4f}", *accuracy))
    text = "All pairs; crops by the original landmarks. 95 % intervals by subject (device/evaluation/bootstrap.py).\n\n"
    head = ("variant", "cosine to the original", "least", "EER %", "TAR % at FMR 1e-3", "at 1e-4")
    return f"## Embedding, {where}\n\n{text}{table(head, rows)}"


def _scores(vectors: NDArray[np.float32], subjects: Sequence[str]) -> Scores:
    one, other = np.triu_indices(len(vectors), 1)
    values = (vectors.astype(float) @ vectors.T.astype(float))[one, other]
    _, of = np.unique(np.array(subjects), return_inverse=True)
    same = of[one] == of[other]
    return Scores(values[same], of[one][same], values[~same], np.stack([of[one], of[other]], axis=1)[~same])


def _percent(rate: Estimate) -> str:
    return f"{100 * rate.value:.2f} [{100 * rate.low:.2f}, {100 * rate.high:.2f}]"


def _times(directory: Path, manifest: Manifest, check: Check, sources: Sources) -> str:
    rows: list[tuple[str, ...]] = []
    for role in ROLES:
        spent: dict[Runtime, dict[str, float]] = {}
        for runtime in Runtime:
            calls: dict[str, Callable[[], object]] = {}
            if role == "embedding":
                calls[f"{Observer.ORIGINAL} (OpenCV)"] = _original_embedding(check, sources, runtime)
            else:
                calls[Observer.ORIGINAL] = call_of(role, Model(sources.originals[role], runtime), check)
            models = _variants(directory, getattr(manifest, role), runtime)
            if role == "landmarks" and runtime is Runtime.LITERT:
                models |= sources.tried
            for name, model in models.items():
                calls[name] = call_of(role, model, check)
            spent[runtime] = times_ms(calls)
        for name in spent[Runtime.LITERT]:
            cells = [_time_and_ratio(each, name) for each in spent.values()]
            rows.append((role, name, *cells))
    text = (
        "Median processor time in ms of one call, picture in, answer out, one thread; in brackets the ratio to the\n"
        f"original on the same runtime. Measured in turns in the same run on {platform.machine()}; elsewhere the\n"
        "order may be another: `likeness-terminal tune` measures it on the terminal.\n\n"
    )
    return "## Time\n\n" + text + table(("role", "variant", *(runtime.value for runtime in Runtime)), rows)


def _time_and_ratio(spent: Mapping[str, float], name: str) -> str:
    return f"{spent[name]:.1f} ({spent[name] / next(iter(spent.values())):.2f})" if name in spent else "-"


def _original_embedding(check: Check, sources: Sources, runtime: Runtime) -> Callable[[], object]:
    cv2.setNumThreads(1)
    originals = load_originals(sources.originals, runtime)
    crop = aligned_crop(check.pictures.portrait, check.landmarks)
    return lambda: originals.embed_crop(crop)
