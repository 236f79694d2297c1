"""`command`: orders a terminal to do something, and waits for its reply."""

from __future__ import annotations

import argparse
import sys
import threading
import time

from central.commands.options import Commands, declare, positive
from central.config import CentralSettings, load_central, load_signing_key
from central.connection import Connection
from central.desk import DeskError, make_command, wait_for_birth
from central.ledger import Ledger
from central.orders import Reply
from central.registry import load_registry
from device.wire.command import Command, CommandClaims, ReplyStatus
from device.wire.envelope import Envelope
from device.wire.topics import Leaf, topic

LOOK_S = 0.1


def add(commands: Commands) -> None:
    """Declares the command."""
    order = declare(
        commands,
        "command",
        _command,
        "Orders a terminal to do something and waits for its signed reply: exit 0 when done, 1 when not. `run` has to"
        " be at work: it receives the reply, and repeats the command until it is answered.",
        "--config central.yaml shop-17 identify",
    )
    order.add_argument("terminal", metavar="TERMINAL", help="the terminal's id")
    order.add_argument("order", metavar="CODE", type=Command, choices=list(Command), help=", ".join(Command))
    order.add_argument("--lifetime", type=positive, default=60, metavar="S", help="seconds to wait for the reply (60)")
    order.add_argument("--wait", type=positive, default=30, metavar="S", help="seconds to wait for the terminal (30)")


def _command(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry = load_registry(settings.registry)
    if options.terminal not in registry.terminals:
        raise DeskError(f"{settings.registry}: there is no terminal {options.terminal!r}")
    ledger = Ledger(settings.ledger)
    status = topic(options.terminal, Leaf.STATUS)
    connection = Connection(settings.broker, settings.broker.desk, [status], lasting=False)
    try:
        connection.connect()
        birth = wait_for_birth(connection, options.terminal, registry, options.wait)
        command, envelope = _written(ledger, settings, options, birth.boot)
        connection.publish_and_wait(topic(options.terminal, Leaf.COMMAND), envelope)
        reply = _wait_for_reply(ledger, command, options.lifetime)
    finally:
        connection.close()
        ledger.close()
    if reply is None:
        print("no reply: is `likeness-central run` at work, and the terminal on the line?", file=sys.stderr)
        return 1
    print(f"{reply.status}" + (f" ({reply.reason})" if reply.reason else "") + f": {reply.sentence}")
    return 0 if reply.status == ReplyStatus.DONE else 1


def _written(ledger: Ledger, settings: CentralSettings, options: argparse.Namespace, boot: str) -> tuple[str, bytes]:
    key, now = load_signing_key(settings.keys.requests), time.time()

    def make(counter: int) -> tuple[CommandClaims, Envelope]:
        # Not below the time: a ledger that was lost must not begin again with counters that were obeyed.
        rising = max(counter, int(now))
        return make_command(options.order, options.terminal, boot, rising, settings.name, key, now, options.lifetime)

    return ledger.orders.add(options.terminal, make)


def _wait_for_reply(ledger: Ledger, command: str, limit_s: float) -> Reply | None:
    pause = threading.Event()
    for _ in range(int(limit_s / LOOK_S)):
        reply = ledger.orders.reply(command)
        if reply is not None:
            return reply
        pause.wait(LOOK_S)
    return None
