"""The outbox: each result is signed, chained and on the disk before anybody hears of it, and stays until its receipt.

SQLite in WAL mode with synchronous=FULL: with less, a power cut could undo a place that was already published,
and the chain would fork. The head is read, the result signed and inserted, and the head advanced in one transaction.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from device.wire.chain import GENESIS, ChainHead, ChainPosition
from device.wire.claims import ResultClaims
from device.wire.envelope import Envelope, Kind, SigningKey, sign

DEFAULT_MAX_BYTES = 64 * 1024 * 1024
_PAGE_BYTES = 4096
_SESSION_PAGES = 16  # two results of the greatest length, the request's id and the tally, with their index pages
_SCHEMA = """
CREATE TABLE IF NOT EXISTS head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    terminal TEXT NOT NULL, kid TEXT NOT NULL,
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS results (
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, sha256 TEXT NOT NULL, envelope BLOB NOT NULL,
    PRIMARY KEY (epoch, seq)
) STRICT;
CREATE TABLE IF NOT EXISTS used_requests (id TEXT PRIMARY KEY, boot TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


class OutboxError(RuntimeError):
    """The outbox cannot be used; no session may start. The message is one line that says what to do."""


class OutboxCorruptError(OutboxError):
    """The database is damaged or is none."""


class OutboxReadOnlyError(OutboxError):
    """The database cannot be written."""


class OutboxFullError(OutboxError):
    """The disk, or the outbox's share of it, is full."""


class OutboxMismatchError(OutboxError):
    """The database belongs to another terminal or key."""


@dataclass(frozen=True, slots=True)
class WaitingResult:
    """A result without a receipt: its place, digest and envelope."""

    epoch: int
    seq: int
    sha256: str
    envelope: bytes = field(repr=False)


class Outbox:
    """The outbox of one terminal; every method may be called from any thread and raises OutboxError."""

    def __init__(
        self, path: Path, terminal: str, signer: SigningKey, *, epoch: int = 1, max_bytes: int = DEFAULT_MAX_BYTES
    ) -> None:
        """Opens or makes the database at `path`, mode 0600, of at most `max_bytes`."""
        self.on_append: Callable[[], None] = lambda: None
        self._path, self._signer, self._terminal = path, signer, terminal
        self._lock = threading.Lock()
        with self._typed_errors():
            try:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            except OSError as error:
                raise OutboxReadOnlyError(f"{path}: the outbox cannot be opened: {error.strerror}") from None
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            try:
                self._prepare(epoch, max_bytes)
            except BaseException:
                self._database.close()
                raise

    def append(
        self, build: Callable[[ChainPosition], ResultClaims], *, remember: Mapping[str, str] | None = None
    ) -> Envelope:
        """Signs what `build` makes for the next place and keeps it; `remember` is stored in the same transaction."""
        with self._transaction() as database:
            head = self._read_head()
            position = head.next()
            claims = build(position)
            if (claims.iss, claims.epoch, claims.seq, claims.prev) != (
                self._terminal,
                position.epoch,
                position.seq,
                position.prev,
            ):
                raise ValueError("the claims do not stand at the chain position they were built for")
            envelope = sign(Kind.RESULT, claims.write(), self._signer)
            row = (position.epoch, position.seq, envelope.sha256, envelope.raw)
            database.execute("INSERT INTO results VALUES (?, ?, ?, ?)", row)
            database.execute("UPDATE head SET seq = ?, sha256 = ?", (position.seq, envelope.sha256))
            self._remember(remember or {})
        self.on_append()
        return envelope

    def waiting(self, limit: int, after: tuple[int, int] = (-1, 0)) -> list[WaitingResult]:
        """Returns the oldest results without a receipt, from the place that follows `after` (epoch, seq)."""
        query = (
            "SELECT epoch, seq, sha256, envelope FROM results WHERE (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT ?"
        )
        with self._reading() as database:
            return [WaitingResult(*row) for row in database.execute(query, (*after, limit))]

    def depth(self) -> int:
        """How many results have no receipt."""
        with self._reading() as database:
            return int(database.execute("SELECT count(*) FROM results").fetchone()[0])

    def head(self) -> ChainHead:
        """The newest place of the chain."""
        with self._reading():
            return self._read_head()

    def remove(self, receipted: Iterable[tuple[int, int, str]]) -> int:
        """Removes results by (epoch, seq, sha256), all of which must agree; returns how many were there."""
        with self._transaction() as database:
            query = "DELETE FROM results WHERE epoch = ? AND seq = ? AND sha256 = ?"
            return database.executemany(query, receipted).rowcount

    def is_used(self, request: str) -> bool:
        """Whether `use` was called for this request id."""
        with self._reading() as database:
            return database.execute("SELECT 1 FROM used_requests WHERE id = ?", (request,)).fetchone() is not None

    def has_room(self) -> bool:
        """Whether the database may still grow by what a session can write."""
        with self._reading() as database:
            used, free, most = (
                int(database.execute(f"PRAGMA {what}").fetchone()[0])
                for what in ("page_count", "freelist_count", "max_page_count")
            )
        return most - used + free >= _SESSION_PAGES

    def use(self, request: str, boot: str) -> bool:
        """Marks a request id as used; False when it was already.

        Ids of other boots are dropped: their requests are refused for the boot alone.
        """
        with self._transaction() as database:
            database.execute("DELETE FROM used_requests WHERE boot <> ?", (boot,))
            added = database.execute("INSERT OR IGNORE INTO used_requests VALUES (?, ?)", (request, boot))
            return added.rowcount == 1

    def recall(self, name: str) -> str | None:
        """What was remembered under `name`: counters of attempts and failures that must survive a restart."""
        with self._reading() as database:
            row = database.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
            return None if row is None else str(row[0])

    def remember(self, values: Mapping[str, str]) -> None:
        """Keeps values by name, on the disk when this returns."""
        with self._transaction():
            self._remember(values)

    def close(self) -> None:
        """Closes the database; what was appended stays."""
        with self._lock:
            self._database.close()

    def _prepare(self, epoch: int, max_bytes: int) -> None:
        database = self._database
        if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise OutboxCorruptError(self._advice("is damaged"))
        if database.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise OutboxError(f"{self._path}: this file system cannot hold a write-ahead log: move the outbox")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA max_page_count = {max_bytes // _PAGE_BYTES}")
        database.executescript(_SCHEMA)
        fresh = (self._terminal, self._signer.kid, epoch, GENESIS)
        database.execute("INSERT OR IGNORE INTO head VALUES (1, ?, ?, ?, 0, ?)", fresh)
        held = database.execute("SELECT terminal, kid, epoch FROM head").fetchone()
        if tuple(held) != fresh[:3]:
            raise OutboxMismatchError(
                f"{self._path}: belongs to terminal {held[0]}, epoch {held[2]}, or to another result key: "
                "a new key needs a new chain epoch and a new outbox"
            )

    def _read_head(self) -> ChainHead:
        return ChainHead(*self._database.execute("SELECT epoch, seq, sha256 FROM head").fetchone())

    def _remember(self, values: Mapping[str, str]) -> None:
        query = "INSERT INTO memory VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self._database.executemany(query, values.items())

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._typed_errors():
            yield self._database

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._typed_errors():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first fault is the one to tell
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise OutboxCorruptError(self._advice("is damaged")) from error
            if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
                raise OutboxReadOnlyError(self._advice("cannot be written")) from error
            if code == sqlite3.SQLITE_FULL:
                raise OutboxFullError(self._advice("is full")) from error
            raise OutboxError(f"{self._path}: the outbox cannot be used: {error}") from error

    def _advice(self, fault: str) -> str:
        advice = {
            "is damaged": "keep the file for central's team and re-enrol the terminal with a new chain epoch",
            "cannot be written": "check the disk, its mount options and the owner of the file",
            "is full": "free space on the disk, or restore the connection so that results can leave",
        }
        return f"{self._path}: the outbox {fault}: {advice[fault]}"
