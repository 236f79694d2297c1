"""`likeness-terminal slip`: shows what a slip looks like, and tries the printer."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from device.command_line import Add
from device.config import load_terminal
from device.durable import PUBLIC, replace_file
from device.panel.catalogue import ENGLISH, LANGUAGES
from device.settings import SettingsError
from device.slip.content import Slip, wording
from device.slip.drawing import DOTS, draw_slip, png
from device.slip.fonts import PACKAGES, typeface
from device.slip.printer import PrinterError, print_picture
from device.slip.settings import SlipSettings
from device.wire.claims import Outcome
from device.wire.slip import ENTROPY_BYTES, slip_code

SPECIMEN = Slip(
    terminal="shop-1",
    at=datetime.fromtimestamp(1_795_000_000, UTC),
    clock_set=True,
    language=ENGLISH,
    outlet="outlet-7",
    purpose="sim-registration",
    outcome=Outcome.VERIFIED,
    code=slip_code(bytes(range(ENTROPY_BYTES))),
)
"""No session ever had this code."""
EXAMPLE = SlipSettings(address="https://check.example.org", picture=Path("/run/likeness-screen/slip.png"))


def add_slip(add: Add) -> None:
    """Adds the command."""
    text = "Show a specimen of the customer's slip as a picture, or print one that says TEST."
    slip = add("slip", _slip, text, "test --config /etc/likeness/terminal.yaml")
    slip.add_argument("action", choices=["show", "test"], help="show: write a picture; test: print")
    slip.add_argument("--config", type=Path, metavar="FILE", help="the terminal's configuration; test needs it")
    slip.add_argument("--out", type=Path, metavar="FILE", help="the PNG file that show writes")
    slip.add_argument("--language", choices=LANGUAGES, default=ENGLISH, metavar="TAG", help=", ".join(LANGUAGES))
    slip.add_argument("--outcome", type=Outcome, choices=list(Outcome), default=Outcome.VERIFIED, metavar="WORD")
    slip.add_argument("--paper", type=int, choices=list(DOTS), metavar="MM", help="58 or 80; else as configured")


def trial(terminal: str, language: str) -> Slip:
    """A slip without a code, which says TEST."""
    return Slip(terminal=terminal, at=datetime.now().astimezone(), clock_set=True, language=language)


def print_trial(settings: SlipSettings, slip: Slip) -> None:
    """Prints it; raises PrinterError, also where nothing can be printed on."""
    face = typeface(slip.language)
    if face is None:
        raise PrinterError(f"no font for {slip.language}: sudo apt-get install {PACKAGES[slip.language]}")
    if settings.printer is None:
        raise PrinterError("the configuration names no printer: add slip.printer, or use slip show")
    print_picture(settings.printer, draw_slip(wording(slip, settings.address), settings.paper_mm, face))


def _slip(parsed: argparse.Namespace) -> int:
    settings = EXAMPLE if parsed.config is None else _configured(parsed.config)
    if parsed.paper is not None:
        settings = settings.model_copy(update={"paper_mm": parsed.paper})
    if parsed.action == "test":
        if parsed.config is None:
            raise SettingsError(["slip test: name the terminal's configuration with --config"])
        print_trial(settings, trial("TEST", parsed.language))
        return 0
    if parsed.out is None:
        raise SettingsError(["slip show: name a PNG file with --out"])
    _show(parsed, settings)
    return 0


def _configured(path: Path) -> SlipSettings:
    settings, _ = load_terminal(path)
    if settings.slip is None:
        raise SettingsError([f"{path}: has no slip: add slip: with an address, and printer or picture"])
    return settings.slip


def _show(parsed: argparse.Namespace, settings: SlipSettings) -> None:
    face = typeface(parsed.language)
    if face is None:
        raise PrinterError(f"no font for {parsed.language}: sudo apt-get install {PACKAGES[parsed.language]}")
    slip = replace(SPECIMEN, language=parsed.language, outcome=parsed.outcome)
    picture = draw_slip(wording(slip, settings.address), settings.paper_mm, face)
    try:
        replace_file(parsed.out, png(picture), PUBLIC)
    except OSError as error:
        raise SettingsError([f"{parsed.out}: cannot be written: {error.strerror or error}"]) from None
