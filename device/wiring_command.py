"""`likeness-terminal wiring`: prints how the panel is wired, or draws it, from the configuration's pin map."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from device.command_line import Add
from device.config import load_terminal
from device.durable import PUBLIC, replace_file
from device.panel.gpio import PinMap
from device.panel.wiring import wiring_text
from device.panel.wiring_picture import wiring_picture
from device.settings import SettingsError


def add_wiring(add: Add) -> None:
    """Adds the command."""
    text = "Print how the panel is wired to the 40-pin header, or draw it. Without a configuration: the usual pins."
    command = add("wiring", _wiring, text, "--config /etc/likeness/terminal.yaml --out wiring.svg")
    command.add_argument("--config", type=Path, metavar="FILE", help="the terminal's configuration (YAML)")
    command.add_argument("--out", type=Path, metavar="FILE.svg", help="draw it into this file")


def _wiring(parsed: argparse.Namespace) -> int:
    pins = PinMap() if parsed.config is None else load_terminal(parsed.config)[0].panel.pins
    if parsed.out is None:
        sys.stdout.write(wiring_text(pins))
        return 0
    if parsed.out.suffix.lower() != ".svg":
        raise SettingsError([f"{parsed.out}: name a .svg file"])
    try:
        changed = replace_file(parsed.out, wiring_picture(pins).encode(), PUBLIC)
    except OSError as error:
        raise SettingsError([f"{parsed.out}: cannot be written: {error.strerror}"]) from None
    sys.stdout.write(f"{parsed.out}: {'written' if changed else 'is that picture already'}\n")
    return 0
