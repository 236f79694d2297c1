"""The customer's slip: fonts, printer and screen, and whether somebody can read what comes out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from device.config import TerminalSettings
from device.doctor.counter import NOBODY, Person
from device.doctor.findings import Finding, Level, skipped, well
from device.doctor.interview import PATIENCE_S, TICK_S
from device.doctor.kernel import Kernel
from device.panel.catalogue import ENGLISH
from device.slip.commands import print_trial, trial
from device.slip.fonts import PACKAGES, typeface
from device.slip.printer import PrinterError, answers
from device.slip.settings import Printer, SlipSettings

FONTS, PRINTER, PAPER, SCREEN = "slip's fonts", "slip's printer", "slip's paper", "slip's screen"
NO_SLIP = "customers cannot look up what was registered"
QUESTION = "A slip that says TEST comes out of the printer. Can you read all of it? Type y or n."
_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}


def examine_slips(settings: TerminalSettings, person: Person | None, kernel: Kernel) -> list[Finding]:
    """Goes through what is configured; nothing where there are no slips."""
    slip = settings.slip
    if slip is None:
        return []
    spoken = settings.voice.languages
    languages = list(dict.fromkeys([slip.language or next(iter(spoken), ENGLISH), *spoken]))
    found = [_judge_fonts(languages)]
    if slip.printer is not None:
        found += _examine_printer(slip.printer, slip, languages[0], person)
    if slip.picture is not None:
        found.append(_judge_screen(slip.picture, kernel))
    return found


def _judge_fonts(languages: list[str]) -> Finding:
    missing = [language for language in languages if typeface(language) is None]
    if not missing:
        return well(FONTS, f"write {', '.join(languages)}")
    advice = f"sudo apt-get install {' '.join(PACKAGES[language] for language in missing)}"
    return Finding(FONTS, Level.MEND, f"nothing writes {', '.join(missing)}", "these slips are in English", advice)


def _examine_printer(printer: Printer, slip: SlipSettings, language: str, person: Person | None) -> list[Finding]:
    try:
        ready = answers(printer)
    except PrinterError as error:
        return [_blamed(PRINTER, error), skipped(PAPER, "needs the printer")]
    if ready:
        state = well(PRINTER, "says that it is ready")
    else:
        state = Finding(PRINTER, Level.NOTE, "is there, and says nothing of paper and cover")
    if person is None:
        return [state, skipped(PAPER, NOBODY)]
    try:
        print_trial(slip, trial("TEST", language))
    except PrinterError as error:
        return [state, _blamed(PAPER, error)]
    return [state, _judge_paper(ask(person, QUESTION))]


def _blamed(check: str, error: PrinterError) -> Finding:
    found, _, advice = str(error).rpartition(": ")
    return Finding(check, Level.MEND, found, NO_SLIP, advice)


def _judge_paper(readable: bool | None) -> Finding:
    if readable is None:
        return skipped(PAPER, "printed, and nobody said whether it can be read")
    if readable:
        return well(PAPER, "somebody read it")
    advice = "turn the roll over, check its width against slip.paper_mm, clean the head"
    return Finding(PAPER, Level.MEND, "it cannot be read", NO_SLIP, advice)


def _judge_screen(picture: Path, kernel: Kernel) -> Finding:
    folder = picture.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = f"make {folder} for the terminal's user, or mend slip.picture"
        return Finding(SCREEN, Level.MEND, f"{folder} cannot be written", NO_SLIP, advice)
    source = kernel.disk(folder).source
    if source.startswith("/dev/"):
        why = "a flash card keeps the codes of customers"
        return Finding(SCREEN, Level.MEND, f"{folder} is on {source}", why, "put slip.picture below /run")
    return well(SCREEN, f"{picture}, in memory")


def ask(person: Person, question: str, monotonic: Callable[[], float] = time.monotonic) -> bool | None:
    """Whether the technician says yes; None when nobody answers."""
    person.keyboard.lines(0.0)
    person.say(question)
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        for line in person.keyboard.lines(TICK_S):
            answer = _ANSWERS.get(line.strip().lower())
            if answer is not None:
                return answer
            person.say("Not understood: type y or n.")
    return None
