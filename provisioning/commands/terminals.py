"""`terminal add`, `list`, `revoke`, `rotate`, `label`: the terminals that the authority knows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from device.wire.fields import Name
from device.wire.topics import Leaf, topic
from provisioning.command_line import Add, add_authority, now, opened, opened_records
from provisioning.mosquitto import CENTRAL
from provisioning.records import Records, TerminalRecord
from provisioning.revoking import revoke
from provisioning.vault import ProvisioningError

DUE_DAYS = 10


def add_terminal_commands(add: Add) -> None:
    """Adds the commands."""
    terminal = add(
        "terminal", _add_terminal, "Make a terminal known. Safe to repeat.", "add shop-17 --outlet jakarta-04"
    )
    terminal.add_argument("action", choices=["add"], help="what to do")
    terminal.add_argument("id", metavar="ID", help="1 to 32 of a-z, 0-9 and inner hyphens")
    terminal.add_argument("--outlet", required=True, metavar="NAME", help="the outlet it stands in")
    add_authority(terminal, secret=False)
    shown = add("list", _list, "List terminals: outlet, chain epoch, certificate, and what to do.", "--json")
    shown.add_argument("--json", action="store_true", help="print JSON")
    add_authority(shown, secret=False)
    text = "Revoke a terminal: its results are quarantined, and the broker refuses it. A new token brings it back."
    gone = add("revoke", _revoke, text, "shop-17")
    gone.add_argument("id", metavar="ID", help="the terminal")
    add_authority(gone)
    text = "Order new result and unsealing keys of a terminal: a new chain epoch. (Certificates renew themselves.)"
    rotate = add("rotate", _rotate, text, "shop-17")
    rotate.add_argument("id", metavar="ID", help="the terminal")
    add_authority(rotate, secret=False)
    label = add(
        "label", _label, "Write a label to print: serial, id, and a QR code of both.", "shop-17 --out label.pdf"
    )
    label.add_argument("id", metavar="ID", help="the terminal")
    label.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .pdf or .png file")
    add_authority(label, secret=False)


def _add_terminal(options: argparse.Namespace) -> None:
    _check_names(options.id, options.outlet)
    with opened_records(options) as records:
        before = {record.id: record for record in records.terminals()}.get(options.id)
        if before is not None and before.outlet == options.outlet:
            print(f"{before.label} {before.id}, outlet {before.outlet}: nothing changed")
            return
        with records.change() as database:
            statement = "INSERT INTO terminals (id, outlet) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET outlet = ?"
            database.execute(statement, (options.id, options.outlet, options.outlet))
        made = records.terminal(options.id)
    moved = f"moved from {before.outlet}" if before is not None else "added"
    print(f"{made.label} {made.id}, outlet {made.outlet}: {moved}")


def _check_names(terminal: str, outlet: str) -> None:
    try:
        topic(terminal, Leaf.STATUS)
    except ValueError as error:
        raise ProvisioningError(f"{terminal!r:.60}: {error}") from None
    if terminal.startswith(CENTRAL):
        raise ProvisioningError(f"{terminal}: names that begin with {CENTRAL!r} are central's own")
    try:
        TypeAdapter(Name).validate_python(outlet)
    except ValidationError:
        raise ProvisioningError(f"{outlet!r:.80}: an outlet has 1 to 64 of letters, digits and ._:/+-") from None


def _list(options: argparse.Namespace) -> None:
    with opened_records(options) as records:
        rows = [_row(records, record) for record in records.terminals()]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        until = row["certificate_until"] or "-"
        print(f"{row['serial']}  {row['id']:32}  {row['outlet']:20}  epoch {row['epoch']}  {until:10}  {row['state']}")
    print(f"{len(rows)} terminals")


def _row(records: Records, record: TerminalRecord) -> dict[str, Any]:
    until = records.certificate_until(record.id)
    state = "enrolled"
    if record.epoch == 0:
        state = "not enrolled: make a token"
    elif record.revoked:
        state = "revoked"
    elif until is None or until <= now():
        state = "certificate expired: enrol with a new token, or rotate by file"
    elif (until - now()).days < DUE_DAYS:
        state = "certificate nearly over: is the terminal switched on?"
    elif record.new_keys_ordered:
        state = "new keys ordered"
    shown = None if until is None else f"{until:%Y-%m-%d}"
    return {
        "serial": record.label,
        "id": record.id,
        "outlet": record.outlet,
        "epoch": record.epoch,
        "certificate_until": shown,
        "state": state,
    }


def _revoke(options: argparse.Namespace) -> None:
    with opened(options) as (_, records):
        changed = revoke(records, options.id, now())
    print(f"{options.id}: " + ("revoked: give registry.yaml to central, crl.pem to the broker" if changed else _SAME))


def _rotate(options: argparse.Namespace) -> None:
    with opened_records(options) as records:
        record = records.terminal(options.id)
        if record.epoch == 0 or record.revoked:
            raise ProvisioningError(f"{record.id} is not enrolled: likeness-provision token {record.id} comes first")
        with records.change() as database:
            database.execute("UPDATE terminals SET new_keys_ordered = 1 WHERE id = ?", (record.id,))
    done = _SAME if record.new_keys_ordered else _ORDERED
    print(f"{record.id}: {done}")


def _label(options: argparse.Namespace) -> None:
    with opened_records(options) as records:
        record = records.terminal(options.id)
        keys = records.result_keys(record.id)
    if not keys:
        raise ProvisioningError(f"{record.id} is not enrolled: a label names its key, enrol it first")
    from provisioning.label import write_label  # noqa: PLC0415  only who prints labels needs its packages

    changed = write_label(options.out, record, keys[0])
    print(f"{options.out}: " + ("written" if changed else _SAME))


_SAME = "nothing changed"
_ORDERED = "new keys ordered: the terminal makes them at its next renewal, or at once by likeness-terminal rotate --now"
