"""`likeness-terminal evaluate`: error rates of the comparison on labelled pictures, as a report with curves."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from device.command_line import Add, add_model_options, seed
from device.evaluation.degrade import ReferenceKind
from device.evaluation.evaluate import Evaluation, Measured, Progress
from device.evaluation.evaluate_report import (
    DET_PICTURE,
    SCORES_PICTURE,
    Conditions,
    report_json,
    report_markdown,
    summary,
)
from device.evaluation.testset import TestSet, TestSetError, read_folder, read_groups, read_list
from device.vision.inference import preferred_runtime
from device.vision.manifest import Models, load_models
from device.vision.reference import PortraitReader
from device.wire.fields import FalseMatchRate


def add_evaluate(add: Add) -> None:
    """Adds `evaluate`."""
    text = "Measure the comparison on labelled pictures: error rates with intervals, curves, groups."
    command = add(
        "evaluate", evaluate, text, "--pairs london/pairs.csv --pairs portraits/ --reference chip --out report"
    )
    add_set_options(command)
    command.add_argument("--json", action="store_true", help="print the report as JSON")
    add_model_options(command)


def add_set_options(parser: argparse.ArgumentParser) -> None:
    """Adds what says which pictures are compared, and how."""
    parser.add_argument(
        "--pairs",
        type=Path,
        action="append",
        required=True,
        metavar="LIST",
        help="a CSV file with the columns a (reference) and b (probe), or a folder: all its pictures with each other; "
        "may be repeated",
    )
    parser.add_argument(
        "--root",
        type=Path,
        action="append",
        metavar="DIR",
        help="where the pictures of the first, second .. CSV file are",
    )
    parser.add_argument(
        "--reference",
        type=ReferenceKind,
        action="append",
        choices=list(ReferenceKind),
        help="the reference: full (as it is), chip (102x126 px) or printed (a poor print); may be repeated",
    )
    parser.add_argument(
        "--groups", type=Path, metavar="INFO.csv", help="labels of the subjects: a column of subjects first"
    )
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="fixes prints and intervals (default 0)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report")


def evaluate(parsed: argparse.Namespace) -> int:
    """`evaluate`."""
    models = load_models(parsed.models, parsed.runtime or preferred_runtime())
    conditions, measured = measure(parsed, models, f"likeness-terminal {shlex.join(sys.argv[1:])}")
    if parsed.json:
        json.dump(report_json(conditions, measured), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f"{summary(conditions, measured)}\n\n{parsed.out / 'report.md'}\n")
    return 0


def measure(parsed: argparse.Namespace, models: Models, command: str) -> tuple[Conditions, list[Measured]]:
    """Measures what the options ask for with `models` and writes the report, which names `command`.

    Raises TestSetError with one line that says what to do.
    """
    _require("scipy", "matplotlib")
    tests = list(_tests(parsed))
    groups = read_groups(parsed.groups) if parsed.groups else None
    _make(parsed.out)
    thresholds = {rate.value: models.thresholds.at(rate) for rate in FalseMatchRate}
    conditions = Conditions(command, models.runtime.value, models.hashes, thresholds, parsed.seed)
    evaluation = Evaluation(
        PortraitReader(models), tuple(thresholds.values()), groups=groups, seed=parsed.seed, progress=_progress()
    )
    kinds = list(dict.fromkeys(parsed.reference or [ReferenceKind.FULL]))
    try:
        measured = [each for test in tests for each in evaluation.measure(test, kinds)]
    finally:
        _clear_line()  # whoever stops it, or is told of a fault, gets a line of their own
    try:
        _write(parsed.out, conditions, measured)
    except OSError as error:
        raise TestSetError(f"{parsed.out}: cannot be written: {error.strerror or error}") from None
    return conditions, measured


def _tests(parsed: argparse.Namespace) -> Iterator[TestSet]:
    lists = [path for path in parsed.pairs if not path.is_dir()]
    roots = parsed.root or [path.parent for path in lists]
    if len(roots) != len(lists):
        raise TestSetError(f"{len(lists)} CSV files and {len(roots)} --root: give one --root for each, or none")
    root_of = dict(zip(lists, roots, strict=True))
    for path in parsed.pairs:
        yield read_list(path, root_of[path]) if path in root_of else read_folder(path)


def _require(*modules: str) -> None:
    if any(importlib.util.find_spec(name) is None for name in modules):
        raise TestSetError("reports need SciPy and Matplotlib: install likeness[evaluation]")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TestSetError(f"{folder}: cannot be made: {error.strerror}: name a folder with --out") from None
    if not os.access(folder, os.W_OK | os.X_OK):  # now, and not when all is measured
        raise TestSetError(f"{folder}: cannot be written to: name another folder with --out")


def _write(folder: Path, conditions: Conditions, measured: list[Measured]) -> None:
    from device.evaluation.figures import draw_det, draw_scores  # noqa: PLC0415  a terminal has no Matplotlib

    draw_det(folder / DET_PICTURE, measured, conditions.thresholds)
    draw_scores(folder / SCORES_PICTURE, measured, conditions.thresholds)
    (folder / "report.md").write_text(report_markdown(conditions, measured), encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(report_json(conditions, measured), indent=2) + "\n")


def _progress() -> Progress:
    """A line on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        return lambda _what, _done, _of: None

    def show(what: str, done: int, of: int) -> None:
        sys.stderr.write(f"\r{what}: {done} of {of}\x1b[K")
        sys.stderr.flush()

    return show


def _clear_line() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
