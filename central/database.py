"""A database that keeps a ledger: SQLite or PostgreSQL behind the few words that the ledger needs.

SQL stands with `?` for values. Many rows at once are given as the table `given`: one statement for a batch, whatever
its length, which PostgreSQL takes as arrays and SQLite as a list of values.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from central.migrations import APPEND_ONLY, MIGRATIONS

Row = tuple[Any, ...]
Columns = dict[str, str]
"""Names and types of the columns of `given`: text, bigint, boolean or bytes."""
NONE_YET = "there is no ledger yet: start `likeness-central run` first"


class LedgerError(RuntimeError):
    """The ledger cannot be used; the message is one line."""


class Database(Protocol):
    """One connection; used by one thread at a time."""

    place: str
    types: dict[str, str]

    def rows(self, query: str, *values: object) -> list[Row]:
        """Runs one statement and returns its rows, none when it has none; raises LedgerError."""

    def rows_given(self, columns: Columns, given: Sequence[Row], query: str, *values: object) -> list[Row]:
        """Runs one statement that reads from `given`, unless that is empty; raises LedgerError."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside is written together or not at all, while no other transaction of a ledger runs."""

    def forbid_changes(self, table: str) -> None:
        """Lets the database refuse to change or delete rows of a table."""

    def close(self) -> None:
        """Closes the connection."""


def insert(database: Database, table: str, columns: Columns, rows: Sequence[Row]) -> None:
    """Adds rows; one that would break a unique key is left out and what is there stays."""
    if rows:
        names = ", ".join(f'"{name}"' for name in columns)
        # SQLite needs a condition here to know that ON CONFLICT is no join.
        query = f"INSERT INTO {table} ({names}) SELECT * FROM given WHERE true ON CONFLICT DO NOTHING"  # noqa: S608
        database.rows_given(columns, rows, query)


def check(database: Database, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Checks that the tables are at the newest step, without changing them; raises LedgerError."""
    done = database.rows("SELECT coalesce(max(number), 0) FROM migrations")[0][0]
    _refuse_newer(database, done, migrations)
    if done < len(migrations):
        raise LedgerError(f"{database.place}: this ledger is older: start `likeness-central run`, which updates it")


def _refuse_newer(database: Database, done: int, migrations: Sequence[Sequence[str]]) -> None:
    if done > len(migrations):
        raise LedgerError(f"{database.place}: this ledger was made by a newer version: update likeness")


def migrate(
    database: Database,
    now: int,
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
    append_only: Collection[str] = APPEND_ONLY,
) -> None:
    """Brings the tables to the newest step; raises LedgerError, also for a ledger that is newer than this program."""
    with database.transaction():
        database.rows("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, applied BIGINT NOT NULL)")
        done = database.rows("SELECT coalesce(max(number), 0) FROM migrations")[0][0]
        _refuse_newer(database, done, migrations)
        for number, statements in enumerate(migrations[done:], done + 1):
            for statement in statements:
                database.rows(statement.format(**database.types))
                table = statement.removeprefix("CREATE TABLE ").split(" ", 1)[0]
                if table in append_only:
                    database.forbid_changes(table)
            database.rows("INSERT INTO migrations VALUES (?, ?)", number, now)
