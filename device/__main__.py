"""`likeness-terminal`: the command line of the daemon and of the evaluation commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from device.calibrate import add_calibrate
from device.camera import CameraError
from device.command_line import Add, Command
from device.daemon import RESTART, run_daemon
from device.delivery.database import OutboxError
from device.doctor.command import add_doctor
from device.enrolment.commands import add_enrolment_commands
from device.evaluation.bench import add_bench
from device.evaluation.command_line import add_evaluation_commands
from device.evaluation.compare import CompareError
from device.evaluation.redteam.gallery import GalleryError
from device.evaluation.tune_command import add_tune
from device.panel.gpio import PanelError
from device.settings import SettingsError
from device.slip.commands import add_slip
from device.slip.printer import PrinterError
from device.updates.bundle import UpdateError
from device.updates.commands import add_update
from device.updates.start import is_on_trial
from device.vision.inference import InferenceError
from device.vision.manifest import ModelError
from device.vision.reference import PortraitError
from device.voice.commands import add_voice
from device.voice.rendering import VoiceError
from device.wire.enrolment import EnrolmentError
from device.wire.plan import PlanError
from device.wiring_command import add_wiring

BAD_INPUT = 2
INTERRUPTED = 130
FAULTS = (
    CameraError,
    CompareError,
    EnrolmentError,
    GalleryError,
    InferenceError,
    ModelError,
    OutboxError,
    PanelError,
    PlanError,
    PortraitError,
    PrinterError,
    SettingsError,
    UpdateError,
    VoiceError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    try:
        try:
            parsed = _parser().parse_args(arguments)
            command: Command = parsed.command
            return command(parsed)
        finally:
            sys.stdout.flush()  # here, and not when Python ends: a reader that has gone is no fault
    except FAULTS as error:
        for line in str(error).splitlines():
            print(f"likeness-terminal: {line}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("likeness-terminal: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone: nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is in --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}: see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="likeness-terminal",
        description="Face verification terminal: the daemon, and the same eyes on recordings.",
        epilog="example: likeness-terminal rehearse models/rehearsal/astronaut.json --reference portrait.jpg --seed 1",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str, example: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=text[0].lower() + text[1:].partition(".")[0],
            description=text,
            epilog=f"example: likeness-terminal {name} {example}",
        )
        added.set_defaults(command=command)
        return added

    _add_run(add)
    add_doctor(add)
    add_evaluation_commands(add)
    add_tune(add)
    add_bench(add)
    add_calibrate(add)
    add_wiring(add)
    add_voice(add)
    add_slip(add)
    add_enrolment_commands(add)
    add_update(add)
    return parser


def _add_run(add: Add) -> None:
    run = add("run", _run, "Run the daemon until it is told to stop.", "--config /etc/likeness/terminal.yaml")
    run.add_argument("--config", type=Path, required=True, metavar="FILE", help="the terminal's configuration (YAML)")
    run.add_argument("--show-panel", action="store_true", help="draw the panel on standard output")


def _run(parsed: argparse.Namespace) -> int:
    try:
        return run_daemon(parsed.config, show_panel=parsed.show_panel)
    except FAULTS as error:
        if not is_on_trial(parsed.config):
            raise
        # Systemd would leave it at a fault of the configuration: the next start counts, and gives the update back.
        print(f"likeness-terminal: {error}", file=sys.stderr)
        return RESTART


if __name__ == "__main__":
    sys.exit(main())
