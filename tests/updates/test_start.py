"""The start with real processes: the firmware in force takes over, and what does not stand its test never does."""

import os
import subprocess
import sys

import pytest
import yaml
from bundles import NOW, made

from device.daemon import RESTART
from device.updates import start
from device.updates.installing import install
from device.updates.state import STARTS
from device.updates.store import Store
from device.wire.update import BundleKind

FIRMWARE = BundleKind.FIRMWARE
# A firmware of five lines: it passes its self-test, or does whatever `test` says, and else tells its version.
PROGRAM = """
import importlib.metadata, sys
def main():
    if sys.argv[1] == "update":
        {test}
    print("this is", importlib.metadata.version("likeness"), sys.argv[1:])
    return 3
"""


@pytest.fixture
def terminal(quick):
    settings = {
        "camera": {"kind": "usb-camera"},
        "broker": {"host": "127.0.0.1"},
        "keys": "keys",
        "outbox": "outbox.sqlite",
    }
    (quick / "terminal.yaml").write_text(yaml.safe_dump(settings))
    return quick


def store_of(terminal):
    return Store(terminal / "updates")


def firmware(terminal, number, version, test="return 0"):
    files = {
        "device/__init__.py": b"",
        "device/__main__.py": PROGRAM.format(test=test).encode(),
        f"likeness-{version}.dist-info/METADATA": f"Name: likeness\nVersion: {version}\n".encode(),
    }
    bundle = made(files, kind=FIRMWARE, number=number, version=version)
    assert install(store_of(terminal), bundle, "shop-17", NOW).changed


def started(terminal, command="run", entry="device.launch"):
    """What the program does with a command; the terminal's own `run` would end for want of keys."""
    code = f"import sys; from {entry} import main; sys.exit(main())"
    told = [sys.executable, "-c", code, command, "--config", str(terminal / "terminal.yaml")]
    return subprocess.run(told, capture_output=True, text=True, timeout=60, check=False)


def test_the_firmware_in_force_takes_over_every_command_but_update(terminal):
    firmware(terminal, 1, "9.9.9")
    done = started(terminal)
    assert (done.returncode, done.stdout) == (3, f"this is 9.9.9 ['run', '--config', '{terminal}/terminal.yaml']\n")
    assert started(terminal, "doctor").stdout.startswith("this is 9.9.9 ['doctor'")
    assert store_of(terminal).read().trial.starts_left == STARTS - 1
    own = subprocess.run(
        [sys.executable, "-m", "device", "update", "--status", "--config", str(terminal / "terminal.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "firmware: update 1 (version 9.9.9): on trial" in own.stdout
    assert not list((terminal / "updates" / "firmware-1").rglob("*.opt*")) and store_of(terminal).is_sound(
        FIRMWARE, store_of(terminal).read().firmware.current
    )


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("return print('camera') or 1", "camera"),
        ("raise OSError('gone')", "self-test-crashed"),
        ("return print('x' * 500) or 1", "self-test-crashed"),
        ("import os; os.kill(os.getpid(), 9)", "self-test-crashed"),
    ],
)
def test_firmware_that_fails_its_test_is_given_back(terminal, test, reason):
    firmware(terminal, 1, "9.9.9", test)
    store = store_of(terminal)
    state = start.begin(store, lambda: start.self_test(store, terminal / "terminal.yaml"))
    assert state.firmware.current is None and state.failures[0].reason == reason and start.firmware(store) is None


def test_the_packages_own_runs_where_the_firmware_fails_its_test(terminal):
    firmware(terminal, 1, "9.9.9", "return 1")
    done = started(terminal)
    assert "this is" not in done.stdout and done.returncode == RESTART and "Raspberry Pi" in done.stderr
    assert "update given back kind=firmware number=1" in done.stderr


def test_a_fault_that_would_be_final_is_none_on_trial(terminal):
    assert install(store_of(terminal), made(), "shop-17", NOW).changed
    done = started(terminal, entry="device.__main__")
    assert done.returncode == 75 and "manifest.yaml:1: landmarks: is missing" in done.stderr


def test_a_card_that_takes_no_writing_starts_what_is_there(terminal, monkeypatch, caplog):
    firmware(terminal, 1, "9.9.9")
    monkeypatch.setattr("device.updates.store.replace_file", _full)
    monkeypatch.setattr(start.os, "execv", lambda path, arguments: told.append(arguments))
    told = []
    start.hand_over(["run", "--config", str(terminal / "terminal.yaml")])
    assert "No space left" in caplog.text and told[0][-1] == str(terminal / "terminal.yaml")


def _full(*_):
    raise OSError(28, "No space left on device")


def test_firmware_that_does_not_hold_ends_with_the_one_before(terminal):
    firmware(terminal, 1, "9.9.8")
    with store_of(terminal).alone():
        store_of(terminal).change(lambda state: state.confirmed())
    firmware(terminal, 2, "9.9.9")
    told = [started(terminal).stdout.split()[2] for _ in range(STARTS + 1)]
    assert told == ["9.9.9"] * STARTS + ["9.9.8"]


def test_firmware_with_a_byte_changed_on_the_card_does_not_run(terminal):
    firmware(terminal, 1, "9.9.9")
    compiled = next((terminal / "updates" / "firmware-1").rglob("__main__*.pyc"))
    compiled.write_bytes(compiled.read_bytes()[:-1] + b"!")
    assert "this is" not in started(terminal).stdout
    assert store_of(terminal).read().failures[0].reason == "damaged"


def test_a_newer_package_takes_its_place_back(terminal, monkeypatch):
    firmware(terminal, 1, "9.9.9")
    assert start.firmware(store_of(terminal)) == terminal / "updates" / "firmware-1"
    monkeypatch.setattr(start, "package_version", lambda: "9.9.9")
    assert start.firmware(store_of(terminal)) is None
    state = start.begin(store_of(terminal), lambda: pytest.fail("nothing is on trial any more"))
    assert state.marks() == () and state.firmware.floor == 1


def test_a_test_that_hangs_is_ended(terminal, monkeypatch):
    firmware(terminal, 1, "9.9.9", "import time; time.sleep(600)")
    monkeypatch.setattr(start, "SELF_TEST_S", 0.5)
    assert start.self_test(store_of(terminal), terminal / "terminal.yaml") == "self-test-hung"


def test_our_own_self_test_names_what_fails(terminal):
    models = {"manifest.yaml": b"detector: {}\n"}
    assert install(store_of(terminal), made(models), "shop-17", NOW).changed
    assert start.self_test(store_of(terminal), terminal / "terminal.yaml") == "models"
    faulty = {"terminal.yaml": (terminal / "terminal.yaml").read_bytes()}
    with store_of(terminal).alone():
        store_of(terminal).change(lambda state: state.given_back(BundleKind.MODELS, "models"))
    assert install(store_of(terminal), made(faulty, kind=BundleKind.CONFIGURATION), "shop-17", NOW).changed
    assert start.self_test(store_of(terminal), terminal / "terminal.yaml") == "keys"


def test_who_may_not_look_into_the_terminals_folder_gets_the_packages_own(terminal):
    firmware(terminal, 1, "9.9.9")
    terminal.chmod(0o755)
    (terminal / "updates").chmod(0)
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            start.hand_over(["doctor", "--config", str(terminal / "terminal.yaml")])
            os._exit(0 if store_of(terminal).read().marks() == () else 2)
        except BaseException:  # noqa: BLE001 - a child must never return into the test
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    (terminal / "updates").chmod(0o700)


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "--config"], ["run", "--config", "nowhere.yaml"], ["compare", "a", "b"], []]
)
def test_without_a_configuration_nothing_is_handed_over(arguments):
    start.hand_over(arguments)
