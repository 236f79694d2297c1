"""The console's own store: accounts, sign-ins, what people did, and counts; an SQLite file of its owner's alone.

Nothing of it is part of the record: without this file everybody needs a new account, and everything is counted anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from central.web.attempts import STEP as ATTEMPTS
from central.web.store import Store

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
        *ATTEMPTS,
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


def open_store(path: Path, wall: Callable[[], float]) -> Store:
    """Opens the file and brings it up to date; raises LedgerError."""
    return Store(path, wall, STEPS, APPEND_ONLY)
