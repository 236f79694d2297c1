"""The Debian package, built as it is for a terminal: installed, upgraded, refused, removed and purged in a root folder.

Its scripts run with DPKG_ROOT, as dpkg offers it (dpkg(1), --force-script-chrootless): nothing of this machine changes.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
PYTHON = "python3.11"
ENABLED = {"likeness-terminal.service", "likeness-rotate.timer", "likeness-update.timer", "likeness-first-boot.target"}

pytestmark = [
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not installed"),
    pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd is not installed"),
    pytest.mark.skipif(
        not Path("/usr/bin", PYTHON).exists(), reason=f"this is no bookworm: /usr/bin/{PYTHON} is missing"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="dpkg gives files to other users, which needs root"),
    pytest.mark.xdist_group("package"),
]


def run(*command: object, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)


def build(folder: Path, version: str) -> Path:
    """The package of a version; what is built anew for the second is the version alone."""
    made = run(HERE / "scripts/package", "--architecture", "amd64", "--version", version, "--out", folder)
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.strip())


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    return build(tmp_path_factory.mktemp("older"), "1.9.0")


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    return build(tmp_path_factory.mktemp("newer"), "1.10.0")


class Machine:
    """A root folder with a dpkg database of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Makes an empty one."""
        root = self.root
        (root / "var/lib/dpkg/info").mkdir(parents=True)
        (root / "var/lib/dpkg/updates").mkdir()
        (root / "var/lib/dpkg/status").touch()
        (root / "etc").mkdir()
        for name in ("passwd", "group"):
            shutil.copy(f"/etc/{name}", root / "etc" / name)
        shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)

    def dpkg(self, *arguments: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs dpkg; `path` is a folder with commands that its scripts use instead of this machine's."""
        command = ["dpkg", f"--root={self.root}", "--force-script-chrootless,depends,unsafe-io", "--log=/dev/null"]
        searched = os.environ["PATH"] if path is None else f"{path}:{os.environ['PATH']}"
        more = {"env": os.environ | {"PATH": searched}, "cwd": "/", "start_new_session": True}
        return run(*command, *arguments, **more)

    def files(self) -> dict[str, bytes]:
        """What the package has brought, byte code aside."""
        found = sorted(path for path in (self.root / "opt").rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).digest() for path in found}

    def has_byte_code(self) -> bool:
        """Whether a start need not compile anything."""
        return any((self.root / f"opt/likeness/lib/{PYTHON}/site-packages/device/__pycache__").glob("*.pyc"))

    @property
    def version(self) -> str:
        shown = run(
            "dpkg-query", f"--admindir={self.root}/var/lib/dpkg", "-f${Version} ${db:Status-Abbrev}", "-W", "likeness"
        )
        return shown.stdout.strip()

    def enabled(self) -> set[str]:
        return {path.name for path in (self.root / "etc/systemd/system").rglob("likeness-*")}

    def keep(self) -> dict[str, Path]:
        """What a terminal at work has of its own."""
        kept = {
            "keys": self.root / "var/lib/likeness/keys.00000001/result.key",
            "configuration": self.root / "etc/likeness/terminal.yaml",
            "credential": self.root / "etc/credstore.encrypted/likeness.keys",
        }
        for path in kept.values():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("mine")
        return kept


@pytest.fixture(scope="module")
def installed(tmp_path_factory, older):
    """A machine with the older version, which nobody changes."""
    machine = Machine(tmp_path_factory.mktemp("installed") / "root")
    machine.prepare()
    done = machine.dpkg("-i", older)
    assert done.returncode == 0, done.stderr
    return machine


@pytest.fixture
def machine(installed, tmp_path):
    """Another one like it; dpkg replaces files and never writes into them, so that links are copies."""
    assert run("cp", "-al", installed.root, tmp_path / "root").returncode == 0
    shutil.rmtree(tmp_path / "root/var/lib/dpkg")
    shutil.copytree(installed.root / "var/lib/dpkg", tmp_path / "root/var/lib/dpkg")
    return Machine(tmp_path / "root")


def test_installed_it_is_whole_and_starts(installed):
    machine = installed
    assert machine.version == "1.9.0+deb12 ii"
    assert machine.enabled() >= ENABLED
    assert "\nlikeness:" in (machine.root / "etc/passwd").read_text()
    state = (machine.root / "var/lib/likeness").stat()
    assert state.st_mode & 0o777 == 0o700 and state.st_uid != 0
    packages = machine.root / f"opt/likeness/lib/{PYTHON}/site-packages"
    assert list((packages / "device/__pycache__").iterdir())
    # The environment at another place than its own: the interpreter finds it beside itself.
    environment = machine.root / "opt/likeness/bin"
    person, photo = (packages / "models/rehearsal" / name for name in ("astronaut.json", "astronaut.png"))
    command = [environment / "python3", "-I", environment / "likeness-terminal", "rehearse", person]
    session = run(*command, "--reference", photo, "--seed", "1", "--json", cwd="/")
    assert session.returncode == 0, session.stderr
    assert json.loads(session.stdout)["outcome"] == "verified"


def test_an_upgrade_keeps_what_is_the_terminals_and_a_downgrade_is_refused(machine, older, newer):
    kept, before = machine.keep(), machine.files()
    again = machine.dpkg("-i", older)
    assert again.returncode == 0 and machine.files() == before, "a second installation changes nothing"
    done = machine.dpkg("-i", newer)
    assert done.returncode == 0, done.stderr
    assert machine.version == "1.10.0+deb12 ii"
    refused = machine.dpkg("-i", older)
    assert refused.returncode != 0
    assert "likeness: 1.10.0+deb12 is installed and 1.9.0+deb12 is older: refused, nothing changed." in refused.stderr
    assert machine.version == "1.10.0+deb12 ii"
    assert all(path.read_text() == "mine" for path in kept.values())
    assert machine.has_byte_code()


def test_power_is_lost_in_the_middle_of_an_upgrade(machine, newer, tmp_path):
    """Everything that dpkg started ends at once: in the old version's last act, then amid the new one's first."""
    kept = machine.keep()
    for step in ("find", "systemd-tmpfiles"):
        cut = tmp_path / step
        cut.mkdir()
        (cut / step).write_text("#!/bin/sh\nkill -9 0\n")
        (cut / step).chmod(0o755)
        assert machine.dpkg("-i", newer, path=cut).returncode == -signal.SIGKILL
    # What the card's first run does at the next boot.
    done = machine.dpkg("--configure", "-a")
    assert done.returncode == 0, done.stderr
    assert machine.version == "1.10.0+deb12 ii" and machine.has_byte_code()
    assert all(path.read_text() == "mine" for path in kept.values())


def test_a_full_card_leaves_the_older_version_at_work(machine, newer, tmp_path):
    kept, before = machine.keep(), machine.files()
    card = Machine(tmp_path / "card")
    card.root.mkdir()
    size = int(run("du", "-sm", machine.root).stdout.split()[0])
    if run("mount", "-t", "tmpfs", "-o", f"size={size + 40}m", "tmpfs", card.root).returncode != 0:
        pytest.skip("no file system can be mounted here: a full card was not tried")
    try:
        assert run("cp", "-a", f"{machine.root}/.", card.root).returncode == 0
        refused = card.dpkg("-i", newer)
        assert refused.returncode != 0 and "No space left on device" in refused.stderr
        assert card.version == "1.9.0+deb12 ii"
        assert card.files() == before and card.has_byte_code()
        assert all((card.root / path.relative_to(machine.root)).read_text() == "mine" for path in kept.values())
    finally:
        run("umount", card.root)


def test_removed_it_leaves_keys_and_outbox_purged_it_leaves_nothing(machine):
    kept = machine.keep()
    done = machine.dpkg("-r", "likeness")
    assert done.returncode == 0, done.stderr
    assert machine.enabled() == set()
    assert not (machine.root / "opt/likeness").exists()
    assert all(path.read_text() == "mine" for path in kept.values())
    assert machine.dpkg("-P", "likeness").returncode == 0
    assert not any(path.exists() for path in kept.values())
    left = [path for path in machine.root.rglob("*likeness*") if "var/lib/dpkg" not in str(path)]
    assert left == []
