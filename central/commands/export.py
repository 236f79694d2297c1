"""`export`: everything that central took into custody, for other programs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from central.commands.options import Commands, declare
from central.config import load_central
from central.custody import Custody
from central.ledger import Ledger
from central.registry import load_registry
from central.tables import csv_lines, json_lines

FORMATS = {"jsonl": json_lines, "csv": csv_lines}


def add(commands: Commands) -> None:
    """Declares the command."""
    export = declare(
        commands,
        "export",
        _export,
        "Writes results and anchors in the order of custody, each verified again.",
        "--config central.yaml --format csv --out results.csv",
    )
    export.add_argument("--format", choices=list(FORMATS), default="jsonl", help="(jsonl)")
    export.add_argument("--after", type=int, default=0, metavar="N", help="begin after this number (0)")
    export.add_argument("--out", type=Path, metavar="FILE", help="(standard output); of its owner's alone")


def _export(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry, ledger = load_registry(settings.registry), Ledger(settings.ledger, create=False)
    try:
        with _target(options.out) as target:
            for line in FORMATS[options.format](_all(ledger, options.after), registry):
                target.write(line)
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
