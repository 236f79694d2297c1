"""`authority init`, `central`, `evidence-key`: the authority itself, and what central and its auditor get from it."""

from __future__ import annotations

import argparse
from pathlib import Path

from device.durable import replace_file
from device.wire.keys import private_pem
from provisioning.authority import create, open_authority
from provisioning.command_line import (
    Add,
    add_authority,
    add_passphrase,
    now,
    number,
    opened,
    opened_records,
    passphrase,
)
from provisioning.exports import write_central
from provisioning.records import REGISTRY, Records
from provisioning.revoking import refresh_crl


def add_authority_commands(add: Add) -> None:
    """Adds the commands."""
    text = "Make an authority: root and issuing key, broker and client authorities, central's keys. Safe to repeat."
    init = add("authority", _init, text, "init ./authority")
    init.add_argument("action", choices=["init"], help="what to do")
    init.add_argument("folder", type=Path, metavar="DIR", help="where the authority is to live; keep a backup of it")
    init.add_argument("--name", default="likeness", metavar="NAME", help="its name, shown in certificates (likeness)")
    add_passphrase(init)
    text = "Write what a central server needs: keys, certificates and central.yaml. Renews what is nearly over."
    central = add("central", _central, text, "--broker broker.example.org --out ./central")
    central.add_argument("--broker", required=True, metavar="HOST", help="the broker's host name")
    central.add_argument("--port", type=int, default=8883, metavar="N", help="the broker's port (8883)")
    text = "how many processes of central share the results, as many as the broker was told of (1)"
    central.add_argument("--workers", type=number(64), default=1, metavar="N", help=text)
    central.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write; move it to central")
    add_authority(central)
    text = "Write the key that opens sealed evidence, for the auditor: central's receiving machine does without it."
    evidence = add("evidence-key", _evidence_key, text, "--out ./evidence.key")
    evidence.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="where to write; move it to the auditor"
    )
    add_authority(evidence)


def _init(options: argparse.Namespace) -> None:
    secret = passphrase(options, new=not (options.folder / "authority.vault").exists())
    changed = create(options.folder, secret, options.name, now())
    options.authority = options.folder
    with opened_records(options) as records:
        authority = open_authority(options.folder, secret)
        changed |= refresh_crl(options.folder, authority, records, now()) is not None
    print(f"authority {authority.name} in {options.folder}, root key {authority.root.kid}")
    print("nothing changed" if not changed else "made: keep a backup of authority.vault and records.sqlite")


def _central(options: argparse.Namespace) -> None:
    with opened(options) as (authority, records):
        broker = (options.broker, options.port)
        changed = write_central(authority, records, options.out, broker, options.workers, now())
        changed |= _copy_registry(records, options)
    print(f"{options.out}: " + ("written: move it to central's host" if changed else "nothing changed"))


def _evidence_key(options: argparse.Namespace) -> None:
    with opened(options) as (authority, _):
        changed = replace_file(options.out, private_pem(authority.evidence))
    print(f"{options.out}: " + ("written, of mode 0600: move it to the auditor" if changed else "nothing changed"))


def _copy_registry(records: Records, options: argparse.Namespace) -> bool:
    records.write_registry()
    return replace_file(options.out / REGISTRY, (options.authority / REGISTRY).read_bytes(), 0o644)
