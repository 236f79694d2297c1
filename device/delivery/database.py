"""The outbox's file: SQLite, opened when it can be, its faults told apart, and opened again after one.

WAL mode with synchronous=FULL: with less, a power cut could undo a place that was already published, and the chain
would fork. What is deleted is overwritten (secure_delete).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

PAGE_BYTES = 4096
DISK_RESERVE_BYTES = 1024 * 1024
"""With less free on its disk the outbox counts as full: a session that began has to find room for its result."""
_LOG_PAGES = DISK_RESERVE_BYTES // PAGE_BYTES
"""From here on the log is emptied: SQLite's own 4 MB could take a small disk's last room, and never give it back."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


class OutboxState(StrEnum):
    """How it stands with the outbox; sessions begin in OK only."""

    OK = "ok"
    FULL = "full"
    READ_ONLY = "read-only"
    DAMAGED = "damaged"
    MISMATCH = "mismatch"
    FAULT = "fault"


class OutboxError(RuntimeError):
    """The outbox cannot be used; no session may start. The message is one line that says what to do."""

    state = OutboxState.FAULT


class OutboxCorruptError(OutboxError):
    """The database is damaged, is none, or is gone."""

    state = OutboxState.DAMAGED


class OutboxReadOnlyError(OutboxError):
    """The database cannot be written."""

    state = OutboxState.READ_ONLY


class OutboxFullError(OutboxError):
    """The disk, or the outbox's share of it, is full."""

    state = OutboxState.FULL


class OutboxMismatchError(OutboxError):
    """The database belongs to another terminal, key or epoch."""

    state = OutboxState.MISMATCH


_ADVICE = {
    "is damaged": "keep the file for central's team and give the terminal a new chain epoch (docs/delivery.md)",
    "cannot be written": "check the disk, its mount options and the owner of the file",
    "is full": "free space on the disk, or restore the connection so that results can leave",
    "was moved or replaced while it was in use": "put it back, or restart the terminal",
}


class Database:
    """The file at `path`, mode 0600, of at most `max_bytes`; any thread may use it.

    `prepare` is called inside a transaction each time the file was opened. `fault` is the last fault, until a
    transaction succeeds again: what can be read only is of no use.
    """

    def __init__(self, path: Path, max_bytes: int, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """Touches nothing yet: the file is opened with its first use."""
        self.path = path
        self.fault: OutboxError | None = None
        self._max_pages, self._prepare = max_bytes // PAGE_BYTES, prepare
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Gives the connection to read with; raises OutboxError."""
        with self._lock, self._typed_errors():
            yield self._opened()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Gives the connection to write with: all of it is on the disk when the block ends, or nothing."""
        with self._lock, self._typed_errors():
            with _transaction(self._opened()) as connection:
                yield connection
            self.fault = None

    def truncate_log(self) -> None:
        """Empties the write-ahead log, which still holds what was overwritten in the database."""
        with self._lock, self._typed_errors():
            self._opened().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def bytes_on_disk(self) -> int:
        """Size of the database and its log."""
        sizes = 0
        for name in (self.path, Path(f"{self.path}-wal")):
            with suppress(OSError):
                sizes += name.stat().st_size
        return sizes

    def bytes_free(self) -> int:
        """Room on the disk for a process without privileges; 0 when nobody can tell."""
        try:
            disk = os.statvfs(self.path.parent)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize

    def error(self, kind: type[OutboxError], fault: str) -> OutboxError:
        """The error that says what is wrong, and what to do."""
        return kind(f"{self.path}: the outbox {fault}: {_ADVICE[fault]}")

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        elif self._identity() != self._file:
            # SQLite would go on writing to a file that has no name any more.
            raise self.error(OutboxCorruptError, "was moved or replaced while it was in use")
        return self._connection

    def _open(self) -> sqlite3.Connection:
        # Once there was a file, a new one would begin the chain anew, unseen.
        create = os.O_CREAT if self._file is None else 0
        os.close(os.open(self.path, os.O_RDWR | create, 0o600))
        if self._file not in (None, self._identity()):
            raise self.error(OutboxCorruptError, "was moved or replaced while it was in use")
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        self._file = self._identity()
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise self.error(OutboxCorruptError, "is damaged")
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise OutboxError(f"{self.path}: this file system cannot hold a write-ahead log: move the outbox")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        connection.execute(f"PRAGMA max_page_count = {self._max_pages}")
        with _transaction(connection):
            self._prepare(connection)

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except OutboxError as error:
            self._note(error)
            raise
        except (sqlite3.Error, OSError) as error:
            typed = self._typed(error)
            self._note(typed)
            raise typed from error

    def _note(self, fault: OutboxError) -> None:
        self.fault = fault
        if fault.state is not OutboxState.FULL:
            self._close()  # a connection that was opened on a read-only disk would stay so
        elif self._connection is not None:  # it keeps its files, and the room that the log has is given back
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _typed(self, error: sqlite3.Error | OSError) -> OutboxError:
        if isinstance(error, OSError):
            if error.errno in _FULL:
                return self.error(OutboxFullError, "is full")
            if self._file is not None and error.errno == errno.ENOENT:
                return self.error(OutboxCorruptError, "was moved or replaced while it was in use")
            return OutboxReadOnlyError(f"{self.path}: the outbox cannot be opened: {error.strerror}: check the disk")
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self.error(OutboxCorruptError, "is damaged")
        # On a full disk the log's index cannot grow, which SQLite calls an input/output error.
        if code == sqlite3.SQLITE_FULL or self.bytes_free() < DISK_RESERVE_BYTES:
            return self.error(OutboxFullError, "is full")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
            return self.error(OutboxReadOnlyError, "cannot be written")
        return OutboxError(f"{self.path}: the outbox cannot be used: {error}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # the first fault is the one to tell
            connection.execute("ROLLBACK")
        raise
