"""`request`: asks a terminal for one session."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from pydantic import ValidationError

from central.challenges import CHALLENGES
from central.commands.options import Commands, Parser, declare, positive
from central.config import CentralSettings, load_central, load_signing_key
from central.connection import Connection
from central.desk import DeskError, Errand, make_request, read_picture, wait_for_birth
from central.ledger import Ledger
from central.numbers import NumberError, customer_number
from central.registry import Registry, load_registry
from central.subjects import number_pseudonym, read_pseudonym_key
from device.wire.claims import Grade
from device.wire.evidence import EvidenceKind
from device.wire.fields import FalseMatchRate
from device.wire.light import LightChoice
from device.wire.request import Policy
from device.wire.topics import Leaf, topic

NOBODY, NO_TRANSACTION = "unknown", "none"
REFUSAL_STANDS_S = 7 * 86_400


def add(commands: Commands) -> None:
    """Declares the command."""
    request = declare(
        commands,
        "request",
        _request,
        "Asks a terminal for one session and prints the request's id.",
        "--config central.yaml --terminal shop-17 --reference portrait.jpg --purpose sim-registration",
    )
    _add_options(request)


def _request(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    registry = load_registry(settings.registry)
    if options.terminal not in registry.terminals:
        raise DeskError(f"{settings.registry}: there is no terminal {options.terminal!r}")
    key, number = load_signing_key(settings.keys.requests), _customer_number(options.number, settings)
    ledger = Ledger(settings.ledger)
    status = topic(options.terminal, Leaf.STATUS)
    connection = Connection(settings.broker, settings.broker.desk, [status], lasting=False)
    try:
        _check_asking(options, ledger, int(time.time()))
        errand = _errand(options, registry)
        connection.connect()
        birth = wait_for_birth(connection, options.terminal, registry, options.wait)
        claims, envelope = make_request(errand, birth.boot, settings.name, registry, key, time.time())
        ledger.requests.add(claims, envelope.raw, number)
        connection.publish_and_wait(topic(options.terminal, Leaf.REQUEST), envelope.raw)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise DeskError(f"--{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    finally:
        connection.close()
        ledger.close()
    print(claims.jti)
    return 0


def _customer_number(typed: str | None, settings: CentralSettings) -> str | None:
    """The pseudonym under which a customer's number is kept; the number itself goes nowhere."""
    if typed is None:
        return None
    if settings.keys.numbers is None:
        raise DeskError("--number: central.yaml names no keys.numbers: docs/slip.md says how to make it")
    try:
        number = customer_number(sys.stdin.readline() if typed == "-" else typed, settings.public.region)
    except NumberError as error:
        raise DeskError(f"--number: {error}") from None
    return number_pseudonym(read_pseudonym_key(settings.keys.numbers), number)


def _grade(options: argparse.Namespace) -> Grade:
    if options.witnessed:
        return Grade.WITNESSED
    return Grade.CARD if options.card else Grade.REQUEST


def _check_asking(options: argparse.Namespace, ledger: Ledger, now: int) -> None:
    """Raises DeskError where nobody may be asked, or nobody vouches."""
    if options.witnessed and options.attendant == NOBODY:
        raise DeskError("--witnessed: name who vouches with --attendant")
    first = ledger.number_since(now - REFUSAL_STANDS_S)
    if options.transaction != NO_TRANSACTION and ledger.requests.was_declined(options.transaction, first):
        raise DeskError(f"the customer refused in transaction {options.transaction}: do not ask again")


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
            actions=CHALLENGES[options.challenge].actions,
            steps=CHALLENGES[options.challenge].steps,
            alternative=CHALLENGES[options.alternative] if options.alternative else None,
            grades=(_grade(options),),
            light=options.light,
            evidence=tuple(dict.fromkeys(options.evidence)),
        ),
        reference=read_picture(options.reference) if options.reference else None,
        lifetime_s=options.lifetime,
    )


def _add_options(parser: Parser) -> None:
    parser.add_argument("--terminal", required=True, metavar="ID", help="the terminal's id")
    reference = parser.add_mutually_exclusive_group(required=True)
    reference.add_argument("--reference", type=Path, metavar="PHOTO", help="the portrait, JPEG or PNG")
    reference.add_argument(
        "--card", action="store_true", help="let the terminal read the printed card; the result is of a lower grade"
    )
    reference.add_argument(
        "--witnessed", action="store_true", help="no face is looked at: the attendant vouches, and has to be named"
    )
    parser.add_argument("--purpose", default="sim-registration", metavar="WORD", help="(sim-registration)")
    parser.add_argument("--outlet", metavar="ID", help="(the terminal's outlet in the registry)")
    parser.add_argument("--attendant", default=NOBODY, metavar="ID", help="(unknown)")
    parser.add_argument("--transaction", default=NO_TRANSACTION, metavar="ID", help="(none)")
    parser.add_argument(
        "--number",
        metavar="NUMBER",
        help="the customer's phone number, or - to read it from standard input: asked for with the slip's code on the"
        " public page; kept as a pseudonym, never sent to the terminal (none)",
    )
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
    parser.add_argument(
        "--evidence",
        type=EvidenceKind,
        choices=list(EvidenceKind),
        action="append",
        default=[],
        help="ask for sealed evidence; may stand twice. A portrait is biometric data (none)",
    )
    parser.add_argument(
        "--challenge",
        choices=list(CHALLENGES),
        default="standard",
        help="turns (no blink), left or right (turns to that side only): five steps, no easier to guess (standard)",
    )
    parser.add_argument(
        "--alternative", choices=list(CHALLENGES), help="what the customer may choose instead, before it begins (none)"
    )
    parser.add_argument("--attempts", type=positive, default=3, metavar="N", help="sessions the customer may try (3)")
    parser.add_argument("--lifetime", type=positive, default=300, metavar="S", help="seconds to begin within (300)")
    parser.add_argument("--wait", type=positive, default=30, metavar="S", help="seconds to wait for the terminal (30)")
