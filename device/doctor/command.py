"""`likeness-terminal doctor`: walks a technician through the counter, or a fleet's terminals through themselves."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from device.command_line import Add
from device.config import load_terminal
from device.doctor.counter import Person
from device.doctor.examination import Examination, Subject
from device.doctor.findings import Report
from device.doctor.inspecting import become_owner
from device.doctor.interview import Keyboard
from device.doctor.page import page
from device.doctor.text import line, summary
from device.service import keep_memory_to_ourselves
from device.settings import SettingsError

DEFAULT_CONFIG = Path("/etc/likeness/terminal.yaml")


def add_doctor(add: Add) -> None:
    """Adds the command."""
    text = (
        "Examine the terminal, from its power to central's answer, and say what to do. Stop the daemon first; a "
        "technician presses buttons and turns the head once. Exit 0 when all is well, 1 when there is something to do."
    )
    command = add("doctor", _doctor, text, "--config /etc/likeness/terminal.yaml --html report.html")
    command.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help="the terminal's configuration (YAML)"
    )
    command.add_argument("--unattended", action="store_true", help="ask nobody; skip what needs a person")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--html", type=Path, metavar="FILE", help="write a page, too, that needs nothing else")


def _doctor(parsed: argparse.Namespace) -> int:
    settings, digest = load_terminal(parsed.config)
    subject = Subject(parsed.config.absolute(), settings, digest)
    with _opened(parsed.html) as html:
        become_owner(settings)
        keep_memory_to_ourselves()
        with _lights_out_at_the_end():
            report = _examine(subject, attended=not parsed.unattended and sys.stdin.isatty(), quiet=parsed.json)
        if html is not None:
            html.write(page(report))
    if parsed.json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(summary(report))
    return report.exit_status


def _examine(subject: Subject, *, attended: bool, quiet: bool) -> Report:
    voice = Voice(sys.stderr if quiet else sys.stdout)
    person = Person(Keyboard(sys.stdin.fileno()), voice.say) if attended else None
    examination = Examination(subject, person, voice.tell)
    for finding in examination.findings():
        if quiet:
            voice.tell("")
        else:
            voice.say(line(finding))
    return examination.report()


class Voice:
    """Speaks to whoever watches: lines, and on a terminal what is being done just now, in place."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._in_place = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def say(self, sentence: str) -> None:
        """A line that stays."""
        self._stream.write(f"\r\x1b[K{sentence}\n" if self._in_place else f"{sentence}\n")
        self._stream.flush()

    def tell(self, doing: str) -> None:
        """What is being done; the next word takes its place."""
        if self._in_place:
            self._stream.write(f"\r\x1b[K{f'... {doing}' if doing else ''}")
            self._stream.flush()


@contextmanager
def _lights_out_at_the_end() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: Python's own answer would leave the lights as they are."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO | None]:
    """Opens the page before anything is examined, and while this is still the user who named it."""
    if path is None:
        yield None
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise SettingsError([f"{path}: cannot be written: {error.strerror or error}"]) from None
