"""The throw-away authority: everything fits together, nothing secret is readable, nothing is replaced."""

import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from central.config import load_central, load_signing_key
from central.registry import load_registry
from device.delivery.keys import load_terminal_keys
from provisioning.demo import create_demo_authority
from provisioning.mosquitto import access_list

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return create_demo_authority(tmp_path_factory.mktemp("a") / "new", ("shop-1", "shop-2"), port=1883, now=NOW)


def test_what_is_made_fits_together(made):
    settings = load_central(made.central)
    registry = load_registry(settings.registry)
    for terminal, folder in made.terminals.items():
        keys = load_terminal_keys(folder)
        assert keys.terminal == terminal
        assert registry.owners[keys.result_key.kid].terminal == terminal
        assert registry.unsealing_key(terminal) == keys.unsealing_key.public_key()
        assert set(keys.request_signers) == {load_signing_key(settings.keys.requests).kid}
        assert set(keys.receipt_signers) == {load_signing_key(settings.keys.receipts).kid}
        assert (keys.tls.not_before, keys.tls.not_after) == (NOW - timedelta(hours=1), NOW + timedelta(days=2))


def test_every_key_is_another_one(made):
    keys = [path.read_bytes() for path in made.folder.rglob("*.key")]
    assert len(keys) == len(set(keys)) == 1 + 6 + 2 * 3  # the broker, central and its purposes, two terminals


def test_only_the_owner_may_read_secrets(made):
    for path in [*made.folder.rglob("*.key"), made.folder / "broker" / "acl"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (made.folder, *made.terminals.values()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_replaced(made):
    with pytest.raises(FileExistsError):
        create_demo_authority(made.folder, ("shop-1",), port=1883)


@pytest.mark.parametrize("terminal", ["central", "central-desk", "a/b", "+", "A"])
def test_names_that_would_reach_further_are_refused(tmp_path, terminal):
    with pytest.raises(ValueError, match=r"central's own|1 to 32"):
        create_demo_authority(tmp_path, (terminal,), port=1883)
    assert list(tmp_path.iterdir()) == []


def test_certificates_hold_before_strict_openssl(made):
    pem = made.folder / "broker" / "ca.pem"
    for certificate, purpose in (("broker/broker.pem", "sslserver"), ("terminals/shop-1/tls.pem", "sslclient")):
        check = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp())), "-purpose", purpose]
        done = subprocess.run(
            [*check, "-CAfile", str(pem), str(made.folder / certificate)], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr + ssl.OPENSSL_VERSION


def test_the_access_list_gives_each_leaf_one_direction():
    lines = [line.split() for line in access_list().splitlines() if line.startswith("pattern")]
    leaves = {name.rsplit("/", 1)[1]: direction for _, direction, name in lines}
    assert leaves == {
        "request": "read",
        "receipt": "read",
        "command": "read",
        "result": "write",
        "evidence": "write",
        "status": "write",
        "health": "write",
        "command-reply": "write",
    }
    assert all(name.startswith("likeness/v1/%u/") for *_, name in lines)


def provision(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "provisioning", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_the_command(tmp_path):
    folder = str(tmp_path / "keys")
    done = provision("demo", folder, "--terminal", "shop-17", "--port", "18883")
    assert done.returncode == 0 and "shop-17" in done.stdout and "127.0.0.1:18883" in done.stdout
    again = provision("demo", folder)
    assert again.returncode == 2 and "is there already" in again.stderr and again.stderr.count("\n") == 1
    wrong = provision("demo", str(tmp_path / "other"), "--terminal", "a/b")
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1
    assert "example: likeness-provision" in provision("--help").stdout
