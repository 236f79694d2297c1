"""`console`: serves the auditors' web pages, and keeps their accounts."""

from __future__ import annotations

import argparse
import getpass
import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from central.commands.options import BAD_INPUT, TRY_AGAIN, Commands, declare
from central.config import CentralSettings, load_central
from device.settings import SettingsError

if TYPE_CHECKING:
    from central.console.accounts import Accounts

CHANGES = ("link", "password", "disable", "enable")


def add(commands: Commands) -> None:
    """Declares the command."""
    console = declare(
        commands,
        "console",
        _console,
        "Serves the console, web pages for auditors, on 127.0.0.1 until stopped (Ctrl-C); or keeps its accounts."
        " There is none to begin with: `console --config FILE account add NAME --role administrator` prints a"
        " one-time link.",
        "--config central.yaml",
        when_unavailable=TRY_AGAIN,
    )
    parts = console.add_subparsers(metavar="account")
    account = parts.add_parser("account", help="adds, lists and changes accounts")
    account.set_defaults(when_unavailable=BAD_INPUT)
    actions = account.add_subparsers(required=True, metavar="ACTION")
    added = actions.add_parser("add", help="adds an account and prints a one-time link, or asks for its password")
    added.add_argument("name", metavar="NAME")
    added.add_argument("--role", required=True, choices=["viewer", "auditor", "administrator"])
    added.add_argument("--password", action="store_true", help="ask for a password here instead")
    added.set_defaults(command=_add)
    listed = actions.add_parser("list", help="lists the accounts")
    listed.set_defaults(command=_list)
    for name, summary in zip(CHANGES, _SUMMARIES, strict=True):
        changed = actions.add_parser(name, help=summary)
        changed.add_argument("name", metavar="NAME")
        changed.set_defaults(command=_change, action=name)


_SUMMARIES = (
    "prints a new one-time link; the ones before are void",
    "asks for a new password",
    "disables an account and ends its sign-ins",
    "enables an account again",
)


def _console(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    try:
        from central.console.server import Server  # noqa: PLC0415 - needs an extra
    except ImportError as error:
        raise _missing(error) from error
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    server = Server(settings)
    # uvicorn ends in order and then raises the signal once more, for whoever listened before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    if not server.house.accounts.all():
        name = options.config
        print(f"nobody has an account: likeness-central console --config {name} account add NAME --role administrator",
              file=sys.stderr)  # fmt: skip
    print(f"The console is at {settings.console.origin}", flush=True)
    server.run()
    return 0


@contextmanager
def _accounts(options: argparse.Namespace) -> Iterator[tuple[CentralSettings, Accounts]]:
    settings = load_central(options.config)
    try:
        from central.console.accounts import AccountError, Accounts  # noqa: PLC0415 - needs an extra
        from central.console.store import open_store  # noqa: PLC0415
    except ImportError as error:
        raise _missing(error) from error
    store = open_store(settings.console.store, time.time)
    try:
        yield settings, Accounts(store, time.time)
    except AccountError as error:
        raise SettingsError([str(error)]) from None
    finally:
        store.close()


def _add(options: argparse.Namespace) -> int:
    from central.console.accounts import Role  # noqa: PLC0415 - needs an extra

    with _accounts(options) as (settings, accounts):
        accounts.add(options.name, Role(options.role))
        if options.password:
            accounts.set_password(options.name, _asked())
        else:
            _print_link(settings, accounts, options.name)
    return 0


def _list(options: argparse.Namespace) -> int:
    with _accounts(options) as (_, accounts):
        for account in accounts.all():
            state = "disabled" if account.disabled else "" if account.ready else "waits for its first sign-in"
            print(f"{account.name}  {account.role}  {state}".rstrip())
    return 0


def _change(options: argparse.Namespace) -> int:
    with _accounts(options) as (settings, accounts):
        if options.action == "link":
            _print_link(settings, accounts, options.name)
        elif options.action == "password":
            accounts.get(options.name)
            accounts.set_password(options.name, _asked())
        else:
            accounts.disable(options.name, disabled=options.action == "disable")
    return 0


def _print_link(settings: CentralSettings, accounts: Accounts, name: str) -> None:
    print(f"{settings.console.origin}/welcome/{accounts.invite(name)}")
    print("A one-time link: it counts once, for 24 hours.", file=sys.stderr)


def _asked() -> str:
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise SettingsError(["the two passwords differ: nothing was changed"])
    return password


def _missing(error: ImportError) -> SettingsError:
    return SettingsError([f"the console needs {error.name}: pip install 'likeness[central,console]'"])
