"""The terminal's configuration file: what may stand in it, and how each fault is told."""

import hashlib
import re
from pathlib import Path

import pytest

from device.config import TerminalSettings, load_terminal
from device.settings import SettingsError
from device.slip.settings import UsbPrinter
from device.vision.inference import Runtime
from device.wire.fields import FalseMatchRate

GOOD = """\
# a terminal that rehearses
camera:
  kind: rehearsal
  person: people/astronaut.json
  seed: 3
panel:
  factory: mock
  pins:
    start: 12
    sound: false
broker:
  host: broker.example.org
policy:
  fmr: 1e-4
models:
  folder: /usr/share/likeness/models
  runtime: tflite-runtime
keys: keys
outbox: outbox.sqlite
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "terminal.yaml"
        path.write_text(text)
        return path

    return write


def faults(path: Path) -> list[str]:
    """The faults without the folder that the test happened to get."""
    with pytest.raises(SettingsError) as refusal:
        load_terminal(path)
    return [fault.removeprefix(f"{path.parent}/") for fault in refusal.value.faults]


def test_a_good_file_is_loaded_with_its_hash_and_paths_beside_it(write):
    path = write(GOOD)
    settings, digest = load_terminal(path)
    assert digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert settings.camera.person == path.parent / "people" / "astronaut.json"
    assert (settings.keys, settings.outbox) == (path.parent / "keys", path.parent / "outbox.sqlite")
    assert settings.models.folder == Path("/usr/share/likeness/models")
    assert settings.models.runtime is Runtime.TFLITE
    assert (settings.panel.pins.start, settings.panel.pins.sound, settings.panel.pins.cancel) == (12, False, 6)
    assert (settings.broker.link().host, settings.broker.link().port) == ("broker.example.org", 8883)
    assert settings.policy.fmr is FalseMatchRate.ONE_IN_10000


def test_the_calibration_is_found_beside_the_file_and_belongs_to_its_hash(write):
    person = "  kind: rehearsal\n  person: people/astronaut.json\n  seed: 3\n"
    text = GOOD.replace(person, "  kind: usb-camera\n  calibration: calibration.yaml\n")
    path = write(text)
    settings, digest = load_terminal(path)
    assert settings.camera.calibration == path.parent / "calibration.yaml"
    assert digest == hashlib.sha256(text.encode()).hexdigest()
    settings.camera.calibration.write_text("rotation: 90")
    assert load_terminal(path)[1] == hashlib.sha256(text.encode() + b"rotation: 90").hexdigest()


def test_the_least_file_has_safe_defaults(write):
    path = write("camera: {kind: pi-camera}\nbroker: {host: 10.0.0.7}\nkeys: /k\noutbox: /o/outbox.sqlite\n")
    settings, _ = load_terminal(path)
    assert settings.panel.factory == "pi"
    assert settings.policy.fmr is FalseMatchRate.ONE_IN_1000
    assert (settings.policy.max_failures, settings.policy.pause_s) == (10, 300)
    assert (settings.models.folder, settings.models.runtime, settings.models.threads) == (None, None, 1)


def test_where_light_is_to_be_steady_the_ring_stays_dark(write):
    text = "camera: {kind: pi-camera}\nbroker: {host: 10.0.0.7}\nkeys: /k\noutbox: /o/outbox.sqlite\npanel:\n"
    ring = "  pins: {ring: {red: 12, green: 13, blue: 19}}\n"
    for more, steady, lights_ring in (("", False, True), ("  steady: true\n", True, False)):
        panel = load_terminal(write(text + ring + more))[0].panel
        assert (panel.steady, panel.lights_ring) == (steady, lights_ring)


def test_a_file_is_found_from_any_folder(write, monkeypatch):
    path = write(GOOD)
    monkeypatch.chdir(path.parent)
    assert load_terminal(Path(path.name)) == load_terminal(path)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("  seed: 3", "  sed: 3", "5: camera.sed: is not a known key: remove it or mend its spelling"),
        ("  seed: 3", "  seed: -3", "5: camera.seed: Input should be greater than or equal to 0 (found -3)"),
        ("host: broker.example.org", "port: 1", "11: broker.host: is missing: add it"),
        ("host: broker.example.org", "host: a..b", "12: broker.host: 'a..b' is neither a host name nor an address"),
        ("host: broker.example.org", "host: [a]", "12: broker.host: Input should be a valid string (found ['a'])"),
        ("  factory: mock", "  factory: [", "9: not YAML: "),
        ("keys: keys\n", "", "2: keys: is missing: add it"),
        ("keys: keys", "keys: 7", "18: keys: Input is not a valid path"),
        (
            "  person: people/astronaut.json\n",
            "",
            "2: camera: a rehearsal needs a person: add person: FILE.json",
        ),
        (
            "kind: rehearsal",
            "kind: usb-camera",
            "2: camera: person belongs to kind: rehearsal, not to usb-camera: remove one of them",
        ),
        (
            "  seed: 3",
            "  calibration: calibration.yaml",
            "2: camera: calibration belongs to pi-camera and usb-camera: a rehearsal hangs upright, remove it",
        ),
        (
            "kind: rehearsal",
            "kind: webcam",
            "3: camera.kind: Input should be 'pi-camera', 'usb-camera' or 'rehearsal' (found 'webcam')",
        ),
        ("start: 12", "start: 17", "8: panel.pins: pin 17 stands for status_red and start: give each its own pin"),
        ("start: 12", "start: 40", "9: panel.pins.start: Input should be less than or equal to 27 (found 40)"),
        ("fmr: 1e-4", "fmr: 1e-2", "14: policy.fmr: "),
        ("runtime: tflite-runtime", "runtime: onnx", "17: models.runtime: Input should be 'tflite-runtime' or "),
        ("seed: 3", "seed: 3\n  seed: 4", "6: camera.seed: stands twice: remove one"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_to_do(write, old, new, fault):
    assert old in GOOD
    (only,) = faults(write(GOOD.replace(old, new)))
    assert only.startswith(f"terminal.yaml:{fault}")


def test_all_faults_are_told_at_once(write):
    text = GOOD.replace("  seed: 3", "  seed: x").replace("start: 12", "begin: 12").replace("host:", "hots:")
    lines = [int(fault.split(":")[1]) for fault in faults(write(text))]
    assert lines == [5, 9, 11, 12]


@pytest.mark.parametrize("written", ["1e-4", "'1e-4'", "1.0e-4", "0.0001"])
def test_a_rate_may_be_written_as_a_number(write, written):
    settings, _ = load_terminal(write(GOOD.replace("1e-4", written)))
    assert settings.policy.fmr is FalseMatchRate.ONE_IN_10000


@pytest.mark.parametrize("written", ["0.0005", "0.002", ".inf", ".nan", "-1.0e-4", "0.0", "1", "true"])
def test_a_rate_that_was_not_measured_is_never_rounded_to_one_that_was(write, written):
    (only,) = faults(write(GOOD.replace("1e-4", written)))
    assert only.startswith("terminal.yaml:14: policy.fmr: ")


def test_each_default_is_a_valid_setting():
    # pydantic does not check defaults: written out and read back, they are.
    settings = TerminalSettings.model_validate(
        {"camera": {"kind": "pi-camera"}, "broker": {"host": "b"}, "keys": "k", "outbox": "o"}
    )
    assert TerminalSettings.model_validate(settings.model_dump()) == settings
    assert re.fullmatch(r"[\w-]+", settings.policy.consent)


SLIP = """\
slip:
  address: https://check.example.org/slips/
  printer: {kind: usb, id: 04B8:0e15}
  paper_mm: 58
  picture: /run/likeness-screen/slip.png
"""


def test_a_slip_needs_an_address_and_somewhere_to_go(write):
    settings, _ = load_terminal(write(GOOD + SLIP))
    assert settings.slip is not None
    assert settings.slip.address == "https://check.example.org/slips"
    assert settings.slip.printer == UsbPrinter(kind="usb", id="04b8:0e15")
    assert load_terminal(write(GOOD))[0].slip is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "https://check.example.org/slips/",
            "http://check.example.org",
            "slip.address: 'http://check.example.org' is no",
        ),
        ("https://check.example.org/slips/", "https://check.example.org/?a=b", "slip.address: the code is put behind"),
        ("https://check.example.org/slips/", "https://me@check.example.org", "slip.address: the code is put behind"),
        ("https://check.example.org/slips/", "https://[check", "slip.address: 'https://[check' is no address"),
        ("https://check.example.org/slips/", f"https://{'a' * 100}.org", "slip.address: longer than 100 characters"),
        (
            "paper_mm: 58",
            "language: fr",
            "slip.language: 'fr' is not written here: choose",
        ),
        ("id: 04B8:0e15", "id: Epson", "slip.printer.usb.id: 'Epson' is no vendor and product: write"),
        ("kind: usb, id: 04B8:0e15", "kind: parallel", "slip.printer: Input tag 'parallel' found"),
        ("kind: usb, id: 04B8:0e15", "kind: file, path: lp0", "slip.printer.file.path: 'lp0' begins nowhere: write"),
        ("kind: usb, id: 04B8:0e15", "kind: network, host: a b", "slip.printer.network.host: is neither"),
        ("kind: usb, id: 04B8:0e15", "kind: network, host: a..b", "slip.printer.network.host: is neither"),
        ("kind: usb, id: 04B8:0e15", "kind: network", "slip.printer.network.host: is missing: add it"),
        ("paper_mm: 58", "paper_mm: 60", "slip.paper_mm: Input should be 58 or 80"),
        ("/run/likeness-screen/slip.png", "slip.png", "slip.picture: 'slip.png' begins nowhere: write the whole path"),
    ],
)
def test_each_fault_of_a_slip_has_its_line(write, old, new, told):
    found = faults(write(GOOD + SLIP.replace(old, new)))
    line, text = found[0].removeprefix("terminal.yaml:").split(": ", 1)
    assert int(line) > GOOD.count("\n")
    assert text.startswith(told)


def test_a_slip_that_goes_nowhere_is_told(write):
    lines = [line for line in SLIP.splitlines() if "printer" not in line and "picture" not in line]
    (fault,) = faults(write(GOOD + "\n".join(lines)))
    assert fault.endswith("slip: a slip needs paper or a screen: add printer or picture")
