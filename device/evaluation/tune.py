"""Measures every variant of every model on this machine, and chooses the fastest that answers as the original does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from device.evaluation.tune_check import Check, Deviation
from device.vision.alignment import aligned_crop
from device.vision.detector import Detector
from device.vision.embedding import Embedder
from device.vision.following import COUNT_EVERY
from device.vision.inference import Model, Runtime
from device.vision.landmarks import LandmarkFinder, region_from_landmarks
from device.vision.manifest import Entry, ModelError, RefusedModelError, load_manifest, load_variant
from device.vision.tuned import ROLES, Tuned

# How often a frame runs each model: landmarks always, the detector to count faces every few frames, and at least five
# embeddings a second at thirty frames.
RUNS_A_FRAME = {"detector": 1 / COUNT_EVERY, "landmarks": 1.0, "embedding": 1 / 6}
# A further thread has to gain this much: the camera, the encoder and the kernel need cores as well.
GAIN_A_THREAD = 0.1
# Variants this near to the fastest are as fast: the one that lies nearest to the original is taken.
ALIKE = 1.05
LEAST_RUNS, MOST_RUNS = 5, 200


@dataclass(frozen=True, slots=True)
class Measurement:
    """One variant on one runtime with so many threads.

    Attributes:
        median_ms: of a whole call, picture in, answer out; infinite when it cannot run.
        deviation: from the float original on the check pictures; `broken` says why it may not be used.
    """

    role: str
    file: str
    sha256: str
    runtime: Runtime
    threads: int
    median_ms: float
    deviation: Deviation

    @property
    def usable(self) -> bool:
        """Whether it runs, and within tolerance."""
        return not self.deviation.broken


def measure(
    directory: Path,
    check: Check,
    runtimes: Iterable[Runtime],
    threads: Sequence[int],
    *,
    seconds: float = 0.5,
    clock: Callable[[], float] = perf_counter,
) -> Iterator[Measurement]:
    """Yields a measurement of each variant in `directory` on each of `runtimes` that it lists.

    Each is timed for `seconds`, but LEAST_RUNS to MOST_RUNS times. Raises ModelError when a file is missing or changed.
    """
    manifest = load_manifest(directory)
    for runtime in runtimes:
        for role in ROLES:
            entry: Entry = getattr(manifest, role)
            for variant in entry.variants_for(runtime):
                for count in threads:
                    spent, deviation = math.inf, Deviation({}, ("the runtime cannot load it",), math.inf)
                    with suppress(RefusedModelError):
                        model = load_variant(directory, entry, variant, runtime, count)
                        deviation = check.deviation(role, model)
                        if not deviation.broken:
                            spent = _median_s(call_of(role, model, check), seconds, clock)
                    yield Measurement(role, variant.file, variant.sha256, runtime, count, spent * 1000, deviation)


def call_of(role: str, model: Model, check: Check) -> Callable[[], object]:
    """What a session does with the model, on the portrait."""
    picture = check.pictures.portrait
    if role == "detector":
        detector = Detector(model)
        return lambda: detector.detect(picture)
    if role == "landmarks":
        finder, region = LandmarkFinder(model), region_from_landmarks(check.landmarks)
        return lambda: finder.find(picture, region)
    embedder, crop = Embedder(model), aligned_crop(picture, check.landmarks)
    return lambda: embedder.embed_crop(crop)


def _median_s(call: Callable[[], object], seconds: float, clock: Callable[[], float]) -> float:
    """The check before it has warmed the model up."""
    spent: list[float] = []
    while len(spent) < LEAST_RUNS or (sum(spent) < seconds and len(spent) < MOST_RUNS):
        began = clock()
        call()
        spent.append(clock() - began)
    return median(spent)


@dataclass(frozen=True, slots=True)
class Choice:
    """One runtime and number of threads, and its fastest usable measurement of each role."""

    runtime: Runtime
    threads: int
    fastest: dict[str, Measurement]

    @property
    def frame_ms(self) -> float:
        """What the models cost of each frame's time."""
        return sum(share * self.fastest[role].median_ms for role, share in RUNS_A_FRAME.items())

    def as_tuned(self) -> Tuned:
        """What the terminal keeps of it."""
        chosen = {role: each.sha256 for role, each in self.fastest.items()}
        return Tuned(runtime=self.runtime, threads=self.threads, **chosen)


def choose(measurements: Iterable[Measurement]) -> Choice:
    """Returns the choice with the least time a frame; raises ModelError when some role has no usable variant."""
    groups: dict[tuple[Runtime, int], dict[str, list[Measurement]]] = {}
    for each in measurements:
        if each.usable:
            groups.setdefault((each.runtime, each.threads), {}).setdefault(each.role, []).append(each)
    choices = [
        Choice(*key, {role: _fastest(roles[role]) for role in ROLES})
        for key, roles in groups.items()
        if len(roles) == len(ROLES)
    ]
    if not choices:
        raise ModelError("no runtime answers within the tolerances of manifest.yaml: reinstall likeness")
    return min(choices, key=lambda choice: choice.frame_ms * (1 + GAIN_A_THREAD * (choice.threads - 1)))


def _fastest(measurements: Sequence[Measurement]) -> Measurement:
    limit = ALIKE * min(each.median_ms for each in measurements)
    return min((each for each in measurements if each.median_ms <= limit), key=lambda each: each.deviation.used)
