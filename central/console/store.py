"""The console's own store: accounts, sign-ins, what people did, and counts; an SQLite file of its owner's alone.

Nothing of it is part of the record: without this file everybody needs a new account, and everything is counted anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from central.database import Database, migrate
from central.sqlite import SqliteDatabase

STEPS = (
    (
        # Without a password until its owner chose one by a one-time link.
        """CREATE TABLE accounts (
            name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT, disabled BOOLEAN NOT NULL, added BIGINT NOT NULL
        )""",
        # Links and sign-ins are found by the digest of what the browser holds: whoever reads this file holds neither.
        "CREATE TABLE links (digest TEXT PRIMARY KEY, account TEXT NOT NULL, expires BIGINT NOT NULL)",
        """CREATE TABLE sign_ins (
            digest TEXT PRIMARY KEY, account TEXT NOT NULL, began BIGINT NOT NULL, used BIGINT NOT NULL
        )""",
        "CREATE TABLE attempts (about TEXT NOT NULL, at BIGINT NOT NULL)",
        "CREATE INDEX attempts_about ON attempts (about, at)",
        """CREATE TABLE acts (
            number {number} PRIMARY KEY, at BIGINT NOT NULL, account TEXT NOT NULL, address TEXT NOT NULL,
            act TEXT NOT NULL, about TEXT NOT NULL
        )""",
        """CREATE TABLE tallies (
            quarter BIGINT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, count BIGINT NOT NULL,
            PRIMARY KEY (quarter, kind, name)
        ) WITHOUT ROWID""",
        "CREATE TABLE progress (ledger TEXT PRIMARY KEY, number BIGINT NOT NULL)",
    ),
)
APPEND_ONLY = ("acts",)


class Store:
    """The file, for any number of threads; one at a time."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        """Opens the file and brings it up to date; raises LedgerError."""
        self._lock = threading.RLock()
        self._database = SqliteDatabase(path)
        try:
            migrate(self._database, int(wall()), STEPS, APPEND_ONLY)
        except BaseException:
            self._database.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """Everything inside is written together or not at all."""
        with self._lock, self._database.transaction():
            yield self._database

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()
