"""An update on the whole terminal: real firmware from a bundle, its self-test, broker, and what central hears of it."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from world import LIMIT_S, World

import device
from central.ledger import Ledger
from central.registry import load_registry
from device.__main__ import main
from device.delivery.keys import UPDATE_SIGNERS
from device.updates.state import STARTS
from device.updates.store import Store
from device.vision.manifest import default_directory
from device.wire.keys import public_pem
from device.wire.update import BundleKind
from provisioning.updates import Content
from tests.updates.bundles import KEY, bundle_bytes

pytestmark = pytest.mark.broker
START = "import sys; from device.launch import main; sys.exit(main())"
VERSION = "9.9.9"


@pytest.fixture
def config(world: World) -> Path:
    keys = world.made.terminals["shop-1"]
    (keys / UPDATE_SIGNERS).write_bytes(public_pem(KEY.private.public_key()))
    path = world.folder / "terminal.yaml"
    settings = {
        "camera": {"kind": "rehearsal", "person": str(default_directory() / "rehearsal" / "astronaut.json")},
        "panel": {"factory": "mock"},
        "broker": {"host": "127.0.0.1", "port": world.made.port, "health_every_s": 1},
        "keys": str(keys),
        "outbox": str(world.folder / "terminal" / "outbox.sqlite"),
    }
    path.write_text(yaml.safe_dump(settings))
    (world.folder / "terminal").mkdir()
    return path


def whole_firmware() -> dict[str, bytes]:
    """This very program, under a newer version."""
    root = Path(device.__file__).parents[1]
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in (root / "device").rglob("*.py")}
    return files | {f"likeness-{VERSION}.dist-info/METADATA": f"Name: likeness\nVersion: {VERSION}\n".encode()}


def said(world: World, table: str):
    ledger = Ledger(world.central.settings.ledger)
    try:
        return getattr(ledger.fleet, table)(load_registry(world.central.settings.registry)).get("shop-1")
    finally:
        ledger.close()


def until_told(daemon, what):
    """Its own self-test and all models come first, on however busy a machine: a minute and more."""
    pause = threading.Event()
    for _ in range(1000):
        if what():
            return
        assert daemon.poll() is None, daemon.stderr.read()
        pause.wait(0.1)
    raise AssertionError("the daemon is silent")


def test_firmware_from_a_bundle_runs_and_central_hears_its_digest(running, config, capsys):
    files = whole_firmware()
    bundle = config.with_name("firmware.update")
    bundle.write_bytes(bundle_bytes(files, kind=BundleKind.FIRMWARE, number=1, version=VERSION))
    assert main(["update", "--config", str(config), str(bundle)]) == 0
    assert "installed, on trial" in capsys.readouterr().out
    daemon = subprocess.Popen(
        [sys.executable, "-c", START, "run", "--config", str(config)], stderr=subprocess.PIPE, text=True
    )
    try:
        until_told(daemon, lambda: said(running, "health"))
        software = said(running, "births")[1].software
        assert (software.firmware, software.firmware_sha256) == (VERSION, Content(files).firmware_sha256)
        marks = [(mark.kind, mark.number, mark.state) for mark in said(running, "health")[1].updates]
        assert marks == [("firmware", 1, "on-trial")]
        daemon.send_signal(signal.SIGTERM)
        _, errors = daemon.communicate(timeout=LIMIT_S)
        assert daemon.returncode == 0, errors
    finally:
        daemon.kill()
        daemon.wait()
    state = Store(config.parent / "terminal" / "updates").read()
    assert state.trial.starts_left == STARTS - 1 and state.failures == ()
    assert json.loads(state.write())["firmware"]["current"]["version"] == VERSION
