"""`demo`: a throw-away authority for trying and testing, never for production."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

from provisioning.command_line import Add, number
from provisioning.demo import create_demo_authority
from provisioning.vault import ProvisioningError


def add_demo(add: Add) -> None:
    """Adds the command."""
    summary = "Write a throw-away authority, broker configuration, and keys for central and terminals."
    demo = add("demo", _demo, summary, "./demo-keys --terminal shop-17 --port 8883 --rehearsal")
    demo.add_argument("folder", type=Path, metavar="DIR", help="where to write; existing keys are never replaced")
    demo.add_argument("--port", type=number(65535), metavar="N", help="the broker's port on 127.0.0.1 (a free one)")
    demo.add_argument("--terminal", action="append", metavar="ID", help="a terminal's id; may be repeated (demo-1)")
    demo.add_argument("--rehearsal", action="store_true", help="central accepts results without a live camera")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _demo(options: argparse.Namespace) -> None:
    try:
        made = create_demo_authority(
            options.folder,
            options.terminal or ["demo-1"],
            port=options.port or free_port(),
            rehearsal=options.rehearsal,
        )
    except FileExistsError as error:
        raise ProvisioningError(f"{error.filename}: is there already: name an empty folder") from None
    except ValueError as error:
        raise ProvisioningError(f"--terminal: {error}") from None
    print(f"broker:   mosquitto -c {made.mosquitto}   (127.0.0.1:{made.port})")
    print(f"central:  likeness-central run --config {made.central}")
    for terminal, folder in made.terminals.items():
        print(f"terminal: {terminal}, keys in {folder}")
