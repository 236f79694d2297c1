"""`public`: serves the page on which customers look up their slips."""

from __future__ import annotations

import argparse
import logging
import signal
import sys

from central.commands.options import TRY_AGAIN, Commands, declare
from central.config import load_central
from device.settings import SettingsError


def add(commands: Commands) -> None:
    """Declares the command."""
    declare(
        commands,
        "public",
        _public,
        "Serves the page on which customers look up their slips and object to what was registered, on 127.0.0.1 until"
        " stopped (Ctrl-C).",
        "--config central.yaml",
        when_unavailable=TRY_AGAIN,
    )


def _public(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    try:
        from central.public.server import Server  # noqa: PLC0415 - needs an extra
    except ImportError as error:
        raise SettingsError([f"the public page needs {error.name}: pip install 'likeness[central,console]'"]) from error
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    server = Server(settings)
    # uvicorn ends in order and then raises the signal once more, for whoever listened before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    print(f"The public page is at {settings.public.origin}", flush=True)
    server.run()
    return 0
