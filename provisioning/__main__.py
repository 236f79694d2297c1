"""likeness-provision: the technician's command. Each part of the work has a module in `provisioning.commands`."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from typing import NoReturn

from device.settings import SettingsError
from device.wire.enrolment import EnrolmentError
from provisioning.command_line import Command
from provisioning.commands.authority import add_authority_commands
from provisioning.commands.broker import add_broker_commands
from provisioning.commands.card import add_card
from provisioning.commands.demo import add_demo, free_port
from provisioning.commands.enrolment import add_enrolment_commands
from provisioning.commands.terminals import add_terminal_commands
from provisioning.commands.updates import add_update
from provisioning.revocation import RevocationListError
from provisioning.vault import ProvisioningError

__all__ = ["free_port", "main"]
BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        command: Command = options.command
        return command(options) or 0
    except (EnrolmentError, ProvisioningError, RevocationListError, SettingsError) as error:
        print(f"likeness-provision: {error}", file=sys.stderr)
        return BAD_INPUT
    except (OSError, sqlite3.Error) as error:
        where, why = getattr(error, "filename", None) or "disk", getattr(error, "strerror", None) or error
        print(f"likeness-provision: {where}: {why}: mend it, then run again", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("likeness-provision: stopped", file=sys.stderr)
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is in --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}: see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="likeness-provision",
        description="The authority: who may speak for whom. Makes terminals known and renews what they are known by.",
        epilog="example: likeness-provision authority init ./authority   (docs/provisioning.md goes on from there)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str, example: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=text[0].lower() + text[1:].partition(".")[0],
            description=text,
            epilog=f"example: likeness-provision {name} {example}".rstrip(),
        )
        added.set_defaults(command=command)
        return added

    add_authority_commands(add)
    add_terminal_commands(add)
    add_broker_commands(add)
    add_enrolment_commands(add)
    add_card(add)
    add_update(add)
    add_demo(add)
    return parser


if __name__ == "__main__":
    sys.exit(main())
