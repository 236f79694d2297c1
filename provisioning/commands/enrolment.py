"""`token`, `enrol`, `serve`: how a terminal comes to be known, by file or over the network."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from datetime import timedelta
from pathlib import Path

from device.durable import PRIVATE, PUBLIC, replace_file
from device.wire.enrolment import MAX_DOCUMENT_BYTES, EnrolmentError
from provisioning.authority import open_authority
from provisioning.command_line import Add, add_authority, now, opened, opened_records, passphrase
from provisioning.issuing import answer_request
from provisioning.serving import Endpoint
from provisioning.tokens import make_token
from provisioning.vault import ProvisioningError


def add_enrolment_commands(add: Add) -> None:
    """Adds the commands."""
    text = "Make a one-time token for a terminal; one before it that was not used is void."
    token = add("token", _token, text, "shop-17 --server 192.0.2.10:8443 --out token")
    token.add_argument("id", metavar="ID", help="the terminal")
    token.add_argument("--server", type=address, metavar="HOST:PORT", help="where `serve` answers the terminals")
    token.add_argument("--hours", type=int, default=168, metavar="N", help="how long it is good for (168: a week)")
    token.add_argument("--out", type=Path, metavar="FILE", help="write it here, mode 0600, instead of printing it")
    add_authority(token)
    text = "Answer a request that was carried here by file. The same request gets the same answer."
    enrol = add("enrol", _enrol, text, "request.json --out bundle.json")
    enrol.add_argument("request", type=Path, metavar="REQUEST", help="what likeness-terminal enrol --out wrote")
    enrol.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the bundle goes: carry it back")
    _add_days(enrol)
    add_authority(enrol)
    text = "Answer terminals over the network until stopped. They know this server by the hash in their token."
    serve = add("serve", _serve, text, "--listen 0.0.0.0:8443")
    serve.add_argument("--listen", type=address, required=True, metavar="ADDRESS:PORT", help="where to listen")
    _add_days(serve)
    add_authority(serve)


def address(text: str) -> tuple[str, int]:
    """Parses HOST:PORT."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _add_days(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=int, default=30, metavar="N", help="how long certificates serve (30)")


def _lifetime(options: argparse.Namespace) -> timedelta:
    if not 1 <= options.days <= 365:
        raise ProvisioningError(f"--days {options.days}: give 1 to 365")
    return timedelta(days=options.days)


def _token(options: argparse.Namespace) -> None:
    if not 1 <= options.hours <= 24 * 90:
        raise ProvisioningError(f"--hours {options.hours}: give 1 to {24 * 90}")
    with opened(options) as (authority, records):
        token = make_token(authority, records, options.id, now(), timedelta(hours=options.hours), options.server)
    if options.out is None:
        print(token.text())
        return
    replace_file(options.out, token.text().encode() + b"\n", PRIVATE)
    print(f"{options.out}: token for {token.terminal}, good for {options.hours} hours, once")


def _enrol(options: argparse.Namespace) -> None:
    with options.request.open("rb") as file:
        raw = file.read(MAX_DOCUMENT_BYTES + 1)
    with opened(options) as (authority, records):
        try:
            answered = answer_request(authority, records, raw, now(), _lifetime(options))
        except (EnrolmentError, ProvisioningError) as error:
            raise ProvisioningError(f"{options.request}: {error}") from None
    changed = replace_file(options.out, answered.bundle, PUBLIC)
    done = "nothing changed" if answered.repeated and not changed else "carry it to the terminal"
    print(f"{options.out}: {answered.terminal}, chain epoch {answered.epoch}: {done}")


def _serve(options: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    authority = open_authority(options.authority, passphrase(options))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (
        opened_records(options) as records,
        Endpoint(options.authority, authority, records, options.listen, lifetime=_lifetime(options)) as endpoint,
    ):
        print(f"listening on {endpoint.address[0]}:{endpoint.address[1]}, certificate {authority.pin}", flush=True)
        stop.wait()
