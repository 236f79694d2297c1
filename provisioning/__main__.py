"""likeness-provision: the technician's command. For now it makes a demo's authority only."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from provisioning.demo import create_demo_authority

BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        made = create_demo_authority(
            options.folder,
            options.terminal or ["demo-1"],
            port=options.port or free_port(),
            rehearsal=options.rehearsal,
        )
    except FileExistsError as error:
        print(f"{error.filename}: is there already: name an empty folder", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return BAD_INPUT
    except ValueError as error:
        print(f"--terminal: {error}", file=sys.stderr)
        return BAD_INPUT
    print(f"broker:   mosquitto -c {made.mosquitto}   (127.0.0.1:{made.port})")
    print(f"central:  likeness-central run --config {made.central}")
    for terminal, folder in made.terminals.items():
        print(f"terminal: {terminal}, keys in {folder}")
    return 0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="likeness-provision",
        description="Makes keys and certificates. Enrolling real terminals is not part of this version: "
        "`demo` makes a throw-away authority for trying and testing, never for production.",
        epilog="example: likeness-provision demo ./demo-keys --port 8883",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    summary = "Writes a throw-away authority, broker configuration, and keys for central and terminals."
    demo = commands.add_parser(
        "demo",
        help=summary,
        description=summary,
        epilog="example: likeness-provision demo ./demo-keys --terminal shop-17 --port 8883 --rehearsal",
    )
    demo.add_argument("folder", type=Path, metavar="DIR", help="where to write; existing keys are never replaced")
    demo.add_argument("--port", type=_port, metavar="N", help="the broker's port on 127.0.0.1 (a free one)")
    demo.add_argument("--terminal", action="append", metavar="ID", help="a terminal's id; may be repeated (demo-1)")
    demo.add_argument("--rehearsal", action="store_true", help="central accepts results without a live camera")
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError("must be 1 to 65535")
    return number


if __name__ == "__main__":
    sys.exit(main())
