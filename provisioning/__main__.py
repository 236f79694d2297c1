"""likeness-provision: the technician's command. For now a demo's authority, and the files of a production broker."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisioning.broker import write_broker
from provisioning.demo import create_demo_authority
from provisioning.mosquitto import BrokerPlan
from provisioning.revocation import ALARM, RevocationListError, look_at_list

ALARMED = 1
BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except FileExistsError as error:
        print(f"{error.filename}: is there already: name an empty folder", file=sys.stderr)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
    except RevocationListError as error:
        print(error, file=sys.stderr)
    return BAD_INPUT


def _demo(options: argparse.Namespace) -> int:
    try:
        made = create_demo_authority(
            options.folder,
            options.terminal or ["demo-1"],
            port=options.port or free_port(),
            rehearsal=options.rehearsal,
        )
    except ValueError as error:
        print(f"--terminal: {error}", file=sys.stderr)
        return BAD_INPUT
    print(f"broker:   mosquitto -c {made.mosquitto}   (127.0.0.1:{made.port})")
    print(f"central:  likeness-central run --config {made.central}")
    for terminal, folder in made.terminals.items():
        print(f"terminal: {terminal}, keys in {folder}")
    return 0


def _broker(options: argparse.Namespace) -> int:
    plan = BrokerPlan(
        options.files,
        options.data,
        options.port or 8883,
        options.host,
        terminals=options.terminals,
        workers=options.workers,
    )
    for path in write_broker(options.folder, plan):
        print(path)
    print(f"for {plan.files}: besides, ca.pem, crl.pem, broker.pem and broker.key are needed there; see docs/broker.md")
    return 0


def _crl(options: argparse.Namespace) -> int:
    state = look_at_list(options.check, options.authority, datetime.now(UTC), timedelta(days=options.days))
    print(state.sentence, file=sys.stdout if state.well else sys.stderr)
    return 0 if state.well else ALARMED


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="likeness-provision",
        description="Makes keys, certificates and the broker's files. Enrolling real terminals is not part of this "
        "version: `demo` makes a throw-away authority for trying and testing, never for production.",
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
    demo.set_defaults(run=_demo)
    demo.add_argument("folder", type=Path, metavar="DIR", help="where to write; existing keys are never replaced")
    demo.add_argument("--port", type=_number(65535), metavar="N", help="the broker's port on 127.0.0.1 (a free one)")
    demo.add_argument("--terminal", action="append", metavar="ID", help="a terminal's id; may be repeated (demo-1)")
    demo.add_argument("--rehearsal", action="store_true", help="central accepts results without a live camera")
    _add_broker(commands)
    _add_crl(commands)
    return parser


def _add_broker(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "Writes mosquitto's files for production: configuration, access list, systemd units. No keys."
    broker = commands.add_parser(
        "broker",
        help=summary,
        description=summary,
        epilog="example: likeness-provision broker ./broker --terminals 2000 --workers 2",
    )
    broker.set_defaults(run=_broker)
    broker.add_argument("folder", type=Path, metavar="DIR", help="where to write; replaces what it wrote before")
    broker.add_argument("--terminals", type=_number(1_000_000), default=5000, metavar="N", help="at most (5000)")
    broker.add_argument("--workers", type=_number(64), default=1, metavar="N", help="of central (1)")
    broker.add_argument("--port", type=_number(65535), metavar="N", help="the broker's port (8883)")
    broker.add_argument("--host", metavar="ADDRESS", help="the address to listen on (every one)")
    files, data = Path("/etc/mosquitto/likeness"), Path("/var/lib/mosquitto")
    broker.add_argument("--files", type=Path, default=files, metavar="DIR", help=f"where they will lie ({files})")
    broker.add_argument("--data", type=Path, default=data, metavar="DIR", help=f"the broker's own folder ({data})")


def _add_crl(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "Looks at the broker's revocation list; exit code 1 is the alarm: once expired, nobody gets in."
    crl = commands.add_parser(
        "crl",
        help=summary,
        description=summary,
        epilog="example: likeness-provision crl --check crl.pem --authority ca.pem",
    )
    crl.set_defaults(run=_crl)
    crl.add_argument("--check", type=Path, required=True, metavar="FILE", help="the list")
    crl.add_argument("--authority", type=Path, required=True, metavar="FILE", help="who has to have signed it")
    crl.add_argument("--days", type=_number(3650), default=ALARM.days, metavar="N", help=f"alarm ({ALARM.days})")


def _number(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not 1 <= value <= most:
            raise argparse.ArgumentTypeError(f"must be 1 to {most}")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
