"""`authority init` and `central`: the authority itself, and what central gets from it."""

from __future__ import annotations

import argparse
from pathlib import Path

from device.durable import replace_file
from provisioning.authority import create, open_authority
from provisioning.command_line import Add, add_authority, add_passphrase, now, opened, opened_records, passphrase
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
    central.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write; move it to central")
    add_authority(central)


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
        changed = write_central(authority, records, options.out, (options.broker, options.port), now())
        changed |= _copy_registry(records, options)
    print(f"{options.out}: " + ("written: move it to central's host" if changed else "nothing changed"))


def _copy_registry(records: Records, options: argparse.Namespace) -> bool:
    records.write_registry()
    return replace_file(options.out / REGISTRY, (options.authority / REGISTRY).read_bytes(), 0o644)
