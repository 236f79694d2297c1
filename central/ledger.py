"""The ledger: an append-only journal of every result that central took into custody.

Plain SQL that PostgreSQL knows as well. `journal` has one row for each envelope, in the order of custody;
`results` holds the accepted envelopes and what reports ask for, `quarantine` the distrusted ones, apart. A place
in a chain is given to one linked row only. What cannot be verified at all is counted in `refused`, not kept.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from central.custody import Custody, OpenGap
from central.schema import SCHEMA
from device.wire.chain import ChainHead, ChainPosition, Surroundings
from device.wire.receipt import Verdict

MAX_REFUSED_PER_TERMINAL = 1000


class LedgerError(RuntimeError):
    """The ledger cannot be used; the message is one line."""


_CUSTODY = """
SELECT terminal, epoch, seq, prev, sha256, linked, verdict, reason, received,
       coalesce(results.envelope, quarantine.envelope), coalesce(outcome, ''), coalesce(source, ''),
       coalesce(results.request, quarantine.request), journal.number, receipted
FROM journal LEFT JOIN results ON results.number = journal.number
             LEFT JOIN quarantine ON quarantine.number = journal.number
"""


class Ledger:
    """The ledger in an SQLite file; for one thread."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Opens the file, or makes it; raises LedgerError."""
        self._path = path
        if not create and not path.is_file():
            raise LedgerError(f"{path}: there is no ledger yet: start `likeness-central run` first")
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise LedgerError(f"{path}: the ledger cannot be opened: {error.strerror}") from None
        with self._typed_errors():
            self._database = sqlite3.connect(path, isolation_level=None, timeout=30)
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.executescript(SCHEMA)
            except BaseException:
                self._database.close()
                raise

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Everything inside is written together, or not at all; it is on the disk afterwards."""
        with self._typed_errors():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                self._database.execute("ROLLBACK")
                raise

    def find(self, sha256: str) -> Custody | None:
        """The result with this digest, if central holds it."""
        rows = self._custodies("WHERE sha256 = ?", (sha256,))
        return rows[0] if rows else None

    def since(self, number: int, limit: int = 1000) -> list[Custody]:
        """Results taken after the one with this number, in the order of custody."""
        return self._custodies("WHERE journal.number > ? ORDER BY journal.number LIMIT ?", (number, limit))

    def latest(self, limit: int) -> list[Custody]:
        """The results taken last, oldest of them first."""
        return self._custodies("ORDER BY journal.number DESC LIMIT ?", (limit,))[::-1]

    def surroundings(self, terminal: str, registered_epoch: int, incoming: ChainPosition) -> Surroundings:
        """What is held around a place, for `device.wire.chain.classify`."""
        newest = (
            "SELECT epoch, seq, sha256 FROM journal WHERE terminal = ? AND linked ORDER BY epoch DESC, seq DESC LIMIT 1"
        )
        at = "SELECT sha256, prev FROM journal WHERE terminal = ? AND epoch = ? AND seq = ? AND linked"
        branch = "SELECT 1 FROM journal WHERE terminal = ? AND sha256 = ? AND NOT linked"
        head = self._one(newest, (terminal,))
        same, before, after = (self._one(at, (terminal, incoming.epoch, incoming.seq + step)) for step in (0, -1, 1))
        return Surroundings(
            head=ChainHead(*head) if head and head[0] >= registered_epoch else ChainHead(registered_epoch),
            same=same[0] if same else None,
            before=before[0] if before else None,
            after=after[1] if after else None,
            prev_is_fork=self._one(branch, (terminal, incoming.prev)) is not None,
        )

    def take(self, custody: Custody) -> None:
        """Adds a result to journal and to results or quarantine; to be called inside `batch`."""
        place = custody.position
        number = self._database.execute(
            "INSERT INTO journal (terminal, epoch, seq, sha256, prev, linked, verdict, reason, received)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                custody.terminal, place.epoch, place.seq, custody.sha256, place.prev,
                custody.linked, custody.verdict.value, custody.reason, custody.received,
            ),
        ).lastrowid  # fmt: skip
        if custody.verdict is Verdict.ACCEPTED:
            row = (number, custody.outcome, custody.source, custody.request, custody.envelope)
            self._database.execute("INSERT INTO results VALUES (?, ?, ?, ?, ?)", row)
        else:
            held = (number, custody.request, custody.envelope)
            self._database.execute("INSERT INTO quarantine VALUES (?, ?, ?)", held)

    def note_receipts(self, digests: list[str], now: int) -> None:
        """Notes that receipts for these results were sent."""
        query = "UPDATE journal SET receipted = ? WHERE sha256 = ?"
        self._database.executemany(query, [(now, digest) for digest in digests])

    def open_gap(self, gap: OpenGap, noticed: int) -> None:
        """Notes places that were skipped."""
        row = (gap.terminal, gap.epoch, gap.first, gap.last, noticed)
        self._database.execute("INSERT OR IGNORE INTO gaps VALUES (?, ?, ?, ?, ?)", row)

    def fill_gap(self, terminal: str, epoch: int, seq: int) -> None:
        """Takes one place out of the gap that it lies in."""
        where = (terminal, epoch, seq, seq)
        query = "SELECT first, last, noticed FROM gaps WHERE terminal = ? AND epoch = ? AND first <= ? AND last >= ?"
        found = self._one(query, where)
        if found is None:
            return
        first, last, noticed = found
        found_at = (terminal, epoch, first)
        self._database.execute("DELETE FROM gaps WHERE terminal = ? AND epoch = ? AND first = ?", found_at)
        for low, high in ((first, seq - 1), (seq + 1, last)):
            if low <= high:
                self.open_gap(OpenGap(terminal, epoch, low, high), noticed)

    def gaps(self) -> list[OpenGap]:
        """Every open gap."""
        query = "SELECT terminal, epoch, first, last FROM gaps ORDER BY terminal, epoch, first"
        return [OpenGap(*row) for row in self._all(query, ())]

    def refuse(self, terminal: str, sha256: str, reason: str, now: int) -> None:
        """Counts a message that cannot be verified; its bytes are not kept, and the list is bounded."""
        known = self._one("SELECT 1 FROM refused WHERE terminal = ? AND sha256 = ?", (terminal, sha256))
        count = self._one("SELECT count(*) FROM refused WHERE terminal = ?", (terminal,))
        if known is None and count is not None and count[0] >= MAX_REFUSED_PER_TERMINAL:
            sha256, reason = "", "too-many"
        self._database.execute(
            "INSERT INTO refused VALUES (?, ?, ?, 1, ?, ?)"
            " ON CONFLICT (terminal, sha256) DO UPDATE SET times = refused.times + 1, last = excluded.last",
            (terminal, sha256, reason, now, now),
        )

    def refusals(self) -> list[tuple[str, str, int]]:
        """Terminal, reason and times of what could not be verified."""
        return self._all("SELECT terminal, reason, sum(times) FROM refused GROUP BY 1, 2 ORDER BY 1, 2", ())

    def add_request(self, request: str, terminal: str, boot: str, expires: int, envelope: bytes) -> None:
        """Keeps a signed request, the reference in it sealed, until it is answered."""
        with self._typed_errors():
            row = (request, terminal, boot, expires, envelope)
            self._database.execute("INSERT INTO requests VALUES (?, ?, ?, ?, ?)", row)

    def request(self, request: str) -> bytes | None:
        """The envelope of a request that central made."""
        row = self._one("SELECT envelope FROM requests WHERE id = ?", (request,))
        return row[0] if row else None

    def unanswered(self, now: int) -> list[tuple[str, str, bytes]]:
        """Terminal, boot id and envelope of requests that are neither answered nor expired."""
        return self._all(
            "SELECT terminal, boot, envelope FROM requests WHERE expires > ?"
            " AND NOT EXISTS (SELECT 1 FROM results WHERE results.request = requests.id)"
            " AND NOT EXISTS (SELECT 1 FROM quarantine WHERE quarantine.request = requests.id) ORDER BY id",
            (now,),
        )

    def answers(self, request: str) -> int:
        """How many accepted results a request has."""
        row = self._one("SELECT count(*) FROM results WHERE request = ?", (request,))
        return int(row[0]) if row else 0

    def set_birth(self, terminal: str, envelope: bytes, now: int) -> None:
        """Keeps the newest birth of a terminal."""
        self._database.execute(
            "INSERT INTO births VALUES (?, ?, ?) ON CONFLICT (terminal)"
            " DO UPDATE SET received = excluded.received, envelope = excluded.envelope",
            (terminal, now, envelope),
        )

    def births(self) -> list[bytes]:
        """The newest birth of every terminal."""
        return [row[0] for row in self._all("SELECT envelope FROM births ORDER BY terminal", ())]

    def _custodies(self, condition: str, values: tuple[object, ...]) -> list[Custody]:
        return [
            Custody(
                terminal=row[0],
                position=ChainPosition(*row[1:4]),
                sha256=row[4],
                linked=bool(row[5]),
                verdict=Verdict(row[6]),
                reason=row[7],
                received=row[8],
                envelope=row[9],
                outcome=row[10],
                source=row[11],
                request=row[12],
                number=row[13],
                receipted=row[14],
            )
            for row in self._all(f"{_CUSTODY} {condition}", values)
        ]

    def _one(self, query: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        rows = self._all(query, values)
        return rows[0] if rows else None

    def _all(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._typed_errors():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(f"{self._path}: the ledger cannot be used: {error}") from error
