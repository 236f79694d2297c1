"""`results`, `follow` and `verify`: shows what central verified."""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from central.commands.options import Commands, declare, positive
from central.config import load_central
from central.custody import Custody
from central.ledger import Ledger
from central.registry import Registry, load_registry
from central.shown import as_json, as_text, coloured, plain, verification
from device.wire.envelope import Kind

FOLLOW_S = 0.2
RECEIPT_PATIENCE_S = 5
"""How long `follow` waits for a receipt to be noted before it shows a result without one."""


def add(commands: Commands) -> None:
    """Declares the commands."""
    results = declare(
        commands,
        "results",
        _results,
        "Prints the results taken last, as central verified them.",
        "--config central.yaml --last 5",
    )
    results.add_argument("--last", type=positive, default=20, metavar="N", help="how many (20)")
    results.add_argument("--json", action="store_true", help="one JSON object a line")
    follow = declare(
        commands, "follow", _follow, "Prints results as they come, until Ctrl-C.", "--config central.yaml --json"
    )
    follow.add_argument("--all", action="store_true", help="begin with the first result, not with the next")
    follow.add_argument("--json", action="store_true", help="one JSON object a line")
    verify = declare(
        commands,
        "verify",
        _verify,
        "Checks one envelope on its own: exit 0 when it holds, 1 when not.",
        "--config central.yaml result.jws",
    )
    verify.add_argument("file", type=Path, metavar="FILE", help="the envelope, as it was published")


def _results(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry, ledger = load_registry(settings.registry), Ledger(settings.ledger, create=False)
    _show(ledger.latest(options.last), registry, options.json, sys.stdout)
    if not options.json:
        for gap in ledger.gaps():
            print(f"gap: {gap.terminal} epoch {gap.epoch}: seq {gap.first} to {gap.last} never came")
        for terminal, reason, times in ledger.refusals():
            print(f"refused: {terminal}: {reason}, {times} times")
    ledger.close()
    return 0


def _follow(options: argparse.Namespace) -> int:
    # A shell starts what runs in its background deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings = load_central(options.config)
    registry, ledger = load_registry(settings.registry), Ledger(settings.ledger)
    number = 0 if options.all else ledger.newest()
    pause = threading.Event()
    while True:
        oldest = int(time.time()) - RECEIPT_PATIENCE_S

        def settled(custody: Custody, oldest: int = oldest) -> bool:
            return custody.receipted is not None or custody.received < oldest

        taken = list(itertools.takewhile(settled, ledger.since(number)))
        _show(taken, registry, options.json, sys.stdout)
        number = taken[-1].number if taken else number
        pause.wait(FOLLOW_S)


def _verify(options: argparse.Namespace) -> int:
    registry = load_registry(load_central(options.config).registry)
    with options.file.open("rb") as file:
        raw = file.read(Kind.RESULT.max_bytes + 2).strip()
    holds, lines = verification(raw, registry)
    for name, text in lines:
        print(f"{name:<10} {text}")
    return 0 if holds else 1


def _show(custodies: Iterable[Custody], registry: Registry, as_lines: bool, stream: TextIO) -> None:
    paint = coloured if stream.isatty() else plain
    for custody in custodies:
        print(as_json(custody, registry) if as_lines else as_text(custody, registry, paint), file=stream, flush=True)
