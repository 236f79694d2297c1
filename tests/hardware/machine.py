"""A machine in qemu: what it is started with, and what it tells on its console."""

import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from time import monotonic
from types import MappingProxyType

BOOT_LIMIT_S = 3600.0


class ProofError(Exception):
    """Something was not as it is to be; the message says what."""


def fresh_house(folder: Path) -> Path:
    """Forgets what a proof before left in `folder`; returns the empty folder of everything outside the machine."""
    house = folder / "house"
    shutil.rmtree(house, ignore_errors=True)
    (folder / "console.log").unlink(missing_ok=True)
    house.mkdir()
    return house


@contextmanager
def machine(
    folder: Path, more: str = "", *, ports: Mapping[int, int] = MappingProxyType({}), counts: bool = True
) -> Iterator[Queue[str | None]]:
    """Boots; yields the console's lines, and None once the machine is off or would reboot.

    Args:
        folder: with kernel, initrd and disk.
        more: of the kernel's command line.
        ports: of this machine's loopback, which lead to the guest's.
        counts: the guest's clock counts its instructions, two nanoseconds each: however busy this machine is, no
            watchdog and no limit of a unit sees it. Otherwise it is this machine's.
    """
    # A processor without AVX: qemu computes its wide registers number by number.
    command = ["qemu-system-x86_64", "-accel", "tcg", *(["-icount", "shift=1"] if counts else [])]
    network = "user,model=virtio-net-pci" + "".join(f",hostfwd=tcp:127.0.0.1:{a}-:{b}" for a, b in ports.items())
    command += ["-cpu", "Nehalem", "-m", "1536", "-nographic", "-no-reboot", "-nic", network]
    command += ["-device", "virtio-rng-pci"]
    command += ["-drive", f"file={folder}/disk,if=virtio,format=raw"]
    command += ["-kernel", f"{folder}/kernel", "-initrd", f"{folder}/initrd"]
    command += [
        "-append",
        f"console=ttyS0 panic=-1 quiet systemd.show_status=0 systemd.journald.forward_to_console=1 {more}",
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
    lines: Queue[str | None] = Queue()

    def read() -> None:
        with (folder / "console.log").open("a") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                lines.put(line.strip())
        lines.put(None)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield lines
    finally:
        process.kill()
        process.wait()
        reader.join()


def told(lines: Queue[str | None]) -> Iterator[str]:
    """What the machine proves, until it is off."""
    until = monotonic() + BOOT_LIMIT_S
    while True:
        try:
            line = lines.get(timeout=max(until - monotonic(), 0.0))
        except Empty:
            raise ProofError("the machine took too long: see console.log") from None
        if line is None:
            return
        if "PROOF " in line:
            said = line.split("PROOF ", 1)[1]
            print(f"  {said}", flush=True)
            if said.startswith("failed"):
                raise ProofError(f"{said}: see console.log")
            yield said
