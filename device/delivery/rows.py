"""The outbox's tables, and what is asked of them; each function works inside its caller's transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from device.wire.chain import ChainHead
from device.wire.envelope import Envelope
from device.wire.fields import decode_base64url

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS head (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        terminal TEXT NOT NULL, kid TEXT NOT NULL,
        epoch INTEGER NOT NULL, seq INTEGER NOT NULL, sha256 TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS results (
        epoch INTEGER NOT NULL, seq INTEGER NOT NULL, sha256 TEXT NOT NULL, envelope BLOB NOT NULL,
        PRIMARY KEY (epoch, seq)
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS evidence (
        epoch INTEGER NOT NULL, seq INTEGER NOT NULL, sha256 TEXT NOT NULL, envelope BLOB NOT NULL,
        PRIMARY KEY (epoch, seq)
    ) STRICT""",
    "CREATE TABLE IF NOT EXISTS used_requests (id TEXT PRIMARY KEY, boot TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
)
# Central has to know what evidence belongs to, and where an epoch begins: neither leaves before that is receipted.
_RESULTS = """SELECT epoch, seq, 0, sha256, envelope FROM results
    WHERE (epoch, seq, 0) > (?, ?, ?)
    AND (seq = 0 OR NOT EXISTS (SELECT 1 FROM results AS anchor WHERE anchor.epoch = results.epoch AND anchor.seq = 0))
    ORDER BY epoch, seq LIMIT ?"""
_EVIDENCE = """SELECT epoch, seq, 1, sha256, envelope FROM evidence
    WHERE (epoch, seq, 1) > (?, ?, ?)
    AND NOT EXISTS (SELECT 1 FROM results WHERE results.epoch = evidence.epoch AND results.seq = evidence.seq)
    ORDER BY epoch, seq LIMIT ?"""


class Part(IntEnum):
    """What waits at a place: the result (or, at seq 0, the anchor), or its evidence."""

    RESULT = 0
    EVIDENCE = 1


class Place(NamedTuple):
    """Where something waits."""

    epoch: int
    seq: int
    part: Part = Part.RESULT


BEFORE_ALL = Place(-1, 0)
_TABLES = {Part.RESULT: "results", Part.EVIDENCE: "evidence"}


@dataclass(frozen=True, slots=True)
class WaitingEnvelope:
    """An envelope without a receipt: its place, digest and bytes."""

    place: Place
    sha256: str
    envelope: bytes = field(repr=False)


def read_head(connection: sqlite3.Connection) -> ChainHead:
    """The newest place of the chain."""
    return ChainHead(*connection.execute("SELECT epoch, seq, sha256 FROM head").fetchone())


def insert(connection: sqlite3.Connection, place: Place, envelope: Envelope) -> None:
    """Puts an envelope where it waits for its receipt."""
    query = f"INSERT INTO {_TABLES[place.part]} VALUES (?, ?, ?, ?)"  # noqa: S608
    connection.execute(query, (place.epoch, place.seq, envelope.sha256, envelope.raw))


def read_waiting(connection: sqlite3.Connection, limit: int, after: Place) -> list[WaitingEnvelope]:
    """Returns the oldest envelopes that may be sent now, from the place that follows `after`; all of one epoch."""
    rows = sorted(row for query in (_RESULTS, _EVIDENCE) for row in connection.execute(query, (*after, limit)))
    return [
        WaitingEnvelope(Place(epoch, seq, Part(part)), sha256, envelope)
        for epoch, seq, part, sha256, envelope in rows[:limit]
        if epoch == rows[0][0]
    ]


def delete(connection: sqlite3.Connection, receipted: Iterable[tuple[int, int, str]]) -> list[Place]:
    """Deletes by (epoch, seq, sha256), all of which must agree; returns what was there."""
    deleted: list[Place] = []
    for epoch, seq, sha256 in receipted:
        for part, table in _TABLES.items():
            query = f"DELETE FROM {table} WHERE epoch = ? AND seq = ? AND sha256 = ?"  # noqa: S608
            if connection.execute(query, (epoch, seq, sha256)).rowcount:
                deleted.append(Place(epoch, seq, part))
    return deleted


def depth(connection: sqlite3.Connection) -> int:
    """How many envelopes wait."""
    query = "SELECT (SELECT count(*) FROM results) + (SELECT count(*) FROM evidence)"
    return int(connection.execute(query).fetchone()[0])


def oldest(connection: sqlite3.Connection) -> int | None:
    """When the oldest waiting result was signed: its own `iat`; None when none waits.

    Raises ValueError when it is not what was signed: nobody will ever receipt it.
    """
    row = connection.execute("SELECT sha256, envelope FROM results ORDER BY epoch, seq LIMIT 1").fetchone()
    if row is None:
        return None
    sha256, envelope = row
    if hashlib.sha256(envelope).hexdigest() != sha256:
        raise ValueError("the oldest envelope is not the one that was signed")
    return int(json.loads(decode_base64url(envelope.split(b".")[1].decode()))["iat"])


def free_pages(connection: sqlite3.Connection) -> int:
    """By how many pages the tables may still grow."""
    used, free, most = (
        int(connection.execute(f"PRAGMA {what}").fetchone()[0])
        for what in ("page_count", "freelist_count", "max_page_count")
    )
    return most - used + free


def remember(connection: sqlite3.Connection, values: Mapping[str, str]) -> None:
    """Keeps values by name."""
    query = "INSERT INTO memory VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    connection.executemany(query, values.items())
