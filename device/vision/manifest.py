"""Loads the models that models/manifest.yaml lists; no weight is used unless its hash is the manifest's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import Field, model_validator

from device.settings import Settings, SettingsError, load_settings
from device.vision.geometry import CanonicalFace, parse_canonical_face
from device.vision.inference import InferenceError, Model, Runtime
from device.vision.tolerance import DetectorTolerance, EmbeddingTolerance, LandmarksTolerance
from device.wire.fields import FalseMatchRate

_MAX_WEIGHTS_BYTES = 64 * 1024 * 1024

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1)]
Shape = Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)]
Cosine = Annotated[float, Field(gt=-1, lt=1)]


class ModelError(RuntimeError):
    """A model file is missing, changed or unusable; the message is one line that says what to do."""


class RefusedModelError(ModelError):
    """The runtime cannot load a file whose bytes are right."""


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


class Listed(Settings):
    """A file and the hash of its bytes."""

    file: FileName
    sha256: Sha256


class Variant(Listed):
    """One weight file of a role, the runtimes that can use it, and those that do where nothing was measured."""

    quantisation: Text
    runtimes: Annotated[tuple[Runtime, ...], Field(min_length=1)]
    default_on: tuple[Runtime, ...] = ()
    thresholds: Thresholds | None = None


class Entry(Settings):
    """A role's model: licence, origin, contract and variants, one of them each runtime's default."""

    name: Text
    licence: Text
    source: Source
    input: Tensor
    outputs: Annotated[tuple[Tensor, ...], Field(min_length=1)]
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_default_each(self) -> Self:
        if any(set(variant.default_on) - set(variant.runtimes) for variant in self.variants):
            raise ValueError("default_on names a runtime that runtimes does not: add it there")
        defaults = [runtime for variant in self.variants for runtime in variant.default_on]
        if sorted(defaults) != sorted(Runtime):
            raise ValueError(f"each of {', '.join(sorted(Runtime))} needs exactly one variant with it in default_on")
        return self

    def variants_for(self, runtime: Runtime) -> tuple[Variant, ...]:
        """The variants that `runtime` can use."""
        return tuple(variant for variant in self.variants if runtime in variant.runtimes)

    def variant(self, runtime: Runtime, sha256: str | None = None) -> Variant:
        """The variant for `runtime` with this hash, or the default; raises ModelError when there is none."""
        for variant in self.variants_for(runtime):
            if sha256 == variant.sha256 or (sha256 is None and runtime in variant.default_on):
                return variant
        raise ModelError(f"manifest.yaml lists no variant {str(sha256)[:12]}.. of {self.name} for {runtime}")


class DetectorEntry(Entry):
    """The face detector."""

    tolerance: DetectorTolerance


class LandmarksEntry(Entry):
    """The landmark model."""

    tolerance: LandmarksTolerance


class EmbeddingEntry(Entry):
    """The embedding's entry: each variant has its own thresholds."""

    tolerance: EmbeddingTolerance

    @model_validator(mode="after")
    def _thresholds_everywhere(self) -> Self:
        if any(variant.thresholds is None for variant in self.variants):
            raise ValueError("each variant of the embedding needs its measured thresholds")
        return self


class GeometryEntry(Listed):
    """The canonical face: a text file beside the weights."""

    licence: Text
    source: Source


class Manifest(Settings):
    """The whole of manifest.yaml; `check` has the float originals' answers on the check pictures."""

    detector: DetectorEntry
    landmarks: LandmarksEntry
    embedding: EmbeddingEntry
    canonical_face: GeometryEntry
    check: Listed


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


def load_models(
    directory: Path, runtime: Runtime, threads: int = 1, chosen: Mapping[str, str] = MappingProxyType({})
) -> Models:
    """Loads every model for `runtime`: the default variants, but for the roles whose variant's sha256 is `chosen`.

    Raises ModelError when a file is missing, changed or breaks its contract, or no such variant is listed.
    """
    manifest = load_manifest(directory)
    hashes: dict[str, str] = {}

    def load(role: str, entry: Entry) -> Model:
        variant = entry.variant(runtime, chosen.get(role))
        hashes[role] = variant.sha256
        return load_variant(directory, entry, variant, runtime, threads)

    detector, landmarks = load("detector", manifest.detector), load("landmarks", manifest.landmarks)
    embedding = load("embedding", manifest.embedding)
    thresholds = manifest.embedding.variant(runtime, hashes["embedding"]).thresholds
    if thresholds is None:  # the schema forbids it
        raise ModelError(f"{directory / 'manifest.yaml'}: the embedding has no thresholds")
    geometry = manifest.canonical_face
    canonical_face = load_canonical_face(directory / geometry.file, geometry.sha256)
    hashes["canonical_face"] = geometry.sha256
    return Models(runtime, detector, landmarks, embedding, thresholds, canonical_face, hashes)


def load_variant(directory: Path, entry: Entry, variant: Variant, runtime: Runtime, threads: int = 1) -> Model:
    """Loads one variant of a role; raises ModelError."""
    path = directory / variant.file
    weights = read_checked(path, variant.sha256)
    try:
        model = Model(weights, runtime, threads)
    except InferenceError as error:
        raise RefusedModelError(f"{path}: {error}") from None
    contract = entry.input.shape, tuple(output.shape for output in entry.outputs)
    if (model.input_shape, model.output_shapes) != contract:
        raise ModelError(f"{path}: its inputs and outputs are not those in manifest.yaml: reinstall likeness")
    return model


def read_checked(path: Path, sha256: str) -> bytes:
    """Returns the bytes of the file whose hash the manifest gives; raises ModelError."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_WEIGHTS_BYTES + 1)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}): reinstall likeness") from None
    if len(content) > _MAX_WEIGHTS_BYTES:
        raise ModelError(f"{path}: larger than {_MAX_WEIGHTS_BYTES >> 20} MiB, not a model: reinstall likeness")
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(f"{path}: sha256 is {found[:12]}.. but manifest.yaml says {sha256[:12]}..: reinstall likeness")
    return content


def load_canonical_face(path: Path, sha256: str) -> CanonicalFace:
    """Loads the canonical face; raises ModelError."""
    try:
        return parse_canonical_face(read_checked(path, sha256).decode())
    except ValueError as error:
        raise ModelError(f"{path}: {error}: reinstall likeness") from None
