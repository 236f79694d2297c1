"""What the daemon costs while it starts, waits and works: time to ready, memory, processor, wake-ups, bytes written.

Example: python -m benchmarks.daemon --idle 20
The real process with a real broker. For the start and the wait its camera hands out one picture with a sensor's noise
thirty times a second and costs nothing else; the session's is the animated portrait, whose drawing is in the figures.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import yaml

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / part) for part in (".", "e2e")]

from broker import Broker
from world import Central, World, until

from benchmarks.speed import table
from device.vision.manifest import default_directory
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority

ROUNDS = 5
REHEARSAL = default_directory() / "rehearsal"
STILL = """
import sys
from pathlib import Path
import device.daemon
from benchmarks.still import StillCamera
device.daemon.make_camera = lambda *_: StillCamera()
newest = device.daemon.NewestFrame
device.daemon.NewestFrame = lambda camera, **_: newest(camera)  # drops frames, as it does before a Pi's camera
sys.exit(device.daemon.run_daemon(Path(sys.argv[1]), show_panel=False))
"""
BASE = """
import cv2, numpy
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.vision.manifest import load_models
load_models(default_directory(), preferred_runtime(), 1)
"""


@contextmanager
def house() -> Iterator[World]:
    """Authority, broker and central; a configuration of the terminal `shop-1`."""
    with tempfile.TemporaryDirectory() as folder:
        made = create_demo_authority(Path(folder) / "keys", ("shop-1",), port=free_port(), rehearsal=True)
        world = World(Path(folder), made, Broker(made), Central(made.central))
        world.broker.start()
        world.central.start()
        settings = {
            "keys": str(made.terminals["shop-1"]),
            "outbox": str(Path(folder) / "outbox.sqlite"),
            "broker": {"host": "127.0.0.1", "port": made.port},
            "camera": {"kind": "rehearsal", "person": str(REHEARSAL / "astronaut.json")},
            "panel": {"factory": "mock"},
        }
        (Path(folder) / "terminal.yaml").write_text(yaml.safe_dump(settings))
        try:
            yield world
        finally:
            world.close()


@contextmanager
def daemon(world: World, *, still: bool = True) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """The process when it is ready, and the seconds until then."""
    place = world.folder / "notify"
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(place))
        heard.settimeout(60)
        began = time.perf_counter()
        config = str(world.folder / "terminal.yaml")
        command = [sys.executable, "-m", "device", "run", "--config", config]
        if still:
            command = [sys.executable, "-c", STILL, config]
        environment = os.environ | {"NOTIFY_SOCKET": str(place)}
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True, env=environment)
        try:
            while heard.recv(4096) != b"READY=1":
                pass
            yield process, time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(20)


def starting(world: World) -> dict[str, Any]:
    """Seconds to ready, beside a process that only imports OpenCV, NumPy and the runtime and loads the same models.

    Byte code is there already, as the package brings it.
    """
    ready, base = [], []
    with daemon(world):
        pass
    for _ in range(ROUNDS):
        with daemon(world) as (_, seconds):
            ready.append(seconds)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", BASE], check=True, stderr=subprocess.DEVNULL)
        base.append(time.perf_counter() - began)
    ratio = statistics.median(mine / other for mine, other in zip(ready, base, strict=True))
    return {"to ready, s": statistics.median(ready), "models alone, s": statistics.median(base), "ratio": ratio}


def waiting(world: World, seconds: float) -> list[dict[str, Any]]:
    """Idle, and in a session: memory, and what changes in so many seconds."""
    with daemon(world) as (process, _):
        threading.Event().wait(3.0)  # the link connects, caches fill
        rows = [{"state": "idle"} | _spent(process.pid, seconds)]
    with daemon(world, still=False) as (process, _):
        command = [sys.executable, "-m", "central", "request", "--config", str(world.made.central)]
        portrait = world.folder / "portrait.jpg"
        cv2.imwrite(str(portrait), cv2.resize(cv2.imread(str(REHEARSAL / "astronaut.png")), None, fx=0.5, fy=0.5))
        command += ["--terminal", "shop-1", "--reference", str(portrait), "--attempts", "1"]
        subprocess.run(command, check=True, capture_output=True)
        rows.append({"state": "in a session"} | _spent(process.pid, 8.0))
        until(world.central.held, "the result")
    return rows


def _spent(process: int, seconds: float) -> dict[str, Any]:
    before = _counters(process)
    threading.Event().wait(seconds)
    after = _counters(process)
    change = {name: (after[name] - before[name]) / seconds for name in before}
    return {
        "RSS, MB": after["rss"] / 1e6,
        "threads": len(list(Path(f"/proc/{process}/task").iterdir())),
        "processor, % of a core": 100 * change["cpu"],
        "wake-ups a second": change["wakeups"],
        "written, MB a day": change["written"] * 86400 / 1e6,
    }


def _counters(process: int) -> dict[str, float]:
    base = Path(f"/proc/{process}")
    fields = (base / "stat").read_text().rpartition(")")[2].split()
    wakeups = 0
    for task in (base / "task").iterdir():
        lines = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
        wakeups += int(lines["voluntary_ctxt_switches"])
    written = dict(line.split(": ") for line in (base / "io").read_text().splitlines())
    return {
        "cpu": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        "rss": int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
        "wakeups": wakeups,
        "written": int(written["write_bytes"]),
    }


def importing() -> list[dict[str, Any]]:
    """Milliseconds of the daemon's imports by package, the slowest first."""
    command = [sys.executable, "-X", "importtime", "-c", "import device.daemon"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    spent: Counter[str] = Counter()
    for line in told.splitlines()[1:]:
        own, _, name = line.removeprefix("import time:").split("|")
        spent[name.strip().split(".")[0]] += int(own)
    return [{"package": name, "ms": micros / 1e3} for name, micros in spent.most_common(12)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--idle", type=float, default=20.0, metavar="S", help="how long to watch it idle (20)")
    options = parser.parse_args()
    with house() as world:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(world.folder / "byte-code")
        print(table([starting(world)]), end="\n\n")
        print(table(waiting(world, options.idle)), end="\n\n")
    print(table(importing()))


if __name__ == "__main__":
    main()
