"""`report`: what somebody should look at."""

from __future__ import annotations

import argparse
import json
import time

from central.commands.options import Commands, declare, positive
from central.config import load_central
from central.ledger import Ledger
from central.registry import load_registry
from central.review import review


def add(commands: Commands) -> None:
    """Declares the command."""
    report = declare(
        commands,
        "report",
        _report,
        "Prints what somebody should look at: alarms, gaps, what was set apart, anchors, terminals and their state.",
        "--config central.yaml --days 7",
    )
    report.add_argument("--days", type=positive, default=7, metavar="N", help="how far to look back (7)")
    report.add_argument("--json", action="store_true", help="one JSON object")


def _report(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry, ledger = load_registry(settings.registry), Ledger(settings.ledger, create=False)
    try:
        sections = review(ledger, registry, settings.rules, int(time.time()), options.days)
    finally:
        ledger.close()
    if options.json:
        print(json.dumps(sections, ensure_ascii=False))
        return 0
    for title, rows in sections.items():
        print(f"{title}: {len(rows) or 'none'}")
        for row in rows:
            print("  " + "  ".join(f"{name}={value}" for name, value in row.items() if value is not None))
    return 0
