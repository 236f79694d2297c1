"""Loads the models that models/manifest.yaml lists; no weight is used unless its hash is the manifest's."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from device.settings import Settings, SettingsError, load_settings
from device.vision.inference import InferenceError, Model, Runtime
from device.wire.fields import FalseMatchRate

_MAX_WEIGHTS_BYTES = 64 * 1024 * 1024

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1)]
Shape = Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)]
Cosine = Annotated[float, Field(gt=-1, lt=1)]


class ModelError(RuntimeError):
    """A model file is missing, changed or unusable; the message is one line that says what to do."""


class Source(Settings):
    """Where a file was made from: a file in a published package, perhaps inside an archive in it (`member`)."""

    package: Text
    version: Text
    file: Text
    sha256: Sha256
    member: Text | None = None


class Tensor(Settings):
    """One input or output: its shape, batch first, and what its values mean."""

    name: Text
    shape: Shape
    values: Text


class Thresholds(Settings):
    """Cosine scores from which two faces match, at false match rates 1e-3 and 1e-4, and the set that gave them."""

    fmr_1e_3: Cosine
    fmr_1e_4: Cosine
    measured_on: Text

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.fmr_1e_4 < self.fmr_1e_3:
            raise ValueError("fmr_1e_4 is below fmr_1e_3: a rarer false match needs a higher score")
        return self

    def at(self, fmr: FalseMatchRate) -> float:
        """The least score that matches at this false match rate."""
        return self.fmr_1e_4 if fmr is FalseMatchRate.ONE_IN_10000 else self.fmr_1e_3


class Variant(Settings):
    """One weight file of a role and the runtimes that use it."""

    file: FileName
    sha256: Sha256
    quantisation: Text
    runtimes: Annotated[tuple[Runtime, ...], Field(min_length=1)]
    thresholds: Thresholds | None = None


class Entry(Settings):
    """A role's model: licence, origin, contract and variants; each runtime is served by exactly one variant."""

    name: Text
    licence: Text
    source: Source
    input: Tensor
    outputs: Annotated[tuple[Tensor, ...], Field(min_length=1)]
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_variant_each(self) -> Self:
        served = [runtime for variant in self.variants for runtime in variant.runtimes]
        if sorted(served) != sorted(Runtime):
            raise ValueError(f"each of {', '.join(sorted(Runtime))} needs exactly one variant")
        return self

    def variant(self, runtime: Runtime) -> Variant:
        """The variant for `runtime`."""
        return next(variant for variant in self.variants if runtime in variant.runtimes)


class EmbeddingEntry(Entry):
    """The embedding's entry: each variant has its own thresholds."""

    @model_validator(mode="after")
    def _thresholds_everywhere(self) -> Self:
        if any(variant.thresholds is None for variant in self.variants):
            raise ValueError("each variant of the embedding needs its measured thresholds")
        return self


class GeometryEntry(Settings):
    """The canonical face: a text file beside the weights."""

    file: FileName
    sha256: Sha256
    licence: Text
    source: Source


class Manifest(Settings):
    """The whole of manifest.yaml."""

    detector: Entry
    landmarks: Entry
    embedding: EmbeddingEntry
    canonical_face: GeometryEntry


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalFace:
    """MediaPipe's average face.

    Attributes:
        vertices: (468, 3) float64, centimetres: x to the face's own left, y up, z out of the face; row i is landmark i.
        weights: (468,) float64, each landmark's weight in a Procrustes fit, 0 for most.
    """

    vertices: NDArray[np.float64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """Every model a terminal needs, loaded for one runtime.

    `hashes` maps role (detector, landmarks, embedding, canonical_face) to the sha256 of the file in use.
    """

    runtime: Runtime
    detector: Model
    landmarks: Model
    embedding: Model
    thresholds: Thresholds
    canonical_face: CanonicalFace
    hashes: dict[str, str]


def default_directory() -> Path:
    """The folder of the installed `models` package."""
    return Path(str(resources.files("models")))


def load_manifest(directory: Path) -> Manifest:
    """Reads manifest.yaml; raises ModelError with every fault by file and line."""
    try:
        return load_settings(directory / "manifest.yaml", Manifest)
    except SettingsError as error:
        raise ModelError(str(error)) from None


def load_models(directory: Path, runtime: Runtime, threads: int = 1) -> Models:
    """Loads every model for `runtime`; raises ModelError when a file is missing, changed or breaks its contract."""
    manifest = load_manifest(directory)
    hashes: dict[str, str] = {}

    def load(role: str, entry: Entry) -> Model:
        variant = entry.variant(runtime)
        model = _model(directory / variant.file, variant.sha256, entry, runtime, threads)
        hashes[role] = variant.sha256
        return model

    detector, landmarks = load("detector", manifest.detector), load("landmarks", manifest.landmarks)
    embedding = load("embedding", manifest.embedding)
    thresholds = manifest.embedding.variant(runtime).thresholds
    if thresholds is None:  # the schema forbids it
        raise ModelError(f"{directory / 'manifest.yaml'}: the embedding has no thresholds")
    geometry = manifest.canonical_face
    canonical_face = _canonical_face(directory / geometry.file, geometry.sha256)
    hashes["canonical_face"] = geometry.sha256
    return Models(runtime, detector, landmarks, embedding, thresholds, canonical_face, hashes)


def _model(path: Path, sha256: str, entry: Entry, runtime: Runtime, threads: int) -> Model:
    weights = _checked(path, sha256)
    try:
        model = Model(weights, runtime, threads)
    except InferenceError as error:
        raise ModelError(f"{path}: {error}") from None
    contract = entry.input.shape, tuple(output.shape for output in entry.outputs)
    if (model.input_shape, model.output_shapes) != contract:
        raise ModelError(f"{path}: its inputs and outputs are not those in manifest.yaml: reinstall likeness")
    return model


def _checked(path: Path, sha256: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_WEIGHTS_BYTES + 1)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}): reinstall likeness") from None
    if len(content) > _MAX_WEIGHTS_BYTES:
        raise ModelError(
            f"{path}: larger than {_MAX_WEIGHTS_BYTES // 1024 // 1024} MiB, not a model: reinstall likeness"
        )
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(f"{path}: sha256 is {found[:12]}.. but manifest.yaml says {sha256[:12]}..: reinstall likeness")
    return content


def _canonical_face(path: Path, sha256: str) -> CanonicalFace:
    rows = list(csv.reader(io.StringIO(_checked(path, sha256).decode())))[1:]
    try:
        table = np.array(rows, np.float64)
    except ValueError:
        table = np.empty((0, 0))
    if table.shape != (468, 4):
        raise ModelError(f"{path}: not 468 lines of x, y, z and weight: reinstall likeness")
    return CanonicalFace(table[:, :3].copy(), table[:, 3].copy())
