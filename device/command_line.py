"""What the rooms of `likeness-terminal` need to add their commands: how one is added, and the options they share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from device.vision.inference import Runtime
from device.vision.manifest import default_directory

Command: TypeAlias = Callable[[argparse.Namespace], int]
"""Does what was asked for; returns the exit status."""

Add: TypeAlias = Callable[[str, Command, str, str], argparse.ArgumentParser]
"""Adds a command: its name, what it does, its description, and the arguments of its example."""


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--models` and `--runtime`, for every command that runs the models."""
    parser.add_argument("--models", type=Path, default=default_directory(), metavar="DIR", help="models folder")
    parser.add_argument("--runtime", type=Runtime, choices=list(Runtime), help="TFLite runtime to use")


def seed(text: str) -> int:
    """Parses `--seed`."""
    if not (text.isdecimal() and len(text) <= 18):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no seed: give a whole number from 0 on")
    return int(text)
