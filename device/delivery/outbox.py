"""The outbox: each result is signed, chained and on the disk before anybody hears of it, and stays until its receipt.

The head is read, the result signed and inserted with its evidence, and the head advanced in one transaction. What
cannot go on with the chain that it finds, a new key or a restored card, begins a new epoch with a signed anchor.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from device.delivery import rows
from device.delivery.database import (
    DISK_RESERVE_BYTES,
    Database,
    OutboxCorruptError,
    OutboxError,
    OutboxFullError,
    OutboxMismatchError,
    OutboxState,
)
from device.delivery.rows import BEFORE_ALL, Part, Place, WaitingEnvelope
from device.wire.anchor import AnchorClaims, AnchorReason, ChainPlace
from device.wire.chain import FIRST_EPOCH, ChainHead, ChainPosition
from device.wire.claims import ResultClaims
from device.wire.envelope import Envelope, Kind, SigningKey, sign
from device.wire.evidence import EvidenceClaims

Value = TypeVar("Value")
DEFAULT_MAX_BYTES = 64 * 1024 * 1024
OFFLINE_SESSIONS = "offline-sessions"
"""The name under which sessions without a request are counted; a receipt forgets it."""
_SESSION_PAGES = 64  # the longest result with its evidence, the request's id and the tally, with their indices


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How it stands with the outbox.

    Attributes:
        state: for machines.
        sentence: for people.
        waiting: envelopes without a receipt; None when that cannot be read.
        oldest: seconds since 1970, when the oldest of them was signed; None when there is none.
    """

    state: OutboxState
    sentence: str
    waiting: int | None = None
    oldest: int | None = None


class Outbox:
    """The outbox of one terminal; every method may be called from any thread and raises OutboxError."""

    def __init__(
        self,
        path: Path,
        terminal: str,
        signer: SigningKey,
        *,
        epoch: int = FIRST_EPOCH,
        max_bytes: int = DEFAULT_MAX_BYTES,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Names the database, which is opened or made with its first use; `now` is for anchors only."""
        self.on_append: Callable[[], None] = lambda: None
        self._signer, self._terminal, self._epoch, self._now = signer, terminal, epoch, now
        self._database = Database(path, max_bytes, self._prepare)

    def append(
        self,
        build: Callable[[ChainPosition], ResultClaims],
        *,
        evidence: bytes | None = None,
        remember: Mapping[str, str] | None = None,
    ) -> Envelope:
        """Signs what `build` makes for the next place and keeps it, on the disk when this returns.

        Args:
            build: makes the claims.
            evidence: sealed bytes that belong to the result; signed and kept with it.
            remember: stored in the same transaction.
        """
        with self._database.transaction() as connection:
            position = rows.read_head(connection).next()
            claims = build(position)
            stated = (claims.iss, claims.epoch, claims.seq, claims.prev)
            if stated != (self._terminal, position.epoch, position.seq, position.prev):
                raise ValueError("the claims do not stand at the chain position they were built for")
            envelope = sign(Kind.RESULT, claims.write(), self._signer)
            rows.insert(connection, Place(position.epoch, position.seq), envelope)
            connection.execute("UPDATE head SET seq = ?, sha256 = ?", (position.seq, envelope.sha256))
            if evidence is not None:
                place = Place(position.epoch, position.seq, Part.EVIDENCE)
                rows.insert(connection, place, self._sign_evidence(claims, evidence))
            rows.remember(connection, remember or {})
        self.on_append()
        return envelope

    def waiting(self, limit: int, after: Place = BEFORE_ALL) -> list[WaitingEnvelope]:
        """Returns the oldest envelopes that may be sent now, from the place that follows `after`; all of one epoch."""
        with self._database.reading() as connection:
            return rows.read_waiting(connection, limit, after)

    def depth(self) -> int:
        """How many envelopes have no receipt."""
        with self._database.reading() as connection:
            return rows.depth(connection)

    def head(self) -> ChainHead:
        """The newest place of the chain."""
        with self._database.reading() as connection:
            return rows.read_head(connection)

    def remove(self, receipted: Iterable[tuple[int, int, str]]) -> list[Place]:
        """Removes by (epoch, seq, sha256), all of which must agree; returns what was there. Evidence is overwritten."""
        with self._database.transaction() as connection:
            removed = rows.delete(connection, receipted)
            if removed:
                connection.execute("DELETE FROM memory WHERE name = ?", (OFFLINE_SESSIONS,))
        if any(place.part is Part.EVIDENCE for place in removed):
            self._database.truncate_log()
        return removed

    def is_used(self, request: str) -> bool:
        """Whether `use` was called for this request id."""
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM used_requests WHERE id = ?", (request,)).fetchone() is not None

    def check(self) -> OutboxStatus:
        """Says how it stands, after a fault by trying to write; never raises. Without OK no session may begin."""
        waiting = oldest = None
        try:
            if self._database.fault is not None:
                with self._database.transaction() as connection:
                    connection.execute("UPDATE head SET seq = seq")
            with self._database.reading() as connection:
                waiting, oldest = rows.depth(connection), self._oldest(connection)
                free_pages = rows.free_pages(connection)
            if self._database.bytes_free() < DISK_RESERVE_BYTES:
                self._database.truncate_log()  # it may be what takes the room
            if free_pages < _SESSION_PAGES or self._database.bytes_free() < DISK_RESERVE_BYTES:
                raise self._database.error(OutboxFullError, "is full")
        except OutboxError as error:
            return OutboxStatus(error.state, str(error), waiting, oldest)
        return OutboxStatus(OutboxState.OK, f"{waiting} results wait for a receipt", waiting, oldest)

    def sizes(self) -> tuple[int, int]:
        """Bytes of the outbox on its disk, and bytes free there."""
        return self._database.bytes_on_disk(), self._database.bytes_free()

    def use(self, request: str, boot: str) -> bool:
        """Marks a request id as used; False when it was already.

        Ids of other boots are dropped: their requests are refused for the boot alone.
        """
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM used_requests WHERE boot <> ?", (boot,))
            added = connection.execute("INSERT OR IGNORE INTO used_requests VALUES (?, ?)", (request, boot))
            return added.rowcount == 1

    def recall(self, name: str, read: Callable[[str], Value]) -> Value | None:
        """What was remembered under `name`, as `read` understands it: counters that must survive a restart."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
            try:
                return None if row is None else read(row[0])
            except (ValueError, TypeError, LookupError, RecursionError):
                raise self._database.error(OutboxCorruptError, "is damaged") from None

    def remember(self, values: Mapping[str, str]) -> None:
        """Keeps values by name, on the disk when this returns."""
        with self._database.transaction() as connection:
            rows.remember(connection, values)

    def close(self) -> None:
        """Closes the database; what was appended stays."""
        self._database.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Makes the tables, and begins the epoch that the keys ask for."""
        for statement in rows.SCHEMA:
            connection.execute(statement)
        row = connection.execute("SELECT terminal, kid, epoch, seq, sha256 FROM head").fetchone()
        if row is None:
            lost = self._anchor(AnchorReason.OUTBOX_LOST, None) if self._epoch > FIRST_EPOCH else None
            self._begin_epoch(connection, lost)
            return
        terminal, kid, epoch, seq, sha256 = row
        if (terminal, kid, epoch) == (self._terminal, self._signer.kid, self._epoch):
            return
        if terminal != self._terminal or epoch >= self._epoch:
            raise OutboxMismatchError(
                f"{self._database.path}: belongs to terminal {terminal}, epoch {epoch}, or to another result key: "
                "a new key needs a new chain epoch (docs/delivery.md)"
            )
        reason = AnchorReason.RESTORED_CARD if kid == self._signer.kid else AnchorReason.NEW_KEY
        self._begin_epoch(connection, self._anchor(reason, ChainPlace(epoch=epoch, seq=seq, sha256=sha256)))

    def _oldest(self, connection: sqlite3.Connection) -> int | None:
        try:
            return rows.oldest(connection)
        except ValueError:  # a page that is sound to SQLite, with other bytes in it
            raise self._database.error(OutboxCorruptError, "is damaged") from None

    def _begin_epoch(self, connection: sqlite3.Connection, anchor: Envelope | None) -> None:
        head = ChainHead(self._epoch)
        if anchor is not None:
            head = ChainHead(self._epoch, 0, anchor.sha256)
            rows.insert(connection, Place(self._epoch, 0), anchor)
        row = (self._terminal, self._signer.kid, head.epoch, head.seq, head.sha256)
        connection.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?)", row)

    def _anchor(self, reason: AnchorReason, previous: ChainPlace | None) -> Envelope:
        claims = AnchorClaims(
            iss=self._terminal, iat=max(0, int(self._now())), epoch=self._epoch, reason=reason, previous=previous
        )
        return sign(Kind.ANCHOR, claims.write(), self._signer)

    def _sign_evidence(self, result: ResultClaims, sealed: bytes) -> Envelope:
        claims = EvidenceClaims(iss=result.iss, epoch=result.epoch, seq=result.seq, result=result.jti, sealed=sealed)
        return sign(Kind.EVIDENCE, claims.write(), self._signer)
