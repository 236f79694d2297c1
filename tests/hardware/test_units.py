"""The units as the package installs them, judged by systemd itself."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from device.doctor.kernel import Kernel
from provisioning.mosquitto import CENTRAL, DESK

SYSTEMD = Path(__file__).parents[2] / "systemd"
INSTALLERS = (SYSTEMD / "install", SYSTEMD / "central" / "install")
KINDS = {".service", ".target", ".timer"}
UNITS = sorted(path.name for path in SYSTEMD.rglob("*") if path.suffix in KINDS)
SERVICES = [name for name in UNITS if name.endswith(".service")]
MOST_EXPOSED = 1.5

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root folder with the units of this machine, of a terminal and of central's host."""
    folder = tmp_path_factory.mktemp("root")
    shutil.copytree("/usr/lib/systemd/system", folder / "usr/lib/systemd/system", symlinks=True)
    for install in INSTALLERS:
        assert run(install, folder).returncode == 0
    # `verify` asks no more of a command than that it can be executed.
    for program in ("opt/likeness/bin/likeness-terminal", "opt/likeness-central/bin/likeness-central"):
        (folder / program).parent.mkdir(parents=True)
        shutil.copy("/bin/true", folder / program)
    return folder


def test_systemd_has_nothing_to_say_about_any_unit(root):
    verified = run("systemd-analyze", "verify", f"--root={root}", *UNITS)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_a_misspelt_key_would_be_seen(root, tmp_path):
    shutil.copytree(root, tmp_path / "root", symlinks=True)
    unit = tmp_path / "root/usr/lib/systemd/system/likeness-terminal.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSeconds="))
    verified = run("systemd-analyze", "verify", f"--root={tmp_path / 'root'}", unit.name)
    assert "WatchdogSeconds" in verified.stderr


@pytest.mark.parametrize("unit", SERVICES)
def test_the_exposure_of_each_service_is_small(root, unit):
    judged = run("systemd-analyze", "security", f"--root={root}", "--offline=true", "--threshold=100", unit)
    exposure = re.search(r"Overall exposure level for .*: ([\d.]+)", judged.stdout)
    assert exposure is not None, judged.stderr
    assert float(exposure[1]) <= MOST_EXPOSED


def test_a_terminal_has_nothing_of_centrals(tmp_path):
    assert run(INSTALLERS[0], tmp_path).returncode == 0
    assert [path.name for path in tmp_path.rglob("*") if "central" in path.name or "console" in path.name] == []


@pytest.mark.parametrize(("page", "more"), [("console", "numbers.key"), ("public", "evidence.key")])
def test_pages_read_none_of_centrals_keys(page, more):
    """Those that `likeness-provision central` writes, by the names that it gives them."""
    unit = (SYSTEMD / "central" / f"likeness-{page}.service").read_text()
    for key in ("requests.key", "receipts.key", f"{CENTRAL}.key", f"{DESK}.key", more):
        assert f"-/var/lib/likeness-central/{key}" in unit


def test_the_users_and_the_folders_can_be_made(tmp_path):
    for install in INSTALLERS:
        assert run(install, tmp_path).returncode == 0
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", tmp_path / "etc" / name)
    made = run("systemd-sysusers", f"--root={tmp_path}", "likeness.conf", "likeness-central.conf")
    assert made.returncode == 0, made.stderr
    groups = {line.split(":")[0]: line.split(":")[3] for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert {name for name, members in groups.items() if "likeness" in members.split(",")} == {"video", "gpio", "lp"}
    (account,) = (line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("likeness:"))
    assert account.endswith(":/var/lib/likeness:/usr/sbin/nologin")
    central = [line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("likeness-c")]
    assert [line.partition(":/")[2] for line in central] == ["var/lib/likeness-central:/usr/sbin/nologin"]


def test_the_log_does_not_wear_the_card(tmp_path):
    (tmp_path / "run/systemd/journal").mkdir(parents=True)
    (tmp_path / "var/log/journal").mkdir(parents=True)
    assert Kernel(tmp_path).journal() == (True, True)
    assert run(SYSTEMD / "install", tmp_path).returncode == 0
    assert Kernel(tmp_path).journal() == (True, False)


@pytest.mark.parametrize("script", ["install", "central/install", "likeness-service", "make-credential"])
def test_each_script_is_one_that_debians_shell_reads(script):
    assert run("dash", "-n", SYSTEMD / script).returncode == 0
