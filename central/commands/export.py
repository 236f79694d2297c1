"""`export`: everything that central took into custody, for other programs."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from central.commands.options import Commands, declare
from central.config import load_central
from central.custody import Custody
from central.ledger import Ledger
from central.registry import load_registry
from central.shown import as_json, as_row

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs what begins with one of these."""


def add(commands: Commands) -> None:
    """Declares the command."""
    export = declare(
        commands,
        "export",
        _export,
        "Writes results and anchors in the order of custody, each verified again.",
        "--config central.yaml --format csv --out results.csv",
    )
    export.add_argument("--format", choices=["jsonl", "csv"], default="jsonl", help="(jsonl)")
    export.add_argument("--after", type=int, default=0, metavar="N", help="begin after this number (0)")
    export.add_argument("--out", type=Path, metavar="FILE", help="(standard output); of its owner's alone")


def _export(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry, ledger = load_registry(settings.registry), Ledger(settings.ledger, create=False)
    try:
        with _target(options.out) as target:
            taken = _all(ledger, options.after)
            if options.format == "csv":
                _write_csv(target, (as_row(custody, registry) for custody in taken))
            else:
                for custody in taken:
                    print(as_json(custody, registry), file=target)
    finally:
        ledger.close()
    return 0


def _target(path: Path | None) -> IO[str] | nullcontext[IO[str]]:
    if path is None:
        return nullcontext(sys.stdout)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="")


def _all(ledger: Ledger, number: int) -> Iterator[Custody]:
    while some := ledger.since(number):
        yield from some
        number = some[-1].number


def _write_csv(target: IO[str], rows: Iterable[dict[str, object]]) -> None:
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(target, list(row))
            writer.writeheader()
        writer.writerow({name: neutral(value) for name, value in row.items()})


def neutral(value: object) -> object:
    """Puts an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
