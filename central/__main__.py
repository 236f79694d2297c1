"""likeness-central: the third user's command."""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

from pydantic import ValidationError

from central.config import CentralSettings, load_central, load_signing_key
from central.connection import Connection
from central.custody import Custody
from central.desk import DeskError, Errand, make_request, read_picture, wait_for_birth
from central.judge import Judge
from central.ledger import Ledger, LedgerError
from central.receiver import TOPICS, Receiver
from central.registry import Registry, load_registry
from central.report import as_json, as_text, coloured, plain, verification
from device.settings import SettingsError
from device.wire.claims import Grade
from device.wire.envelope import Kind
from device.wire.fields import FalseMatchRate
from device.wire.light import LightChoice
from device.wire.request import Policy
from device.wire.topics import Leaf, topic

Parser = argparse.ArgumentParser
BAD_INPUT = 2
FOLLOW_S = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (SettingsError, LedgerError, DeskError) as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # the reader, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"{error.filename or 'broker'}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    settings = load_central(options.config)
    registry = load_registry(settings.registry)
    request_key = load_signing_key(settings.keys.requests)
    receipt_key = load_signing_key(settings.keys.receipts)
    ledger = Ledger(settings.ledger)
    connection = Connection(settings.broker, settings.broker.receiver, TOPICS, lasting=True)
    own = {request_key.kid: request_key.private.public_key()}
    judge = Judge(registry, ledger, own, rehearsal=settings.rehearsal)
    receiver = Receiver(
        settings.name,
        connection,
        judge,
        ledger,
        registry,
        receipt_key,
        batch=settings.batch,
        repeat_requests_s=settings.repeat_requests_s,
    )
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()
        receiver.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if settings.rehearsal:
        print("rehearsal mode: results without a live camera are accepted", file=sys.stderr)
    try:
        _connect_patiently(connection, settings, stopping)
        receiver.run()
    finally:
        connection.close()
        ledger.close()
    return 0


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


def _request(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry = load_registry(settings.registry)
    if options.terminal not in registry.terminals:
        raise DeskError(f"{settings.registry}: there is no terminal {options.terminal!r}")
    key = load_signing_key(settings.keys.requests)
    ledger = Ledger(settings.ledger)
    status = topic(options.terminal, Leaf.STATUS)
    connection = Connection(settings.broker, settings.broker.desk, [status], lasting=False)
    try:
        errand = _errand(options, registry)
        connection.connect()
        birth = wait_for_birth(connection, options.terminal, registry, options.wait)
        claims, envelope = make_request(errand, birth.boot, settings.name, registry, key, time.time())
        # Written down first: a result that answers it must never be unknown.
        ledger.add_request(claims.jti, claims.aud, claims.boot, claims.exp, envelope.raw)
        connection.publish_and_wait(topic(options.terminal, Leaf.REQUEST), envelope.raw)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise DeskError(f"--{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    finally:
        connection.close()
        ledger.close()
    print(claims.jti)
    return 0


def _errand(options: argparse.Namespace, registry: Registry) -> Errand:
    return Errand(
        terminal=options.terminal,
        purpose=options.purpose,
        outlet=options.outlet or registry.terminals[options.terminal].outlet,
        attendant=options.attendant,
        transaction=options.transaction,
        subject=options.subject,
        policy=Policy(
            fmr=options.fmr,
            attempts=options.attempts,
            grades=(Grade.CARD,) if options.card else (Grade.REQUEST,),
            light=options.light,
        ),
        reference=None if options.card else read_picture(options.reference),
        lifetime_s=options.lifetime,
    )


def _results(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry, ledger = load_registry(settings.registry), Ledger(settings.ledger, create=False)
    _show(ledger.latest(options.last), registry, options.json, sys.stdout)
    if not options.json:
        for gap in ledger.gaps():
            print(f"gap: {gap.terminal} epoch {gap.epoch}: seq {gap.first} to {gap.last} never came")
        for terminal, reason, times in ledger.refusals():
            print(f"refused: {terminal}: {reason}, {times} times")
    ledger.close()
    return 0


def _follow(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry, ledger = load_registry(settings.registry), Ledger(settings.ledger)
    latest = ledger.latest(1)
    number = 0 if options.all or not latest else latest[-1].number
    pause = threading.Event()
    while True:
        taken = list(itertools.takewhile(lambda custody: custody.receipted is not None, ledger.since(number)))
        _show(taken, registry, options.json, sys.stdout)
        number = taken[-1].number if taken else number
        pause.wait(FOLLOW_S)


def _verify(options: argparse.Namespace) -> int:
    registry = load_registry(load_central(options.config).registry)
    with options.file.open("rb") as file:
        raw = file.read(Kind.RESULT.max_bytes + 2).strip()
    holds, lines = verification(raw, registry)
    for name, text in lines:
        print(f"{name:<10} {text}")
    return 0 if holds else 1


def _show(custodies: list[Custody], registry: Registry, as_lines: bool, stream: TextIO) -> None:
    paint = coloured if stream.isatty() else plain
    for custody in custodies:
        print(as_json(custody, registry) if as_lines else as_text(custody, registry, paint), file=stream, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="likeness-central",
        description="Receives, verifies and keeps the signed results of face-verification terminals.",
        epilog="example: likeness-central run --config central.yaml",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, action: Callable[[argparse.Namespace], int], summary: str, example: str) -> Parser:
        added: Parser = commands.add_parser(
            name, help=summary, description=summary, epilog=f"example: likeness-central {name} {example}"
        )
        added.add_argument("--config", type=Path, required=True, metavar="FILE", help="central's YAML file")
        added.set_defaults(command=action)
        return added

    command("run", _run, "Receives results until stopped (Ctrl-C).", "--config central.yaml")
    request = command(
        "request",
        _request,
        "Asks a terminal for one session and prints the request's id.",
        "--config central.yaml --terminal shop-17 --reference portrait.jpg --purpose sim-registration",
    )
    _add_request_options(request)
    results = command(
        "results",
        _results,
        "Prints the results taken last, as central verified them.",
        "--config central.yaml --last 5",
    )
    results.add_argument("--last", type=_positive, default=20, metavar="N", help="how many (20)")
    results.add_argument("--json", action="store_true", help="one JSON object a line")
    follow = command("follow", _follow, "Prints results as they come, until Ctrl-C.", "--config central.yaml --json")
    follow.add_argument("--all", action="store_true", help="begin with the first result, not with the next")
    follow.add_argument("--json", action="store_true", help="one JSON object a line")
    verify = command(
        "verify",
        _verify,
        "Checks one envelope on its own: exit 0 when it holds, 1 when not.",
        "--config central.yaml result.jws",
    )
    verify.add_argument("file", type=Path, metavar="FILE", help="the envelope, as it was published")
    return parser


def _add_request_options(parser: Parser) -> None:
    parser.add_argument("--terminal", required=True, metavar="ID", help="the terminal's id")
    reference = parser.add_mutually_exclusive_group(required=True)
    reference.add_argument("--reference", type=Path, metavar="PHOTO", help="the portrait, JPEG or PNG")
    reference.add_argument(
        "--card", action="store_true", help="let the terminal read the printed card; the result is of a lower grade"
    )
    parser.add_argument("--purpose", default="sim-registration", metavar="WORD", help="(sim-registration)")
    parser.add_argument("--outlet", metavar="ID", help="(the terminal's outlet in the registry)")
    parser.add_argument("--attendant", default="unknown", metavar="ID", help="(unknown)")
    parser.add_argument("--transaction", default="none", metavar="ID", help="(none)")
    parser.add_argument("--subject", default="unknown", metavar="PSEUDONYM", help="never a document's number (unknown)")
    parser.add_argument(
        "--fmr", type=FalseMatchRate, choices=list(FalseMatchRate), default="1e-3", help="false match rate (1e-3)"
    )
    parser.add_argument(
        "--light",
        type=LightChoice,
        choices=list(LightChoice),
        default=LightChoice.OFF,
        help="coloured light, where the terminal has a ring (off); off for whoever is sensitive to changing light",
    )
    parser.add_argument("--attempts", type=_positive, default=3, metavar="N", help="sessions the customer may try (3)")
    parser.add_argument("--lifetime", type=_positive, default=300, metavar="S", help="seconds to begin within (300)")
    parser.add_argument("--wait", type=_positive, default=30, metavar="S", help="seconds to wait for the terminal (30)")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
