"""What `scripts/demo` shows: broker, central and a terminal on loopback, one person, then one printed photo.

Everything lies in a temporary folder and ends with this process: throw-away keys, certificates, ledger and outbox.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, time
from typing import Any

import cv2
import yaml

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import town

from central.config import load_central
from device.camera.portrait import load_picture
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.vision.reference import PortraitReader
from device.wire.slip import ENTROPY_BYTES, shown_code, slip_code
from provisioning.__main__ import free_port
from provisioning.demo import DemoAuthority, create_demo_authority

TERMINAL = "demo-1"
NUMBER = "+91 98765 43210"
CHIP_PORTRAIT = (102, 126)  # width, height in pixels: as small as the picture in a passport's chip
REHEARSAL = Path(str(default_directory())) / "rehearsal"
START_LIMIT_S = 15.0
SESSION_LIMIT_S = 120.0
SHOW_RESULT_S = 1.5
PAUSE = threading.Event()


class DemoError(RuntimeError):
    """The demonstration cannot go on; the message is one line that says why."""


def main() -> int:
    """Runs the demonstration; returns the exit status."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="likeness-demo-")))
            outcomes = _show(options, folder, stack)
    except DemoError as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 130
    _say("Nothing is left running; the keys, the ledger and the outbox of this demonstration are deleted.")
    return 0 if options.camera == "usb" or outcomes == ["verified", "refused"] else 1


def _show(options: argparse.Namespace, folder: Path, stack: ExitStack) -> list[str]:
    others = town.NAMES if options.console else ()
    made = create_demo_authority(folder / "authority", (TERMINAL, *others), port=free_port(), rehearsal=True)
    slip = slip_code(os.urandom(ENTROPY_BYTES))
    if options.console:
        _fill(made, slip)
    logs = folder / "logs"
    logs.mkdir()
    stack.enter_context(_running([_mosquitto(), "-c", str(made.mosquitto)], logs / "broker.log"))
    _wait_for_port(made.port, logs / "broker.log")
    stack.enter_context(_running([*_command("central"), "run", "--config", str(made.central)], logs / "central.log"))
    _say(f"A broker (mosquitto, TLS, 127.0.0.1:{made.port}), central with its ledger, and terminal {TERMINAL} start.")
    if options.camera == "usb":
        _title("You", "Press Enter for START, c and Enter for CANCEL. The portrait is yours to give with --reference.")
        camera = {"kind": "usb-camera", "index": options.index}
        return [_session(made, folder, camera, options.reference, "usb")]
    portrait = _chip_portrait(folder / "portrait.png")
    _title("1  A person", "An animation rendered from a public-domain portrait answers the panel's lights.")
    person = {"kind": "rehearsal", "person": str(REHEARSAL / "astronaut.json"), "seed": options.seed}
    first = _session(made, folder, person, portrait, "person")
    _title("2  An impostor", "A printed photo of the same face, tilted by hand when a turn is asked for.")
    printed = {"kind": "rehearsal", "person": str(REHEARSAL / "astronaut_print.json"), "seed": options.seed}
    second = _session(made, folder, printed, portrait, "print")
    if options.console:
        _open_pages(made, stack, logs, slip)
    return [first, "refused" if second != "verified" else second]


def _fill(made: DemoAuthority, slip: str) -> None:
    """Gives the ledger some days of a made-up town, so that the console has something to show."""
    settings = yaml.safe_load(made.central.read_text())
    settings["console"]["port"] = free_port()
    settings["public"] = {"port": free_port()}
    made.central.write_text(yaml.safe_dump(settings, sort_keys=False))
    _say("Three days of a town's results are made up, signed by throw-away keys and taken into the ledger.")
    with town.Town(made, int(time()), source="rehearsal") as filled:
        filled.fill()
        filled.slip("shop-06", int(time()) - 60, slip, NUMBER)


def _open_pages(made: DemoAuthority, stack: ExitStack, logs: Path, slip: str) -> None:
    """Serves console and public page until Ctrl-C; whoever opens the link chooses a password and is signed in."""
    console = [*_command("central"), "console", "--config", str(made.central)]
    settings, public, log = load_central(made.central).console, load_central(made.central).public, logs / "console.log"
    add = [*console, "account", "add", "auditor", "--role", "auditor"]
    link = subprocess.run(add, capture_output=True, text=True, check=True).stdout.strip()
    served = stack.enter_context(_running(console, log))
    _wait_for_port(settings.port, log)
    shown = [*_command("central"), "public", "--config", str(made.central)]
    stack.enter_context(_running(shown, logs / "public.log"))
    _wait_for_port(public.port, logs / "public.log")
    _title("3  The console", "Both results are in it, with what was measured, among three days of a made-up town.")
    _say(f"It is open at {settings.origin}\nA one-time sign-in, for you alone:  {link}")
    _say(f"A customer looks up a slip at {public.origin}/#{shown_code(slip)}  with the phone number {NUMBER}")
    _say("Ctrl-C ends everything.")
    served.wait()
    raise DemoError(f"the console stopped: {_last_line(log)}")


def _session(made: DemoAuthority, folder: Path, camera: dict[str, Any], reference: Path, name: str) -> str:
    """Runs the daemon for one request; prints the result as central verified it; returns its outcome."""
    slip = folder / f"{name}-slip.png"
    settings = {
        "slip": {"address": "https://check.example.org", "picture": str(slip)},
        "camera": camera,
        "panel": {"factory": "mock"},
        "broker": {"host": "127.0.0.1", "port": made.port},
        "keys": str(made.terminals[TERMINAL]),
        "outbox": str(folder / "outbox.sqlite"),
    }
    config = folder / f"{name}.yaml"
    config.write_text(yaml.safe_dump(settings))
    central = [*_command("central")]
    before = max((held["number"] for held in _results(made)), default=0)
    run = [*_command("device"), "run", "--config", str(config), "--show-panel"]
    with _running(run, folder / "logs" / f"{name}.log", show=True) as daemon:
        request = [*central, "request", "--config", str(made.central), "--terminal", TERMINAL]
        request += ["--reference", str(reference), "--attempts", "1", "--transaction", f"demo-{name}"]
        request += ["--evidence", "signals"]
        asked = subprocess.run(request, capture_output=True, text=True, check=False)
        if asked.returncode:
            raise DemoError(f"central could not ask the terminal: {(asked.stderr or asked.stdout).strip()}")
        new = _wait_for_result(made, before, daemon, folder / "logs" / f"{name}.log")
        PAUSE.wait(SHOW_RESULT_S)
        if daemon.poll() is not None:
            raise DemoError(f"the terminal stopped: {_last_line(folder / 'logs' / f'{name}.log')}")
        if not slip.is_file():
            raise DemoError(f"no slip was shown: {_last_line(folder / 'logs' / f'{name}.log')}")
    _say("The customer was shown a slip: its code is nowhere else, and the result has the code's digest.")
    _say("As central verified it:")
    subprocess.run([*central, "results", "--config", str(made.central), "--last", "1"], check=False)
    return str(new["claims"]["outcome"])


def _results(made: DemoAuthority) -> list[dict[str, Any]]:
    listed = subprocess.run(
        [*_command("central"), "results", "--config", str(made.central), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [json.loads(line) for line in listed.stdout.splitlines()]


def _wait_for_result(made: DemoAuthority, known: int, daemon: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    until = monotonic() + SESSION_LIMIT_S
    while monotonic() < until:
        if daemon.poll() is not None:
            raise DemoError(f"the terminal stopped: {_last_line(log)}")
        results = _results(made)
        if results and results[-1]["number"] > known and results[-1].get("receipted"):
            return results[-1]
        PAUSE.wait(0.3)
    raise DemoError("no result came in time")


def _chip_portrait(path: Path) -> Path:
    """Writes the face of the public-domain portrait at the size of a passport's chip portrait."""
    image = load_picture(REHEARSAL / "astronaut.png")
    reader = PortraitReader(load_vision(default_directory(), preferred_runtime()).models)
    box = reader.faces(image)[0].box
    height = box.height * 1.6
    width = height * CHIP_PORTRAIT[0] / CHIP_PORTRAIT[1]
    left, top = max(box.x + box.width / 2 - width / 2, 0), max(box.y + box.height / 2 - height * 0.55, 0)
    cut = image[int(top) : int(top + height), int(left) : int(left + width)]
    small = cv2.resize(cut, CHIP_PORTRAIT, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return path


@contextmanager
def _running(command: list[str], log: Path, *, show: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a process until the block ends; its messages go to `log`, what it shows to the terminal."""
    with log.open("ab") as messages:
        # Its own process group: Ctrl-C reaches this script, which ends the others in order.
        process = subprocess.Popen(
            command,
            stdout=None if show else messages,
            stderr=messages,
            start_new_session=not show or not sys.stdin.isatty(),
        )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()


def _command(package: str) -> list[str]:
    return [sys.executable, "-m", package]


def _mosquitto() -> str:
    found = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise DemoError("mosquitto is missing: sudo apt-get install mosquitto")
    return found


def _wait_for_port(port: int, log: Path) -> None:
    until = monotonic() + START_LIMIT_S
    while monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            PAUSE.wait(0.05)
        else:
            return
    raise DemoError(f"the broker did not start: {_last_line(log)}")


def _last_line(log: Path) -> str:
    """The last warning, or worse, of a process that marks its lines for journald; else the last line."""
    lines = log.read_text(errors="replace").strip().splitlines()
    grave = [line for line in lines if line.startswith(("<2>", "<3>", "<4>"))]
    return (grave or lines or ["it said nothing"])[-1]


def _title(title: str, text: str) -> None:
    bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold}{title}{plain}  {text}", flush=True)


def _say(text: str) -> None:
    print(text, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Shows one face session from cue to receipt over a real broker, then a printed photo, refused.",
        epilog="examples: scripts/demo --console; scripts/demo --camera usb --reference my-portrait.jpg",
    )
    parser.add_argument("--camera", choices=["rehearsal", "usb"], default="rehearsal", help="who is looked at")
    parser.add_argument("--index", type=int, default=0, metavar="N", help="which USB camera (0)")
    parser.add_argument("--console", action="store_true", help="end with the auditors' console open on a filled ledger")
    parser.add_argument("--reference", type=Path, default=REHEARSAL / "astronaut.png", metavar="PHOTO")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="fixes the animation's reaction times (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
