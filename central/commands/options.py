"""What the commands share: how they are declared, and kinds of options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

BAD_INPUT = 2
TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: what failed may be there in a moment; systemd starts the service again."""

Parser = argparse.ArgumentParser
Commands = Any
"""What `ArgumentParser.add_subparsers` returns; argparse has no public name for it."""


def declare(
    commands: Commands,
    name: str,
    action: Callable[[argparse.Namespace], int],
    summary: str,
    example: str,
    *,
    when_unavailable: int = BAD_INPUT,
) -> Parser:
    """Adds a command that takes central's configuration; its help ends with an example.

    `when_unavailable` is the exit code when ledger, broker or port cannot be had.
    """
    added: Parser = commands.add_parser(
        name, help=summary, description=summary, epilog=f"example: likeness-central {name} {example}"
    )
    added.add_argument("--config", type=Path, required=True, metavar="FILE", help="central's YAML file")
    added.set_defaults(command=action, when_unavailable=when_unavailable)
    return added


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
