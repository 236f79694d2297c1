"""What the commands share: how they are declared, and kinds of options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Parser = argparse.ArgumentParser
Commands = Any
"""What `ArgumentParser.add_subparsers` returns; argparse has no public name for it."""


def declare(
    commands: Commands, name: str, action: Callable[[argparse.Namespace], int], summary: str, example: str
) -> Parser:
    """Adds a command that takes central's configuration; its help ends with an example."""
    added: Parser = commands.add_parser(
        name, help=summary, description=summary, epilog=f"example: likeness-central {name} {example}"
    )
    added.add_argument("--config", type=Path, required=True, metavar="FILE", help="central's YAML file")
    added.set_defaults(command=action)
    return added


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
