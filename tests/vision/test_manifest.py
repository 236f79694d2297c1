import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.settings import SettingsError, parse_settings
from device.vision.inference import Runtime
from device.vision.manifest import Manifest, ModelError, Models, default_directory, load_manifest, load_models


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped models that a test may damage."""
    return Path(shutil.copytree(default_directory(), tmp_path / "models", ignore=shutil.ignore_patterns("*.py", "r*")))


def test_every_file_in_use_is_named_by_its_hash(models: Models) -> None:
    assert set(models.hashes) == {"detector", "landmarks", "embedding", "canonical_face"}
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in models.hashes.values())


def test_the_canonical_face_is_symmetric_and_looks_ahead(models: Models) -> None:
    vertices, weights = models.canonical_face.vertices, models.canonical_face.weights
    assert vertices.shape == (468, 3)
    assert weights.shape == (468,)
    assert vertices[263, 0] == pytest.approx(-vertices[33, 0])
    assert vertices[263, 0] > 0  # the left eye is at the face's own left
    assert vertices[10, 1] > vertices[152, 1]  # the forehead is above the chin
    assert vertices[4, 2] == vertices[:, 2].max()  # the nose tip is in front
    assert (weights > 0).sum() == 33


def test_the_thresholds_were_measured(models: Models) -> None:
    assert 0.2 < models.thresholds.fmr_1e_3 < models.thresholds.fmr_1e_4 < 0.8


def test_a_changed_file_is_refused_with_both_hashes(copied: Path, runtime: Runtime) -> None:
    path = copied / "landmarks_refined.tflite"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        ModelError, match=r"landmarks_refined\.tflite: sha256 is \w{12}\.\. but .* says \w{12}\.\."
    ) as refusal:
        load_models(copied, runtime)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["detector.tflite", "canonical_face.csv", "manifest.yaml"])
def test_a_missing_file_is_named(copied: Path, runtime: Runtime, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(ModelError, match=f"{re.escape(name)}: cannot be read"):
        load_models(copied, runtime)


def test_a_file_that_breaks_its_contract_is_refused(copied: Path, runtime: Runtime) -> None:
    manifest = copied / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("[1, 128, 128, 3]", "[1, 127, 128, 3]"))
    with pytest.raises(ModelError, match=r"detector\.tflite: its inputs and outputs"):
        load_models(copied, runtime)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("default_on: [ai-edge-litert]", "default_on: [tflite-runtime]", "needs exactly one variant"),
        ("runtimes: [tflite-runtime, ai-edge-litert]", "runtimes: [tflite-runtime]", "default_on names a runtime that"),
        ("file: detector.tflite", "file: ../detector.tflite", "String should match pattern"),
        ("licence: Apache-2.0", "license: Apache-2.0", "licence: is missing"),
        ("sha256: 7b", "sha256: 7B", "String should match pattern"),
        ("fmr_1e_4: 0.", "fmr_1e_4: -0.", "a rarer false match needs a higher score"),
    ],
)
def test_a_faulty_manifest_is_refused_by_line(copied: Path, old: str, new: str, fault: str) -> None:
    manifest = copied / "manifest.yaml"
    assert old in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(old, new))
    with pytest.raises(ModelError, match=rf"manifest\.yaml:\d+: .*{fault}"):
        load_manifest(copied)


def test_a_variant_that_is_not_listed_is_refused(runtime: Runtime) -> None:
    with pytest.raises(ModelError, match=r"lists no variant 000000000000\.\. of MediaPipe face mesh"):
        load_models(default_directory(), runtime, chosen={"landmarks": "0" * 64})


def test_a_chosen_variant_is_used(runtime: Runtime) -> None:
    chosen = {"landmarks": load_manifest(default_directory()).landmarks.variants_for(runtime)[-1].sha256}
    assert load_models(default_directory(), runtime, chosen=chosen).hashes["landmarks"] == chosen["landmarks"]


@settings(deadline=None)
@given(st.text() | st.integers(0, 4000).map(lambda cut: (default_directory() / "manifest.yaml").read_text()[:cut]))
def test_any_text_is_a_manifest_or_a_list_of_faults(text: str) -> None:
    try:
        parse_settings(text, "manifest.yaml", Manifest)
    except SettingsError as error:
        assert all(fault.startswith("manifest.yaml:") for fault in error.faults)
