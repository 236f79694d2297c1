"""`likeness-terminal tune` on the shipped models."""

import hashlib
import json
import math
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from device.__main__ import main
from device.config import ModelSettings
from device.daemon import load_configured_vision
from device.evaluation import tune_command
from device.evaluation.tune import Measurement, choose, measure
from device.evaluation.tune_check import Check, Deviation, load_check
from device.vision.inference import Runtime, available_runtimes
from device.vision.manifest import ModelError, default_directory, load_manifest, load_variant
from device.vision.tuned import ROLES

REHEARSAL = default_directory() / "rehearsal"
CLOSE = Deviation({"distance": 0.01}, (), 0.3)


@pytest.fixture(scope="module")
def check() -> Check:
    return load_check(default_directory(), REHEARSAL)


@pytest.fixture(params=list(Runtime), ids=str)
def runtime(request) -> Runtime:
    if request.param not in available_runtimes():
        pytest.skip(f"{request.param} is not installed: nothing was tested on it")
    return request.param


@pytest.mark.parametrize("role", ROLES)
def test_every_shipped_variant_answers_as_the_original_does(check, runtime, role):
    entry = getattr(load_manifest(default_directory()), role)
    for variant in entry.variants_for(runtime):
        deviation = check.deviation(role, load_variant(default_directory(), entry, variant, runtime))
        assert deviation.broken == ()
        assert 0 < deviation.used < 0.7, f"{variant.file}: the tolerance has no room left"


def test_the_refined_landmarks_lie_nearer_to_the_original(check):
    entry = load_manifest(default_directory()).landmarks
    shipped, refined = (
        check.deviation("landmarks", load_variant(default_directory(), entry, variant, Runtime.LITERT))
        for variant in entry.variants
    )
    assert refined.measured["distance"] < shipped.measured["distance"] / 1.5


def test_a_blinking_check_picture_would_find_eyes_that_stay_open(check):
    neutral, closed = check.answers.looks[0], check.answers.looks[-1]
    assert closed.left_eye < 0.55 * neutral.left_eye
    # Eyes that never close change the mean over the postures by more than the tolerance.
    lost = sum(neutral.left_eye - look.left_eye for look in check.answers.looks) / len(check.answers.looks)
    assert lost > 2 * load_manifest(default_directory()).landmarks.tolerance.openness


@pytest.fixture
def copied(tmp_path) -> Path:
    return Path(shutil.copytree(default_directory(), tmp_path / "models", ignore=shutil.ignore_patterns("*.py", "r*")))


def test_a_variant_beyond_the_tolerance_is_refused(copied):
    manifest = copied / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("distance: 0.03", "distance: 0.0001"))
    measured = list(measure(copied, load_check(copied, REHEARSAL), [Runtime.LITERT], [1], seconds=0))
    refused = [each for each in measured if not each.usable]
    assert {each.role for each in refused} == {"landmarks"}
    assert all(each.deviation.broken == ("distance",) and each.median_ms == math.inf for each in refused)
    with pytest.raises(ModelError, match=r"no runtime answers within the tolerances"):
        choose(measured)


def test_a_variant_that_the_runtime_cannot_load_is_refused(copied, check):
    shipped = load_manifest(copied).landmarks.variants[1]
    content = b"no model"
    (copied / shipped.file).write_bytes(content)
    manifest = copied / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace(shipped.sha256, hashlib.sha256(content).hexdigest()))
    measuring = measure(copied, check, [Runtime.LITERT], [1], seconds=0)
    (refused,) = [each for each in measuring if not each.usable]
    assert refused.file == shipped.file
    assert refused.deviation.broken == ("the runtime cannot load it",)


def test_a_model_that_sees_nothing_is_refused(check):
    manifest = load_manifest(default_directory())
    blind = load_variant(default_directory(), manifest.detector, manifest.detector.variants[0], Runtime.LITERT)
    run, blind.run = blind.run, lambda tensor: [part * 0 - 50 for part in run(tensor)]
    assert check.deviation("detector", blind).broken == ("no face seen",)


def test_changed_answers_are_refused(copied):
    answers = copied / "check.json"
    answers.write_text(answers.read_text().replace("1", "2", 1))
    with pytest.raises(ModelError, match=r"check\.json: sha256 is"):
        load_check(copied, REHEARSAL)


def measured(role: str, file: str, ms: float, runtime=Runtime.LITERT, threads=1, deviation=CLOSE) -> Measurement:
    return Measurement(role, file, file[0] * 64, runtime, threads, ms, deviation)


OTHERS = [measured("detector", "d", 2.0), measured("embedding", "e", 10.0)]


def test_the_fastest_within_the_tolerance_is_chosen():
    broken = Deviation({"distance": 0.5}, ("distance",), math.inf)
    quick = measured("landmarks", "quick", 1.0, deviation=broken)
    choice = choose([*OTHERS, quick, measured("landmarks", "able", 5.0), measured("landmarks", "slow", 9.0)])
    assert {role: each.file for role, each in choice.fastest.items()} == {
        "detector": "d",
        "landmarks": "able",
        "embedding": "e",
    }
    assert choice.frame_ms == pytest.approx(5 + 2 / 6 + 10 / 6)


def test_of_two_alike_the_nearer_to_the_original_is_chosen():
    near = measured("landmarks", "near", 5.2, deviation=replace(CLOSE, used=0.1))
    assert choose([*OTHERS, measured("landmarks", "far", 5.0), near]).fastest["landmarks"].file == "near"


@pytest.mark.parametrize(("faster", "threads"), [(0.95, 1), (0.5, 2)])
def test_a_second_thread_has_to_be_worth_it(faster, threads):
    one = [*OTHERS, measured("landmarks", "l", 5.0)]
    two = [replace(each, threads=2, median_ms=each.median_ms * faster) for each in one]
    assert choose([*one, *two]).threads == threads


def test_a_runtime_without_a_usable_variant_of_each_role_is_not_chosen():
    whole = [replace(each, runtime=Runtime.TFLITE) for each in [*OTHERS, measured("landmarks", "l", 500.0)]]
    assert choose([*OTHERS, *whole]).runtime is Runtime.TFLITE


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(tune_command, "SECONDS", 0.0)
    monkeypatch.setattr("os.cpu_count", lambda: 1)


def test_the_choice_is_kept_and_used(quick, capsys, tmp_path):
    out = tmp_path / "tuned.yaml"
    assert main(["tune", "--runtime", "ai-edge-litert", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [path.name for path in tmp_path.iterdir()] == ["tuned.yaml"]
    choice = document["choice"]
    vision = load_configured_vision(ModelSettings(tuned=out))
    assert vision.models.runtime is Runtime.LITERT
    assert {role: vision.models.hashes[role] for role in ROLES} == {role: choice[role] for role in ROLES}
    embedding = load_manifest(default_directory()).embedding.variant(Runtime.LITERT, choice["embedding"])
    assert vision.models.thresholds == embedding.thresholds
    assert {row["role"] for row in document["measurements"]} == set(ROLES)
    assert all(row["median_ms"] > 0 and row["broken"] == [] for row in document["measurements"])


def test_the_table_names_every_variant_and_what_to_configure(quick, capsys, tmp_path):
    assert main(["tune", "--runtime", "ai-edge-litert", "--out", str(tmp_path / "t.yaml")]) == 0
    printed = capsys.readouterr().out
    entries = load_manifest(default_directory())
    for role in ROLES:
        for variant in getattr(entries, role).variants:
            assert re.search(rf"^{role} +{re.escape(variant.file)} +ai-edge-litert +1 .* ms ", printed, re.MULTILINE)
    assert f"tuned: {tmp_path / 't.yaml'}" in printed


def test_a_missing_folder_is_said_before_anything_is_measured(capsys, tmp_path):
    assert main(["tune", "--out", str(tmp_path / "none" / "t.yaml")]) == 2
    assert "no such folder: make it first" in capsys.readouterr().err


def test_an_interrupt_stops_it_and_leaves_no_file(tmp_path):
    command = [sys.executable, "-m", "device", "tune", "--out", str(tmp_path / "tuned.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout.readline().startswith("model")
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, "likeness-terminal: stopped\n")
    assert list(tmp_path.iterdir()) == []
