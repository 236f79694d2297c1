"""The house around a machine in qemu: authority, broker and central here, the terminal there. Usage: see `boot`."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic

import cv2
import yaml
from machine import ProofError, fresh_house, machine, told

from provisioning.__main__ import main as provision
from provisioning.card.bookworm import REST, RUN
from provisioning.commands.demo import free_port

HERE = Path(__file__).parent
TERMINAL = "shop-17"
OUTSIDE = "10.0.2.2"
"""This machine's loopback, as qemu's user network shows it to the guest."""
FIRST_BOOT = f"{RUN} {REST}"
PERSON = "/usr/local/share/likeness-proof/person.json"
STARTED_S = 3.0
"""What still runs after so long has its port and its files."""


class House:
    """What stands outside of the terminal."""

    def __init__(self, folder: Path, has_chip: bool, stack: ExitStack) -> None:
        self.folder, self._has_chip, self._stack = folder, has_chip, stack
        self.broker_port = free_port()
        self.authority_port = next(port for port in iter(free_port, None) if port != self.broker_port)
        self.secret = folder / "passphrase"
        self.secret.touch(0o600)
        self.secret.write_text("the proof's own passphrase\n")
        self.central = folder / "central"

    def provision(self, *arguments: object) -> None:
        """One command of the technician."""
        words = [str(word) for word in arguments]
        if words[0] != "broker":
            words += ["--passphrase-file", str(self.secret)] if words[0] != "terminal" else []
            words += [] if words[0] == "authority" else ["--authority", str(self.folder / "authority")]
        print("$ likeness-provision", " ".join(words), flush=True)
        if provision(words) != 0:
            raise ProofError(f"likeness-provision {words[0]} failed")

    def found(self) -> None:
        """Authority, broker and central."""
        files = self.folder / "broker"
        self.provision("authority", "init", self.folder / "authority")
        self.provision("broker-keys", files, "--host", OUTSIDE, "--host", "127.0.0.1")
        self.provision("central", "--broker", "127.0.0.1", "--port", self.broker_port, "--out", self.central)
        data = self.folder / "broker-data"
        data.mkdir()
        place = ["--files", files, "--data", data, "--host", "127.0.0.1", "--port", self.broker_port]
        self.provision("broker", files, *place)
        for path in (files, data, *files.rglob("*")):
            shutil.chown(path, "mosquitto", "mosquitto")
        self.folder.chmod(0o755)
        settings = self.central / "central.yaml"
        # The guest's seconds are long: only what central repeats, and the guest acknowledges, keeps it connected.
        settings.write_text(settings.read_text() + "rehearsal: true\nrepeat_requests_s: 20\n")
        self.start("mosquitto", "mosquitto", "-c", files / "mosquitto.conf")

    def enrol_by_card(self, package: Path) -> Path:
        """Terminal and card; returns the folder that is the card's boot partition."""
        boot = self.folder / "bootfs"
        boot.mkdir()
        (boot / "cmdline.txt").write_text("console=ttyS0 root=/dev/vda\n")
        configuration = self.folder / "terminal.yaml"
        configuration.write_text(yaml.safe_dump(self._terminal(), sort_keys=False))
        self.provision("terminal", "add", TERMINAL, "--outlet", "proof")
        server = f"{OUTSIDE}:{self.authority_port}"
        card = ["card", TERMINAL, boot, "--release", "bookworm", "--deb", package, "--server", server]
        self.provision(*card, "--config", configuration)
        self.copy_registry()
        serve = ["serve", "--listen", f"127.0.0.1:{self.authority_port}", "--authority", self.folder / "authority"]
        self.start("serve", sys.executable, "-m", "provisioning", *serve, "--passphrase-file", self.secret)
        return boot

    def _terminal(self) -> dict[str, object]:
        state = "/var/lib/likeness"
        return {
            "camera": {"kind": "rehearsal", "person": PERSON, "seed": 1},
            "panel": {"factory": "pi" if self._has_chip else "mock"},
            "broker": {"host": OUTSIDE, "port": self.broker_port},
            "keys": f"{state}/keys",
            "outbox": f"{state}/outbox.sqlite",
        }

    def copy_registry(self) -> None:
        """What a technician does after each change."""
        shutil.copy(self.folder / "authority" / "registry.yaml", self.central / "registry.yaml")

    def ask(self) -> None:
        """Central starts and asks the terminal for a session."""
        self.copy_registry()
        config = ["--config", str(self.central / "central.yaml")]
        self.start("central", sys.executable, "-m", "central", "run", *config)
        portrait = self.folder / "portrait.jpg"
        cv2.imwrite(str(portrait), cv2.imread(str(HERE.parents[1] / "models" / "rehearsal" / "astronaut.png")))
        request = [sys.executable, "-m", "central", "request", *config, "--terminal", TERMINAL]
        request += ["--reference", str(portrait), "--lifetime", "1800", "--wait", "300"]
        asked = subprocess.run(request, capture_output=True, text=True, check=False)
        if asked.returncode:
            raise ProofError(f"central could not ask: {asked.stderr or asked.stdout}")

    def outcomes(self) -> list[str]:
        """What central holds, verified and receipted."""
        command = [sys.executable, "-m", "central", "results", "--config", str(self.central / "central.yaml"), "--json"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        held = [json.loads(line) for line in listed.stdout.splitlines()]
        return [result["claims"]["outcome"] for result in held if result.get("receipted")]

    def start(self, name: str, *command: object) -> None:
        """Starts a process that ends with the proof; its messages go to a file."""
        log = self._stack.enter_context((self.folder / f"{name}.log").open("wb"))
        path = f"{os.environ['PATH']}:/usr/sbin"
        words = [str(word) for word in command]
        process = subprocess.Popen(words, stdout=log, stderr=log, env=os.environ | {"PATH": path})
        self._stack.callback(lambda: (process.terminate(), process.wait()))
        with suppress(subprocess.TimeoutExpired):
            process.wait(STARTED_S)
            raise ProofError(f"{name} ended at once: see {self.folder / name}.log")


def _boot(folder: Path, house: House, last: str) -> None:
    """Boots and listens: to the end, or until power is cut."""
    said = "nothing"
    with machine(folder) as lines:
        for said in told(lines):
            if said.startswith("power:"):
                break
            if said.startswith("credential:"):
                house.ask()
            if said.startswith("session verified") and "verified" not in house.outcomes():
                raise ProofError(f"central does not hold it: {house.outcomes()}")
    if said != last:
        raise ProofError(f"ended too early, after: {said}: see console.log")


def prove(folder: Path, package: Path) -> None:
    """The whole proof."""
    with ExitStack() as stack:
        began = monotonic()
        subprocess.run([HERE / "image" / "build", folder], check=True)
        house = House(fresh_house(folder), (folder / "gpio-sim.ko").exists(), stack)
        house.found()
        boot = house.enrol_by_card(package)
        subprocess.run([HERE / "image" / "build", folder, boot], check=True)
        print("boot 1: the card's first run is made a unit", flush=True)
        with machine(folder, FIRST_BOOT) as lines:
            list(told(lines))
        if "reboot: Restarting system" not in (folder / "console.log").read_text(errors="replace"):
            raise ProofError("the first run was not made a unit: see console.log")
        print("boot 2: the package is installed, the terminal enrols and starts, power is cut", flush=True)
        _boot(folder, house, last="power: cut here")
        print("boot 3: after the power cut, a session and what may go wrong", flush=True)
        _boot(folder, house, last="wedged: waiting for the reboot")
        print("boot 4: after the reboot that the absent camera ended in", flush=True)
        _boot(folder, house, last="done")
        print(f"central holds: {house.outcomes()}; all in {(monotonic() - began) / 60:.0f} minutes")


if __name__ == "__main__":
    try:
        prove(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
    except ProofError as error:
        sys.exit(f"tests/hardware/boot: {error}")
