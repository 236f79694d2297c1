"""The world around central's host in qemu: authority and terminal here, everything else there. Usage: see `central`."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import cv2
import yaml
from boot_proof import TERMINAL, House
from machine import ProofError, fresh_house, machine, told

from device.__main__ import main as terminal

HERE = Path(__file__).parent
REHEARSAL = HERE.parents[1] / "models" / "rehearsal"


class Carried(House):
    """What is made here and carried to central's host; the broker's port there is reached by one of this machine's."""

    def found(self) -> None:
        """Authority, the broker's files and keys, central's folder, a terminal enrolled by file."""
        carried = self.folder / "carried"
        self.central = carried / "central"
        self.provision("authority", "init", self.folder / "authority")
        self.provision("broker-keys", carried / "broker", "--host", "127.0.0.1")
        self.provision("broker", carried / "broker", "--workers", "2")
        self.provision("central", "--broker", "127.0.0.1", "--workers", "2", "--out", self.central)
        self.provision("terminal", "add", TERMINAL, "--outlet", "proof")
        self._enrol()
        self.copy_registry()
        settings = yaml.safe_load((self.central / "central.yaml").read_text())
        settings |= {"ledger": "postgresql://likeness-central@/likeness?host=/run/postgresql", "rehearsal": True}
        settings |= {"repeat_requests_s": 20, "console": {}, "public": {"region": "ID"}}
        (self.central / "central.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
        cv2.imwrite(str(carried / "portrait.jpg"), cv2.imread(str(REHEARSAL / "astronaut.png")))

    def _enrol(self) -> None:
        """As docs/provisioning.md says, without a network."""
        files = {name: self.folder / name for name in ("token", "request.json", "bundle.json", "terminal.yaml")}
        settings = {
            "camera": {"kind": "rehearsal", "person": str(REHEARSAL / "astronaut.json"), "seed": 1},
            "panel": {"factory": "mock"},
            "broker": {"host": "127.0.0.1", "port": self.broker_port},
            "keys": str(self.folder / "keys"),
            "outbox": str(self.folder / "outbox.sqlite"),
        }
        files["terminal.yaml"].write_text(yaml.safe_dump(settings))
        config = ["enrol", "--config", str(files["terminal.yaml"])]
        self.provision("token", TERMINAL, "--out", files["token"])
        if terminal([*config, "--token-file", str(files["token"]), "--out", str(files["request.json"])]) != 0:
            raise ProofError("the terminal made no request")
        self.provision("enrol", files["request.json"], "--out", files["bundle.json"])
        if terminal([*config, "--bundle", str(files["bundle.json"])]) != 0:
            raise ProofError("the terminal did not take its certificate")

    def start_terminal(self) -> None:
        """The daemon, before the animated portrait."""
        self.start("terminal", sys.executable, "-m", "device", "run", "--config", self.folder / "terminal.yaml")


def _boot(folder: Path, house: Carried, last: str) -> None:
    said = "nothing"
    with machine(folder, ports={house.broker_port: 8883}, counts=False) as lines:
        for said in told(lines):
            if said.startswith("central:"):
                house.start_terminal()
    if said != last:
        raise ProofError(f"ended too early, after: {said}: see console.log")


def prove(folder: Path) -> None:
    """The whole proof."""
    with ExitStack() as stack:
        began = monotonic()
        house = Carried(fresh_house(folder), has_chip=False, stack=stack)
        house.found()
        subprocess.run([HERE / "host" / "build", folder, house.folder / "carried"], check=True)
        print("boot 1: broker, central and pages are installed by the documents' commands", flush=True)
        _boot(folder, house, last="reboot")
        print("boot 2: everything comes back by itself", flush=True)
        _boot(folder, house, last="done")
        print(f"all in {(monotonic() - began) / 60:.0f} minutes")


if __name__ == "__main__":
    try:
        prove(Path(sys.argv[1]).absolute())
    except ProofError as error:
        sys.exit(f"tests/hardware/central: {error}")
