from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.config import ModelSettings, load_terminal
from device.settings import SettingsError, parse_settings
from device.vision.assembly import load_tuned_vision
from device.vision.inference import Runtime
from device.vision.manifest import ModelError, default_directory, load_manifest
from device.vision.tuned import ROLES, Tuned, load_tuned

MANIFEST = load_manifest(default_directory())
LAST = {role: getattr(MANIFEST, role).variants_for(Runtime.LITERT)[-1].sha256 for role in ROLES}


@pytest.fixture
def written(tmp_path: Path):
    def write(**changes) -> Path:
        path = tmp_path / "tuned.yaml"
        path.write_text(Tuned(**{"runtime": Runtime.LITERT, "threads": 2, **LAST, **changes}).as_yaml())
        return path

    return write


def test_what_was_written_is_read_again(written) -> None:
    assert load_tuned(written(), MANIFEST) == Tuned(runtime=Runtime.LITERT, threads=2, **LAST)


@pytest.mark.parametrize("role", ROLES)
def test_a_stale_choice_is_refused_in_one_line(written, role: str) -> None:
    path = written(**{role: "0" * 64})
    with pytest.raises(ModelError) as refusal:
        load_tuned_vision(default_directory(), path)
    said = str(refusal.value)
    assert said.startswith(f"{path}: stale: its {role} 000000000000..")
    assert said.endswith(f"run likeness-terminal tune --out {path}")
    assert "\n" not in said


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tuned\.yaml"):
        load_tuned(tmp_path / "tuned.yaml", MANIFEST)


@settings(deadline=None)
@given(
    st.text() | st.integers(0, 300).map(lambda cut: Tuned(runtime="ai-edge-litert", threads=1, **LAST).as_yaml()[:cut])
)
def test_any_text_is_a_choice_or_a_list_of_faults(text: str) -> None:
    try:
        parse_settings(text, "tuned.yaml", Tuned)
    except SettingsError as error:
        assert all(fault.startswith("tuned.yaml:") for fault in error.faults)


@pytest.mark.parametrize("other", [{"threads": 1}, {"runtime": Runtime.LITERT}])
def test_the_configuration_says_runtime_and_threads_once(other) -> None:
    with pytest.raises(ValueError, match="tuned says runtime and threads already"):
        ModelSettings(tuned=Path("tuned.yaml"), **other)


def test_the_choice_lies_beside_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "terminal.yaml"
    path.write_text(
        "camera: {kind: usb-camera}\npanel: {factory: mock}\nbroker: {host: broker.example}\n"
        "models: {tuned: tuned.yaml}\nkeys: keys\noutbox: outbox.db\n"
    )
    settings, _ = load_terminal(path)
    assert settings.models.tuned == tmp_path / "tuned.yaml"
