"""Accounts of the console: who may do what, passwords under argon2id, one-time links instead of a first password."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from central.database import Database
from central.web.store import Store

NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?")
PASSWORD_CHARACTERS = range(12, 257)
LINK_S = 24 * 3600
HASHING_AT_ONCE = threading.Semaphore(2)
"""Each takes 64 MiB: whoever sends passwords by the hundred must not take all memory."""


class AccountError(ValueError):
    """An account cannot be made or changed so; the message is one line."""


class Permission(StrEnum):
    """What a role may do."""

    READ = auto()
    EXAMINE = auto()
    DECIDE = auto()
    ADMINISTER = auto()


class Role(StrEnum):
    """Whoever keeps the accounts sees no pseudonyms and decides nothing, and the other way round."""

    VIEWER = "viewer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def permissions(self) -> frozenset[Permission]:
        """What it may do."""
        return _PERMISSIONS[self]


_PERMISSIONS = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.AUDITOR: frozenset({Permission.READ, Permission.EXAMINE, Permission.DECIDE}),
    Role.ADMINISTRATOR: frozenset({Permission.READ, Permission.ADMINISTER}),
}


@dataclass(frozen=True, slots=True)
class Account:
    """One account; `ready` says whether a password was chosen."""

    name: str
    role: Role
    ready: bool
    disabled: bool
    added: int

    def may(self, permission: Permission) -> bool:
        """Whether its role allows it."""
        return permission in self.role.permissions


class Accounts:
    """The accounts of a store."""

    def __init__(self, store: Store, wall: Callable[[], float], hasher: PasswordHasher | None = None) -> None:
        self._store, self._wall, self._hasher = store, wall, hasher or PasswordHasher()

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe())

    def add(self, name: str, role: Role) -> None:
        """Adds an account without a password; raises AccountError."""
        if not NAME.fullmatch(name):
            raise AccountError(
                "a name is 1 to 32 of a-z, 0-9, dot, dash and underscore, and begins and ends with a-z0-9"
            )
        with self._store.transaction() as database:
            if _rows_of(database, name):
                raise AccountError(f"there is an account {name} already")
            row = (name, role.value, None, False, int(self._wall()))
            database.rows("INSERT INTO accounts VALUES (?, ?, ?, ?, ?)", *row)

    def get(self, name: str) -> Account:
        """The account of this name; raises AccountError."""
        with self._store.transaction() as database:
            return _existing(database, name)

    def all(self) -> list[Account]:
        """Every account, by name."""
        with self._store.transaction() as database:
            return [_account(row) for row in database.rows(f"{_SELECT} ORDER BY name")]

    def invite(self, name: str) -> str:
        """Returns the token of a new one-time link; older ones of the account are void. Raises AccountError."""
        token = secrets.token_urlsafe(32)
        with self._store.transaction() as database:
            if _existing(database, name).disabled:
                raise AccountError(f"{name} is disabled: enable it first")
            database.rows("DELETE FROM links WHERE account = ? OR expires <= ?", name, int(self._wall()))
            database.rows("INSERT INTO links VALUES (?, ?, ?)", digest_of(token), name, int(self._wall()) + LINK_S)
        return token

    def invited(self, token: str) -> Account | None:
        """Whose one-time link it is; None when it was used, expired or never given."""
        with self._store.transaction() as database:
            return self._invited(database, token)

    def accept(self, token: str, password: str) -> Account | None:
        """Uses a one-time link to set the password; None when it no longer counts. Raises AccountError."""
        account = self.invited(token)
        if account is None:
            return None
        hashed = self._hash(account.name, password)
        with self._store.transaction() as database:
            account = self._invited(database, token)
            if account is not None:
                _set_password(database, account.name, hashed)
        return account

    def set_password(self, name: str, password: str) -> None:
        """Sets a password and ends every sign-in of the account; raises AccountError."""
        hashed = self._hash(name, password)
        with self._store.transaction() as database:
            _existing(database, name)
            _set_password(database, name, hashed)

    def check(self, name: str, password: str) -> Account | None:
        """The account when the password is right; takes as long when there is no such account."""
        with self._store.transaction() as database:
            rows = _rows_of(database, name)
        account, known = (_account(rows[0]), rows[0][2]) if rows else (None, None)
        try:
            with HASHING_AT_ONCE:
                self._hasher.verify(known or self._nobodys, password[: PASSWORD_CHARACTERS.stop])
        except (Argon2Error, InvalidHashError):
            return None
        return account if known and account and not account.disabled else None

    def disable(self, name: str, *, disabled: bool = True) -> None:
        """Disables an account, which ends its sign-ins and links, or enables it again; raises AccountError."""
        with self._store.transaction() as database:
            account = _existing(database, name)
            others = "SELECT 1 FROM accounts WHERE role = ? AND NOT disabled AND password IS NOT NULL AND name <> ?"
            last = account.role is Role.ADMINISTRATOR and not database.rows(others, Role.ADMINISTRATOR.value, name)
            if disabled and last:
                raise AccountError(f"{name} is the last administrator who can sign in: add another one first")
            database.rows("UPDATE accounts SET disabled = ? WHERE name = ?", disabled, name)
            for table in ("links", "sign_ins"):
                database.rows(f"DELETE FROM {table} WHERE account = ?", name)  # noqa: S608 - names are ours

    def _invited(self, database: Database, token: str) -> Account | None:
        query = "SELECT account FROM links WHERE digest = ? AND expires > ?"
        rows = database.rows(query, digest_of(token), int(self._wall()))
        return _existing(database, rows[0][0]) if rows else None

    def _hash(self, name: str, password: str) -> str:
        if len(password) not in PASSWORD_CHARACTERS:
            raise AccountError(
                f"a password has {PASSWORD_CHARACTERS.start} to {PASSWORD_CHARACTERS.stop - 1} characters"
            )
        if name in password.lower() or len(set(password)) < 5:
            raise AccountError("too easy to guess: without the account's name, and of more than a few characters")
        with HASHING_AT_ONCE:
            return self._hasher.hash(password)


_SELECT = "SELECT name, role, password, disabled, added FROM accounts"


def digest_of(token: str) -> str:
    """What is kept of a secret that a browser holds."""
    return hashlib.sha256(token.encode()).hexdigest()


def account_of(database: Database, name: str) -> Account | None:
    """The account of this name, inside a transaction."""
    rows = _rows_of(database, name)
    return _account(rows[0]) if rows else None


def _rows_of(database: Database, name: str) -> list[tuple[str, str, str | None, bool, int]]:
    return database.rows(f"{_SELECT} WHERE name = ?", name)


def _existing(database: Database, name: str) -> Account:
    account = account_of(database, name)
    if account is None:
        raise AccountError(f"there is no account {name!r:.40}")
    return account


def _account(row: tuple[str, str, str | None, bool, int]) -> Account:
    return Account(row[0], Role(row[1]), row[2] is not None, bool(row[3]), row[4])


def _set_password(database: Database, name: str, hashed: str) -> None:
    database.rows("UPDATE accounts SET password = ? WHERE name = ?", hashed, name)
    for table in ("links", "sign_ins"):
        database.rows(f"DELETE FROM {table} WHERE account = ?", name)  # noqa: S608 - names are ours
