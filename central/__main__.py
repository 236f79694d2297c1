"""likeness-central: the third user's command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from central.commands import command, console, evidence, export, pseudonym, public, report, request, results, run
from central.commands.options import BAD_INPUT
from central.database import LedgerError
from central.desk import DeskError
from device.settings import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (SettingsError, DeskError) as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except LedgerError as error:
        print(error, file=sys.stderr)
        return int(options.when_unavailable)
    except BrokenPipeError:  # the reader, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"{error.filename or 'broker'}: {error.strerror or error}", file=sys.stderr)
        return int(options.when_unavailable)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="likeness-central",
        description="Receives, verifies and keeps the signed results of face-verification terminals.",
        epilog="example: likeness-central run --config central.yaml",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (run, request, command, results, report, export, evidence, pseudonym, console, public):
        module.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
