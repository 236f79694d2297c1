"""`likeness-terminal tune`: which variant of each model this very machine should use."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from device.command_line import Add, add_model_options
from device.evaluation.tune import Choice, Measurement, choose, measure
from device.evaluation.tune_check import load_check
from device.settings import SettingsError
from device.vision.inference import available_runtimes, preferred_runtime
from device.vision.manifest import default_directory
from device.vision.tuned import MAX_THREADS

SECONDS = 0.5  # of timing for each variant


def add_tune(add: Add) -> None:
    """Adds the command."""
    text = (
        "Measure every variant of the models on this machine and choose the fastest that answers as the original does. "
        "Stop the daemon first: whatever else runs falsifies the times. "
        "Name the file that --out writes as models.tuned in the configuration. Exit 0 when one was chosen."
    )
    command = add("tune", _tune, text, "--out /etc/likeness/tuned.yaml")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the choice, for models.tuned")
    command.add_argument("--json", action="store_true", help="print JSON")
    add_model_options(command)


def _tune(parsed: argparse.Namespace) -> int:
    if parsed.out is not None and not parsed.out.parent.is_dir():
        raise SettingsError([f"{parsed.out.parent}: no such folder: make it first"])
    runtimes = [parsed.runtime] if parsed.runtime else list(available_runtimes()) or [preferred_runtime()]
    threads = range(1, min(os.cpu_count() or 1, MAX_THREADS) + 1)
    check = load_check(parsed.models, default_directory() / "rehearsal")
    measuring = measure(parsed.models, check, runtimes, threads, seconds=SECONDS)
    measurements = list(measuring if parsed.json else _shown(measuring))
    choice = choose(measurements)
    if parsed.out is not None:
        _write(parsed.out, choice.as_tuned().as_yaml())
    if parsed.json:
        json.dump(_document(measurements, choice), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _tell(choice, parsed.out)
    return 0


def _shown(measurements: Iterable[Measurement]) -> Iterator[Measurement]:
    """Prints a line of the table for each; it is the progress, too."""
    sys.stdout.write(f"{'model':10} {'variant':28} {'runtime':15} threads {'median':>9}  from the original\n")
    for each in measurements:
        spent = f"{each.median_ms:6.2f} ms" if each.usable else "  refused"
        fault = f"beyond the tolerance: {', '.join(each.deviation.broken)} " if not each.usable else ""
        place = f"{each.role:10} {each.file:28} {each.runtime:15} {each.threads:7}"
        sys.stdout.write(f"{place} {spent}  {fault}{each.deviation}\n")
        sys.stdout.flush()
        yield each


def _tell(choice: Choice, out: Path | None) -> None:
    files = ", ".join(each.file for each in choice.fastest.values())
    threads = f"{choice.threads} thread{'s' if choice.threads > 1 else ''}"
    sys.stdout.write(f"\nfastest: {files}\n         {choice.runtime}, {threads}, {choice.frame_ms:.1f} ms a frame\n")
    wanted = f"models:\n  tuned: {out}" if out is not None else ""
    sys.stdout.write(f"\nin the configuration:\n{wanted}\n" if wanted else "give --out FILE to keep the choice\n")


def _document(measurements: Iterable[Measurement], choice: Choice) -> dict[str, Any]:
    return {
        "measurements": [
            {
                "role": each.role,
                "file": each.file,
                "sha256": each.sha256,
                "runtime": each.runtime.value,
                "threads": each.threads,
                "median_ms": round(each.median_ms, 3) if each.usable else None,
                "deviation": {name: round(value, 4) for name, value in each.deviation.measured.items()},
                "broken": list(each.deviation.broken),
            }
            for each in measurements
        ],
        "choice": {**choice.as_tuned().model_dump(mode="json"), "frame_ms": round(choice.frame_ms, 3)},
    }


def _write(path: Path, text: str) -> None:
    """Whoever reads the file finds the old or the new choice, never half of one."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise SettingsError([f"{path}: cannot be written: {error.strerror}"]) from None
