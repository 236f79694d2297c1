"""The embedded ledger: an SQLite file of its owner's alone, safe on the disk after each transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from central.database import Columns, LedgerError, Row

CACHE_KIB = 64 * 1024
READERS_SHARE = 4
"""Whoever only reads keeps less in memory: there are several of them."""
PAGE_BYTES = 8192
"""Three results to a page; of half that size, a page would hold one and be half empty."""


class SqliteDatabase:
    """An SQLite file, made when missing."""

    types = {"number": "INTEGER", "bytes": "BLOB", "whole": ""}  # noqa: RUF012 - never changed

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens the file; raises LedgerError."""
        self.place = str(path)
        if read_only:
            self._open_to_read(path)
            return
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise LedgerError(f"{path}: the ledger cannot be opened: {error.strerror}") from None
        # One thread at a time, but not always the same: the receiver writes in a thread of its own.
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        try:
            self.rows(f"PRAGMA page_size = {PAGE_BYTES}")  # of a file that is still empty
            self.rows("PRAGMA journal_mode = WAL")
            self.rows("PRAGMA synchronous = FULL")
            self.rows("PRAGMA foreign_keys = ON")
            self.rows(f"PRAGMA cache_size = -{CACHE_KIB}")
        except BaseException:
            self._connection.close()
            raise

    def _open_to_read(self, path: Path) -> None:
        with self._typed_errors():
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro",
                uri=True,
                isolation_level=None,
                timeout=30,
                check_same_thread=False,
            )
        self.rows("PRAGMA query_only = ON")
        self.rows(f"PRAGMA cache_size = -{CACHE_KIB // READERS_SHARE}")

    def rows(self, query: str, *values: object) -> list[Row]:
        """See Database."""
        with self._typed_errors():
            return self._connection.execute(query, values).fetchall()

    def rows_given(self, columns: Columns, given: Sequence[Row], query: str, *values: object) -> list[Row]:
        """See Database."""
        if not given:
            return []
        row = f"({','.join('?' * len(columns))})"
        names = ", ".join(f'"{name}"' for name in columns)
        table = f"WITH given({names}) AS (VALUES {','.join([row] * len(given))}) "
        return self.rows(table + query, *chain.from_iterable(given), *values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Database."""
        self.rows("BEGIN IMMEDIATE")
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self.rows("ROLLBACK")
            raise

    def forbid_changes(self, table: str) -> None:
        """See Database."""
        for event in ("UPDATE", "DELETE"):
            self.rows(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table}"
                f" BEGIN SELECT raise(ABORT, '{table} is append-only'); END"
            )

    def close(self) -> None:
        """See Database."""
        self._connection.close()

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(f"{self.place}: the ledger cannot be used: {error}") from error
