"""`pseudonym`: the name under which a subject stands in requests and in the ledger."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from central.commands.options import Commands
from central.subjects import SubjectError, pseudonym, read_pseudonym_key, write_pseudonym_key
from device.settings import SettingsError

NAME = "pseudonym"
TEXT = (
    "Prints the pseudonym of a document for `request --subject`. Country and number of the document are read from"
    " standard input, or asked for without showing them: on a command line other users could see them."
)


def add(commands: Commands) -> None:
    """Declares the command."""
    example = f"example: likeness-central {NAME} --key subjects.key --new-key, once; then without --new-key"
    added = commands.add_parser(NAME, help="Prints the pseudonym of a document.", description=TEXT, epilog=example)
    added.add_argument("--key", type=Path, required=True, metavar="FILE", help="the key of pseudonyms, of mode 0600")
    text = "make the key first, where there is none; with another key everybody has another pseudonym"
    added.add_argument("--new-key", action="store_true", help=text)
    added.set_defaults(command=_pseudonym)


def _pseudonym(options: argparse.Namespace) -> int:
    if options.new_key:
        write_pseudonym_key(options.key)
        print(f"{options.key}: made: keep a backup, apart from the ledger's", file=sys.stderr)
    key = read_pseudonym_key(options.key)
    document = getpass.getpass("Country and number of the document: ") if sys.stdin.isatty() else sys.stdin.read(1000)
    try:
        print(pseudonym(key, document))
    except SubjectError as error:
        raise SettingsError([str(error)]) from None
    return 0
