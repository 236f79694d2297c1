"""`run`: receives results until stopped."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from central.commands.options import TRY_AGAIN, Commands, declare, positive
from central.config import CentralSettings, IdentitySettings, load_central, load_signing_key
from central.connection import Connection
from central.ledger import Ledger
from central.metrics import Metrics
from central.receiver import TOPICS, Receiver
from central.registry import LiveRegistry
from device.settings import SettingsError


def add(commands: Commands) -> None:
    """Declares the command."""
    summary, example = "Receives results until stopped (Ctrl-C).", "--config central.yaml"
    run = declare(commands, "run", _run, summary, example, when_unavailable=TRY_AGAIN)
    run.add_argument(
        "--worker",
        type=positive,
        default=1,
        metavar="N",
        help="which of several that share the work this one is; from 2 on those of broker.workers (1)",
    )


def _run(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    settings = load_central(options.config)
    receipt_key = load_signing_key(settings.keys.receipts)
    registry, ledger = LiveRegistry(settings.registry), Ledger(settings.ledger)
    connection = Connection(settings.broker, _identity(settings, options.config, options.worker), TOPICS, lasting=True)
    metrics = Metrics()
    receiver = Receiver(
        settings.name,
        connection,
        ledger,
        registry,
        receipt_key,
        batch=settings.batch,
        repeat_requests_s=settings.repeat_requests_s if options.worker == 1 else None,
        rules=settings.rules if options.worker == 1 else None,
        metrics=metrics,
        rehearsal=settings.rehearsal,
    )
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()
        receiver.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if settings.rehearsal:
        print("rehearsal mode: results without a live camera are accepted", file=sys.stderr)
    with ExitStack() as open_things:
        open_things.callback(ledger.close)
        open_things.callback(connection.close)
        if settings.metrics_port is not None:
            open_things.callback(metrics.serve(settings.metrics_port + options.worker - 1).close)
        _connect_patiently(connection, settings, stopping)
        receiver.run()
    return 0


def _identity(settings: CentralSettings, config: Path, worker: int) -> IdentitySettings:
    identities = (settings.broker.receiver, *settings.broker.workers)
    if worker > len(identities):
        what = f"broker.workers names {len(identities) - 1}: add the certificate and key of worker {worker}"
        raise SettingsError([f"{config}: {what}"])
    return identities[worker - 1]


def _connect_patiently(connection: Connection, settings: CentralSettings, stopping: threading.Event) -> None:
    """Tries until there is a broker: central may be started first."""
    while not stopping.is_set():
        try:
            connection.connect()
        except OSError as error:
            address = f"{settings.broker.host}:{settings.broker.port}"
            print(f"no broker at {address} ({error.strerror or error}): trying again", file=sys.stderr)
            stopping.wait(2.0)
        else:
            return
