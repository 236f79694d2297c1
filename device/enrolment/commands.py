"""`likeness-terminal enrol` and `rotate`: what they take, and what they tell the technician."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from device.command_line import Add
from device.config import load_terminal
from device.durable import PUBLIC, alone, replace_file, shred
from device.enrolment.generations import Generations
from device.enrolment.identity import BUNDLE, certificate_of, installed_identity, read_trust
from device.enrolment.network import NewKeysOrderedError, ask
from device.enrolment.steps import finish, is_enrolled_by, prepare_enrolment, prepare_rotation, renewal_due
from device.wire.enrolment import (
    MAX_DOCUMENT_BYTES,
    EnrolmentError,
    IdentityClaims,
    Server,
    Token,
    read_token,
)

Value = TypeVar("Value")


def add_enrolment_commands(add: Add) -> None:
    """Adds `enrol` and `rotate`."""
    text = "Make this terminal's keys and have the authority know them: over the network, or by file. Safe to repeat."
    enrol = add(
        "enrol", _enrol, text, "--config /etc/likeness/terminal.yaml --token-file /boot/firmware/likeness/token"
    )
    enrol.add_argument("--config", type=Path, required=True, metavar="FILE", help="the terminal's configuration (YAML)")
    source = enrol.add_mutually_exclusive_group(required=True)
    source.add_argument("--token-file", type=Path, metavar="FILE", help="the token that the authority made")
    source.add_argument("--bundle", type=Path, metavar="FILE", help="the authority's answer to a request carried there")
    enrol.add_argument("--out", type=Path, metavar="FILE", help="write the request here instead of using the network")
    enrol.add_argument("--erase-token", action="store_true", help="overwrite the token's file once it was used")
    text = (
        "Renew the certificate when a third of its life is left; --new-keys begins a new chain epoch. Safe to repeat."
    )
    rotate = add("rotate", _rotate, text, "--config /etc/likeness/terminal.yaml")
    rotate.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="the terminal's configuration (YAML)"
    )
    rotate.add_argument("--new-keys", action="store_true", help="make new result and unsealing keys, too")
    rotate.add_argument("--now", action="store_true", help="do not wait until the certificate is nearly over")
    rotate.add_argument("--out", type=Path, metavar="FILE", help="write the request here instead of using the network")


def _enrol(parsed: argparse.Namespace) -> int:
    return _alone(parsed, _run_enrol)


def _rotate(parsed: argparse.Namespace) -> int:
    return _alone(parsed, _run_rotate)


def _run_enrol(parsed: argparse.Namespace, generations: Generations) -> None:
    if parsed.bundle is not None:
        bundle = _read(parsed.bundle)
        if not _is_installed(generations, bundle):
            _told(parsed.bundle, lambda: _report(finish(generations, bundle, datetime.now(UTC))))
        return
    text = _read(parsed.token_file).decode(errors="replace")
    token = _told(parsed.token_file, lambda: read_token(text))
    if is_enrolled_by(generations, token) and generations.current is not None:
        print(f"{_shown(installed_identity(generations.current))}. Enrolled already: nothing changed")
    else:
        request = prepare_enrolment(generations, token)
        if parsed.out is not None:
            _hand_out(request, parsed.out)
            return
        _report(finish(generations, ask(_server(token), request), datetime.now(UTC)))
    if parsed.erase_token:
        shred(parsed.token_file)


def _run_rotate(parsed: argparse.Namespace, generations: Generations) -> None:
    now = datetime.now(UTC)
    due, until = renewal_due(generations, now)
    if not (due or parsed.now or parsed.new_keys or generations.pending):
        print(f"the certificate serves until {until:%Y-%m-%d}: nothing changed")
        return
    request = prepare_rotation(generations, new_keys=parsed.new_keys)
    if parsed.out is not None:
        _hand_out(request, parsed.out)
        return
    server = None if generations.current is None else read_trust(generations.current).server
    if server is None:
        raise EnrolmentError("the token named no server: use --out FILE and carry the request to the authority")
    try:
        bundle = ask(server, request)
    except NewKeysOrderedError:
        bundle = ask(server, prepare_rotation(generations, new_keys=True))
    _report(finish(generations, bundle, now))


def _server(token: Token) -> Server:
    if token.server is None:
        raise EnrolmentError("the token names no server: use --out FILE and carry the request to the authority")
    return token.server


def _is_installed(generations: Generations, bundle: bytes) -> bool:
    """Whether this very bundle is in use: the run before was cut after its last step."""
    current = generations.current
    if current is None or generations.pending is not None or (current / BUNDLE).read_bytes() != bundle:
        return False
    print(f"{_shown(installed_identity(current))}. Installed already: nothing changed")
    return True


def _hand_out(request: bytes, place: Path) -> None:
    replace_file(place, request, PUBLIC)
    print(f"{place}: carry it to the authority, and there: likeness-provision enrol {place.name} --out bundle.json")
    print("then here: likeness-terminal enrol --config FILE --bundle bundle.json")


def _report(identity: IdentityClaims) -> None:
    print(f"{_shown(identity)}. Installed: restart the terminal's service")


def _shown(identity: IdentityClaims) -> str:
    until = certificate_of(identity).not_valid_after_utc
    return f"terminal {identity.aud}, chain epoch {identity.epoch}, certificate until {until:%Y-%m-%d}"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_DOCUMENT_BYTES + 1)


def _told(path: Path, step: Callable[[], Value]) -> Value:
    """Names the file in the fault of a step."""
    try:
        return step()
    except EnrolmentError as error:
        raise EnrolmentError(f"{path}: {error}") from None


def _alone(parsed: argparse.Namespace, step: Callable[[argparse.Namespace, Generations], None]) -> int:
    """Runs a step unless another is under way; a fault of the disk is one line, and the next run goes on from there."""
    keys = load_terminal(parsed.config)[0].keys
    try:
        keys.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(keys.with_name(f"{keys.name}.lock")) as held:
            if not held:
                raise EnrolmentError(f"{keys}: another enrolment or renewal is under way: wait for it")
            step(parsed, Generations(keys))
    except OSError as error:
        raise EnrolmentError(f"{error.filename or 'disk'}: {error.strerror}: mend it, then run again") from None
    return 0
