"""`likeness-terminal doctor`: what it finds, and what it advises."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from broker import Broker

from device.__main__ import main
from device.camera.calibration import Calibration, write_calibration
from device.doctor import Finding, examine
from device.vision.manifest import default_directory
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority

REHEARSAL = default_directory() / "rehearsal"
ALL = ["configuration", "models", "clock", "panel", "camera", "calibration", "keys", "outbox", "broker"]


@pytest.fixture
def made(tmp_path):
    return create_demo_authority(tmp_path / "authority", ("shop-1",), port=free_port())


@pytest.fixture
def write(tmp_path, made):
    """Writes the configuration of a rehearsing terminal, changed section by section."""

    def write(**changes) -> Path:
        settings = {
            "camera": {"kind": "rehearsal", "person": str(REHEARSAL / "astronaut.json")},
            "panel": {"factory": "mock"},
            "broker": {"host": "127.0.0.1", "port": made.port},
            "keys": str(made.terminals["shop-1"]),
            "outbox": "outbox.sqlite",
        }
        path = tmp_path / "terminal.yaml"
        path.write_text(yaml.safe_dump(settings | changes))
        return path

    return write


def found(config: Path | None) -> dict[str, Finding]:
    findings = list(examine(config))
    for finding in findings:
        assert len(finding.found.splitlines()) == 1
        assert finding.well or finding.advice
    return {finding.check: finding for finding in findings}


def test_without_a_configuration_the_models_are_checked_and_the_rest_is_named():
    findings = found(None)
    assert list(findings) == ["models", "clock", "camera, panel, keys, broker"]
    assert findings["models"].well
    assert "hashes right" in findings["models"].found
    assert findings["camera, panel, keys, broker"].advice == "give --config FILE to check them"


def test_a_broken_configuration_is_told_with_every_fault(tmp_path):
    path = tmp_path / "terminal.yaml"
    path.write_text("camera: {kind: webcam}\nbroker: {host: b}\nkeys: k\noutbx: o\n")
    findings = found(path)
    assert list(findings) == ["configuration", "models", "clock"]
    assert not findings["configuration"].well
    for place in (f"{path}:1: camera.kind: ", f"{path}:4: outbx: "):
        assert place in findings["configuration"].found
    assert findings["configuration"].advice == f"mend {path}"
    assert "cannot be read" in found(tmp_path / "none.yaml")["configuration"].found


def test_a_complete_terminal_without_a_broker(write):
    findings = found(write())
    assert list(findings) == ALL
    # The demonstration's certificate lasts two days.
    assert {name for name, finding in findings.items() if not finding.well} - {"clock"} == {"keys", "broker"}
    assert "Connection refused" in findings["broker"].found
    assert findings["broker"].advice == "check network, address and firewall"
    assert findings["panel"].found.startswith("mock pins, no hardware: status_red 17, ")
    assert findings["camera"].found == "rehearsal, 640x480, 30 frames a second"
    assert findings["keys"].found.startswith("shop-1; the certificate serves for ")
    assert findings["keys"].advice == "run likeness-terminal rotate"
    assert findings["outbox"].found == "0 results wait for a receipt"


@pytest.fixture
def authority_of_years(tmp_path):
    return create_demo_authority(
        tmp_path / "authority-of-years", ("shop-1",), port=free_port(), lifetime=timedelta(days=700)
    )


@pytest.mark.broker
def test_with_its_broker_all_is_well(write, authority_of_years):
    made = authority_of_years
    broker = Broker(made)
    broker.start()
    try:
        config = write(keys=str(made.terminals["shop-1"]), broker={"host": "127.0.0.1", "port": made.port})
        findings = found(config)
    finally:
        broker.stop()
    assert {name for name, finding in findings.items() if not finding.well} <= {"clock"}
    assert findings["broker"].found == f"127.0.0.1:{made.port} answers, trusted, TLSv1.3"


@pytest.mark.broker
def test_a_broker_of_another_authority_is_not_trusted(write, authority_of_years):
    broker = Broker(authority_of_years)
    broker.start()
    try:
        finding = found(write(broker={"host": "127.0.0.1", "port": authority_of_years.port}))["broker"]
    finally:
        broker.stop()
    assert not finding.well
    assert "certificate verify failed" in finding.found


def test_each_thing_that_is_missing_is_found_by_its_check(write, made, tmp_path):
    (made.terminals["shop-1"] / "result.key").chmod(0o644)
    config = write(
        camera={"kind": "rehearsal", "person": str(tmp_path / "nobody.json")},
        models={"folder": str(tmp_path / "no-models")},
        outbox=str(tmp_path / "no-folder" / "outbox.sqlite"),
    )
    findings = found(config)
    assert list(findings) == ALL
    assert f"{tmp_path / 'nobody.json'}: cannot be read" in findings["camera"].found
    assert f"{tmp_path / 'no-models' / 'manifest.yaml'}: cannot be read" in findings["models"].found
    assert "result.key: its mode is 0644" in findings["keys"].found
    assert not findings["outbox"].well


def test_a_damaged_outbox_and_a_changed_model_are_told(write, tmp_path):
    (tmp_path / "outbox.sqlite").write_bytes(b"no database, " * 1000)
    skip = shutil.ignore_patterns("*.py", "re*", "__pycache__")
    models = Path(shutil.copytree(default_directory(), tmp_path / "models", ignore=skip))
    (models / "detector.tflite").write_bytes(b"changed")
    findings = found(write(models={"folder": str(models)}))
    assert "outbox.sqlite" in findings["outbox"].found
    assert "sha256 is" in findings["models"].found
    assert not findings["outbox"].well
    assert not findings["models"].well


@pytest.mark.parametrize("name", ["tls.key", "broker-ca.pem"])
def test_a_damaged_key_is_told(write, made, name):
    (made.terminals["shop-1"] / name).write_bytes(b"no key")
    findings = found(write())
    # The broker's authority is looked at when the broker is.
    assert not findings["broker" if name == "broker-ca.pem" else "keys"].well


def test_hardware_that_is_not_there_is_told(write):
    findings = found(write(camera={"kind": "usb-camera", "index": 63}, panel={"factory": "pi"}))
    assert list(findings) == ALL
    assert not findings["camera"].well


def test_a_camera_that_was_never_calibrated_is_told(write, tmp_path):
    camera = {"kind": "usb-camera", "index": 63, "calibration": "calibration.yaml"}
    finding = found(write(camera=camera))["calibration"]
    assert (finding.well, finding.found) == (False, "the camera was never calibrated")
    assert "likeness-terminal calibrate" in finding.advice
    calibrated = datetime(2026, 11, 3, tzinfo=UTC)
    write_calibration(
        tmp_path / "calibration.yaml",
        Calibration(rotation=90, mirrored=True, calibrated=calibrated, brightness=0.5, face_width=0.4),
    )
    finding = found(write(camera=camera))["calibration"]
    assert (finding.well, finding.found) == (True, "2026-11-03: turned by 90 degrees, mirrors")


def test_the_command_prints_findings_with_advice_and_ends_with_1(write, capsys):
    config = str(write())
    assert main(["doctor", "--config", config]) == 1
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert printed.err == ""
    assert lines[0].startswith(f"ok    configuration: {config} is valid, sha256 ")
    at = next(number for number, line in enumerate(lines) if line.startswith("MEND  broker: "))
    assert lines[at + 1] == "      -> check network, address and firewall"
    assert main(["doctor", "--config", config, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [finding["check"] for finding in document] == ALL
    assert [set(finding) for finding in document] == [{"check", "well", "found", "advice"}] * len(ALL)


def test_the_clock_is_told_in_utc():
    finding = found(None)["clock"]
    told = datetime.fromisoformat(finding.found.rpartition(", ")[2])
    assert told.tzinfo == UTC
    assert finding.well == finding.found.startswith("synchronised")
