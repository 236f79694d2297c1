"""What the commands share: how one is added, where the authority is, and how its passphrase is asked for."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from device.settings import read_private_file
from provisioning.authority import OpenAuthority, open_authority
from provisioning.records import Records
from provisioning.revoking import refresh_crl
from provisioning.vault import ProvisioningError

Command: TypeAlias = Callable[[argparse.Namespace], int | None]
"""Does what was asked for; returns the exit code, None for 0."""
Add: TypeAlias = Callable[[str, Command, str, str], argparse.ArgumentParser]
"""Adds a command: its name, what it does, its description, and the arguments of its example."""


def now() -> datetime:
    """This computer's time."""
    return datetime.now(UTC)


def number(most: int) -> Callable[[str], int]:
    """Returns what parses a whole number from 1 to `most`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text[:12]) <= most:
            raise argparse.ArgumentTypeError(f"{text!r:.20}: must be 1 to {most}")
        return int(text)

    return parse


def add_authority(parser: argparse.ArgumentParser, *, secret: bool = True, note: str = "") -> None:
    """Adds `--authority`, and what opens its vault for a command that signs."""
    text = f"the authority's folder (./authority){note}"
    parser.add_argument("--authority", type=Path, default=Path("authority"), metavar="DIR", help=text)
    if secret:
        add_passphrase(parser)


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    """Adds `--passphrase-file`."""
    text = "read the passphrase from this file (mode 0600) instead of asking for it"
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help=text)


def passphrase(options: argparse.Namespace, *, new: bool = False) -> str:
    """The passphrase, from the file or from whoever sits there; a new one is asked for twice."""
    if options.passphrase_file is not None:
        return read_private_file(options.passphrase_file).decode(errors="replace").strip()
    given = getpass.getpass("Passphrase of the authority: ")
    if new and getpass.getpass("The same again: ") != given:
        raise ProvisioningError("the two passphrases differ: run again")
    return given


@contextmanager
def opened_records(options: argparse.Namespace) -> Iterator[Records]:
    """The records alone, for a command that signs nothing."""
    if not options.authority.is_dir():
        raise ProvisioningError(f"{options.authority}: no such folder: name the authority's with --authority DIR")
    records = Records(options.authority)
    try:
        yield records
    finally:
        records.close()


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[tuple[OpenAuthority, Records]]:
    """The authority with its records; the list of revoked certificates is up to date before and after."""
    authority = open_authority(options.authority, passphrase(options))
    with opened_records(options) as records:
        refresh_crl(options.authority, authority, records, now())
        yield authority, records
        refresh_crl(options.authority, authority, records, now())
