"""`likeness-terminal doctor` as a whole: a real terminal's files, a technician, and what the command prints."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from device.__main__ import main
from device.camera.calibration import Calibration, write_calibration
from device.camera.person import load_person
from device.camera.rehearsal import RehearsalCamera
from device.config import load_terminal
from device.daemon import lock_of
from device.delivery.clocks import TerminalClock
from device.doctor import counter
from device.doctor.counter import Person
from device.doctor.examination import AT_WORK, Examination, Subject
from device.doctor.findings import Finding, Level, Pictures, Report
from device.doctor.inspecting import become_owner, inspect_permissions
from device.doctor.page import page
from device.durable import alone
from device.panel.gpio import PinReader
from device.panel.prompts import Lights
from device.vision.manifest import default_directory

GONE = {"kind": "usb-camera", "index": 63}
"""A camera that is not there: quicker than one to film with."""
REHEARSAL = default_directory() / "rehearsal"
WAY = [
    "broker's name",
    "broker's port",
    "broker speaks TLS",
    "broker's certificate",
    "broker admits us",
    "central answers",
]
COUNTER = ["panel", "buttons", "lights", "sound", "camera", "frame rate", "picture", "focus", "orientation", "site"]
MACHINE = ["power", "temperature", "clock", "card", "card's wear", "journal"]
ALL = ["configuration", "permissions", "keys", "keys' files", *MACHINE, "outbox", "network", "models", *COUNTER, *WAY]
SYNCED = TerminalClock(synchronised=lambda: True)


def subject(config: Path) -> Subject:
    return Subject(config, *load_terminal(config))


def found(config: Path, person: Person | None = None, **options) -> dict[str, Finding]:
    findings = list(Examination(subject(config), person, lambda _: None, **options).findings())
    for finding in findings:
        assert len(finding.found.splitlines()) == 1
        assert bool(finding.advice) == bool(finding.why) == finding.is_to_do
    return {finding.check: finding for finding in findings}


def to_do(findings: dict[str, Finding]) -> set[str]:
    return {check for check, finding in findings.items() if finding.is_to_do}


def test_a_complete_terminal_without_a_broker(write):
    findings = found(write(), clock=SYNCED)
    assert list(findings) == ALL
    assert to_do(findings) - {"journal", "network"} == {"broker's port"}
    assert "nobody listens there" in findings["broker's port"].found
    assert {findings[check].level for check in WAY[2:]} == {Level.SKIPPED}
    assert findings["panel"].found.startswith("mock pins, no hardware: status_red 17, ")
    assert findings["camera"].found == "rehearsal, 640x480"
    assert findings["frame rate"].found.startswith("30 frames a second")
    assert findings["focus"].level is Level.WELL
    assert findings["keys"].found.startswith("shop-1, chain epoch 1; the certificate serves for 699 more days")
    assert findings["outbox"].found == "0 results wait for a receipt"


def test_a_clock_in_1970_is_told_by_clock_and_keys(write):
    findings = found(write(camera=GONE), clock=TerminalClock(lambda: 5.0, lambda: 5.0, lambda: False))
    assert "the clock says 1970-01-01" in findings["clock"].found
    assert "this clock says 1970-01-01" in findings["keys"].found
    assert findings["clock"].level is findings["keys"].level is Level.STOPS


def test_each_thing_that_is_missing_is_found_by_its_check(write, made, tmp_path):
    (made.terminals["shop-1"] / "result.key").chmod(0o644)
    config = write(
        camera={"kind": "rehearsal", "person": str(tmp_path / "nobody.json")},
        models={"folder": str(tmp_path / "no-models")},
        outbox=str(tmp_path / "no-folder" / "outbox.sqlite"),
    )
    findings = found(config)
    assert f"{tmp_path / 'nobody.json'}: cannot be read" in findings["camera"].found
    assert f"{tmp_path / 'no-models' / 'manifest.yaml'}: cannot be read" in findings["models"].found
    assert "result.key: its mode is 0644" in findings["keys"].found
    assert f"may not write {tmp_path / 'no-folder'}" in findings["permissions"].found
    assert findings["outbox"].found == "needs the keys"
    assert {findings[check].found for check in WAY} == {"needs the keys"}
    assert to_do(findings) >= {"camera", "models", "keys", "permissions", "machine"}


def test_a_damaged_outbox_and_a_changed_model_are_told(write, tmp_path):
    (tmp_path / "outbox.sqlite").write_bytes(b"no database, " * 1000)
    skip = shutil.ignore_patterns("*.py", "re*", "__pycache__")
    models = Path(shutil.copytree(default_directory(), tmp_path / "models", ignore=skip))
    (models / "detector.tflite").write_bytes(b"changed")
    findings = found(write(camera=GONE, models={"folder": str(models)}))
    assert "outbox.sqlite" in findings["outbox"].found
    assert "sha256 is" in findings["models"].found
    assert to_do(findings) >= {"outbox", "models"}


@pytest.mark.parametrize("name", ["tls.key", "broker-ca.pem", "unsealing.key"])
def test_a_damaged_key_is_told(write, made, name):
    (made.terminals["shop-1"] / name).write_bytes(b"no key")
    findings = found(write(camera=GONE))
    assert findings["keys"].level is Level.STOPS
    assert name in findings["keys"].found


def test_a_missing_camera_and_pins_that_are_not_there_are_told(write):
    findings = found(write(camera=GONE, panel={"factory": "pi"}))
    assert "/dev/video63: no such camera" in findings["camera"].found
    assert findings["camera"].level is findings["panel"].level is Level.STOPS
    assert "no GPIO pins here" in findings["panel"].found or "lgpio" in findings["panel"].found


def test_a_service_at_work_is_left_alone(write):
    config = write()
    with alone(lock_of(load_terminal(config)[0])):
        findings = found(config)
    assert {findings[check].found for check in ("panel", "camera", *WAY)} == {AT_WORK}
    assert "lights" not in findings


@pytest.fixture
def attended(stand, write, tmp_path, monkeypatch):
    """A terminal with a counter of mock pins and the animated person before its camera, and a technician."""

    def make(*, mirrored: bool = False, **wired):
        technician = stand(opened=False, **wired).technician
        monkeypatch.setattr(counter, "pi_factory", lambda: technician.factory)
        monkeypatch.setattr(
            counter,
            "open_camera",
            lambda _, pins: RehearsalCamera(load_person(REHEARSAL / "astronaut.json"), pins.lights, seed=1),
        )
        calibration = Calibration(
            rotation=0,
            mirrored=mirrored,
            calibrated=datetime(2026, 11, 3, tzinfo=UTC),
            camera="rehearsal",
            brightness=0.5,
            face_width=0.4,
        )
        write_calibration(tmp_path / "calibration.yaml", calibration)
        camera = {"kind": "usb-camera", "calibration": "calibration.yaml"}
        config = write(camera=camera, panel={"factory": "pi"})
        return config, Person(technician.keyboard, technician.hear), technician

    return make


def test_a_technician_is_led_through_the_counter(attended):
    """Two lights are exchanged, and the calibration is of a camera that mirrored: both are told, all else is well."""
    config, person, technician = attended(mirrored=True, left=24, right=23)
    examined = Examination(subject(config), person, lambda _: None)
    findings = {finding.check: finding for finding in examined.findings()}
    assert list(findings) == ALL
    assert "{left: 24, right: 23}" in findings["lights"].advice
    assert "seen now: turned by 0 degrees, does not mirror" in findings["orientation"].found
    assert {findings[check].level for check in COUNTER} == {Level.WELL, Level.STOPS}
    assert to_do(findings) & set(COUNTER) == {"lights", "orientation"}
    assert "Look straight at the camera." in technician.heard
    assert PinReader(technician.pins, technician.factory).lights() == Lights()
    report = examined.report()
    assert (report.pictures.parts["left"], report.pictures.parts["eyes"]) == (Level.MEND, Level.WELL)
    tags = Tags()
    tags.feed(page(report))
    assert f"Do: {findings['lights'].advice}" in tags.words


def test_ctrl_c_while_lights_are_lit_leaves_them_dark_and_ends_with_130(attended, monkeypatch, capsys):
    config, person, technician = attended()

    def stop(sentence):
        if "eye light" in sentence and sentence.startswith("Now"):
            assert PinReader(technician.pins, technician.factory).lights().eyes == 1.0
            os.kill(os.getpid(), signal.SIGTERM)  # as Ctrl-C
            signal.sigtimedwait([], 0)

    technician.on_question = stop
    monkeypatch.setattr("device.doctor.command.Person", lambda *_: person)
    monkeypatch.setattr("sys.stdin", _Terminal(technician.keyboard))
    assert main(["doctor", "--config", str(config)]) == 130
    assert PinReader(technician.pins, technician.factory).lights() == Lights()
    assert capsys.readouterr().err == "likeness-terminal: stopped\n"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


class _Terminal:
    """Standard input as a terminal's."""

    def __init__(self, keyboard):
        self._descriptor = keyboard._descriptor

    def isatty(self):
        return True

    def fileno(self):
        return self._descriptor


def test_the_command_prints_lines_and_then_what_to_do(write, capsys):
    config = str(write(camera=GONE))
    assert main(["doctor", "--config", config, "--unattended"]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0].startswith(f"ok     configuration: {config}, sha256 ")
    at = lines.index(next(line for line in lines if line.startswith("shop-1: This terminal cannot serve: ")))
    assert lines[at + 2].startswith(" 1. camera: /dev/video63: no such camera")
    assert lines[at + 3] == "    why: no session can be held without it"
    assert lines[at + 4].startswith("    do:  check its cable at both ends")


def test_the_command_prints_json_the_worst_first(write, capsys):
    assert main(["doctor", "--config", str(write(camera=GONE)), "--unattended", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["terminal"], document["exit_status"]) == ("shop-1", 1)
    assert [finding["check"] for finding in document["findings"][:2]] == ["camera", "broker's port"]
    assert {finding["check"] for finding in document["findings"]} == set(ALL) - set(COUNTER[5:])
    skipped = {finding["check"]: finding["found"] for finding in document["findings"] if finding["level"] == "skipped"}
    assert skipped["buttons"] == "mock pins: there is nothing to see or to press"
    speed = next(finding for finding in document["findings"] if finding["check"] == "models")
    assert 0 < speed["gauge"]["value"] < speed["gauge"]["most"]


class Tags(HTMLParser):
    """Checks that tags are closed in their order, and gathers what would be fetched."""

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_stands_alone_and_escapes_what_it_tells():
    evil = Finding("camera", Level.STOPS, '<script>alert("x")</script>', "w & w", "<b>do</b>")
    pictures = Pictures((33.0, 250.0, 34.0), {"left": Level.MEND, "start": Level.WELL, "status_red": Level.STOPS})
    tags = Tags()
    text = page(Report("shop-1", datetime(2026, 11, 26, tzinfo=UTC), "1", (evil,), pictures))
    tags.feed(text)
    assert tags.open == []
    assert tags.fetched == []
    assert "<script" not in text and "<img" not in text and "http:" not in text and "https:" not in text
    assert evil.found in tags.words
    assert 'name="viewport"' in text


def test_the_page_is_written_and_nothing_to_do_needs_no_list(write, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["doctor", "--config", str(write(camera=GONE)), "--unattended", "--html", str(out)]) == 1
    tags = Tags()
    tags.feed(out.read_text())
    assert "broker's port" in tags.words
    fine = page(Report("shop-1", datetime(2026, 11, 26, tzinfo=UTC), "1", ()))
    assert "What to do" not in fine and "All is well." in fine


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--config", "nowhere.yaml"], "nowhere.yaml: cannot be read: No such file or directory"),
        (["--config", "bad.yaml"], "bad.yaml:1: camera.kind: "),
        (["--config", "terminal.yaml", "--html", "nowhere/r.html"], "nowhere/r.html: cannot be written: No such file"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(write, tmp_path, monkeypatch, capsys, arguments, told):
    write()
    (tmp_path / "bad.yaml").write_text("camera: {kind: webcam}\nbroker: {host: b}\nkeys: k\noutbox: o\n")
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--unattended", *arguments]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert told in line
    assert printed.out == ""


def test_ctrl_c_at_a_terminal_ends_with_130_and_one_line(write):
    """The real command at a real (pseudo-)terminal."""
    child, leader = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "device", "doctor", "--config", str(write(camera=GONE))])
    printed = b""
    while b"... models" not in printed:
        assert select.select([leader], [], [], 20)[0], printed
        printed += os.read(leader, 4096)
    os.write(leader, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    while select.select([leader], [], [], 0)[0]:
        try:
            printed += os.read(leader, 4096)
        except OSError:
            break
    os.close(leader)
    assert printed.replace(b"\r\n", b"\n").endswith(b"likeness-terminal: stopped\n")
    assert b"Traceback" not in printed


def test_without_a_network_it_says_so(write):
    """In a network namespace of its own there is none."""
    alone_there = ["unshare", "--net"]
    if subprocess.run([*alone_there, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no network namespace can be made here: this test did not run")
    command = [sys.executable, "-m", "device", "doctor", "--config", str(write(camera=GONE)), "--unattended", "--json"]
    done = subprocess.run([*alone_there, *command], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert findings["network"]["level"] == findings["broker's port"]["level"] == "stops"
    assert findings["network"]["found"].startswith("no ")
    assert "unreachable" in findings["broker's port"]["found"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_goes_on_as_the_owner_of_the_keys(write, made, tmp_path):
    """What root may is no answer: in a child, which becomes nobody."""
    keys = made.terminals["shop-1"]
    shutil.chown(keys, 65534, 65534)
    settings, _ = load_terminal(config := write())
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        become_owner(settings)
        told = inspect_permissions(settings, config)
        os.write(
            writing, json.dumps([told.user, os.geteuid(), os.getgroups(), told.unwritable, told.unreadable]).encode()
        )
        os._exit(0)
    os.close(writing)
    assert os.waitpid(child, 0)[1] == 0
    user, number, groups, unwritable, unreadable = json.loads(os.read(reading, 4096))
    os.close(reading)
    assert (user, number, 0 in groups) == ("nobody", 65534, False)
    assert unwritable == [str(tmp_path)]
    assert unreadable == [str(config)]
