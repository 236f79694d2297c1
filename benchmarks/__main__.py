"""The entry to the speed benchmarks: runs the parts one after another, prints tables, writes JSON and a picture.

Example: scripts/benchmark vision session daemon --out speed
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.speed import MEDIA, machine, rows_of

PARTS = {
    "vision": ["--media"],
    "peers": ["--media", "--packages"],
    "session": ["--media"],
    "daemon": [],
    "outbox": [],
    "central": [],
}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#a6761d")  # told apart by the colour-blind, too


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__.splitlines()[0], epilog=EPILOG)
    parser.add_argument("parts", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--media", type=Path, default=MEDIA, metavar="DIR", help="evaluation media (../shared/data)")
    parser.add_argument("--packages", type=Path, metavar="DIR", help="for peers: wheels with their models")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write speed.json and speed.png")
    options = parser.parse_args()
    told: dict[str, Any] = {"machine": machine()}
    print(json.dumps(told["machine"], indent=1), flush=True)
    for part in options.parts:
        print(f"\n## {part}\n", flush=True)
        told[part] = _run(part, options)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "speed.json").write_text(json.dumps(told, indent=1) + "\n")
        _draw(options.out / "speed.png", told)
        print(f"\n{options.out / 'speed.json'}, {options.out / 'speed.png'}")
    return 0


EPILOG = "example: scripts/benchmark vision peers --out speed"


def _run(part: str, options: argparse.Namespace) -> list[list[dict[str, str]]]:
    """Runs a part in a process of its own and returns the tables that it printed."""
    command = [sys.executable, "-m", f"benchmarks.{part}"]
    for name in PARTS[part]:
        value = getattr(options, name.removeprefix("--"))
        command += [name, str(value)] if value is not None else []
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0:
        raise SystemExit(process.returncode)
    return rows_of(lines)


def _draw(path: Path, told: dict[str, Any]) -> None:
    """Bars: what a frame is spent on, and the peers beside it."""
    vision = told.get("vision", [[]])[0]
    peers = [row for rows in told.get("peers", []) for row in rows]
    figure = Figure(figsize=(9, 1.6 + 0.36 * (len(vision) + len(peers))), layout="constrained")
    axes = figure.subplots(2, 1, height_ratios=[max(len(vision), 1), max(len(peers), 1)])
    for row in vision[::-1]:
        left = 0.0
        label = f"{row['frames']}, {row['runtime']}, {row['threads']} thread(s)"
        for part, colour in zip(("detector", "landmarks", "embedding", "OpenCV", "own"), COLOURS, strict=False):
            axes[0].barh(label, float(row[part]), left=left, color=colour, label=part if row is vision[-1] else None)
            left += float(row[part])
    axes[0].set_xlabel("processor time a frame, ms")
    if vision:
        axes[0].legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=5, frameon=False)
    for row in peers[::-1]:
        colour = COLOURS[0] if row["what"].startswith("likeness") else "#999999"
        axes[1].barh(f"{row['what']} {row.get('frames', '')}", float(row["ms"]), color=colour)
    axes[1].set_xlabel("processor time a frame or face, ms")
    FigureCanvasAgg(figure).print_png(str(path))


if __name__ == "__main__":
    sys.exit(main())
