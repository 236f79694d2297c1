"""The authority's records: terminals, their keys, certificates and tokens, in one SQLite database.

Each change is one transaction. The registry that central reads is written from the records, and written again by the
next command when a cut came between the two.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from central.registry import ResultKeyEntry, TerminalEntry, registry_text
from device.durable import PUBLIC, replace_file
from provisioning.vault import ProvisioningError

RECORDS, REGISTRY, LOCK = "records.sqlite", "registry.yaml", "records.lock"
_HEADING = "# Written by likeness-provision: what is changed here by hand is lost.\n"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS terminals (
    serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, outlet TEXT NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0, unsealing TEXT, revoked INTEGER NOT NULL DEFAULT 0,
    new_keys_ordered INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS result_keys (
    public TEXT PRIMARY KEY, terminal TEXT NOT NULL REFERENCES terminals (id),
    epoch INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY, terminal TEXT NOT NULL REFERENCES terminals (id), expires INTEGER NOT NULL,
    used_by TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS certificates (
    serial TEXT PRIMARY KEY, owner TEXT NOT NULL, not_after INTEGER NOT NULL, revoked_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS answers (
    request TEXT PRIMARY KEY, terminal TEXT NOT NULL REFERENCES terminals (id), result_key TEXT NOT NULL,
    epoch INTEGER NOT NULL, renew_at INTEGER NOT NULL, bundle BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS updates (
    kind TEXT NOT NULL, number INTEGER NOT NULL, manifest BLOB NOT NULL, PRIMARY KEY (kind, number)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class TerminalRecord:
    """A terminal; `epoch` is 0 until it is enrolled."""

    serial: int
    id: str
    outlet: str
    epoch: int
    revoked: bool
    new_keys_ordered: bool

    @property
    def label(self) -> str:
        """The serial as it stands on the label."""
        return f"LK-{self.serial:06d}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The bundle that a request was answered with, and from when it would be issued anew."""

    request: str
    terminal: str
    result_key: str
    epoch: int
    renew_at: int
    bundle: bytes


class Records:
    """The records of one authority. Use from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Opens or makes the database, mode 0600, and writes the registry when it is not up to date."""
        self._folder = folder
        os.close(os.open(folder / RECORDS, os.O_RDWR | os.O_CREAT, 0o600))
        self._lock, self._holds = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600), 0
        self._database = sqlite3.connect(folder / RECORDS, isolation_level=None, check_same_thread=False, timeout=10)
        self._database.executescript(f"PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; {_SCHEMA}")
        self._database.execute("PRAGMA foreign_keys = ON")
        self.write_registry()

    def close(self) -> None:
        """Closes the database."""
        self._database.close()
        os.close(self._lock)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other processes out, such as a command beside `serve`: what was looked up stays so until the end."""
        if self._holds == 0:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if self._holds == 0:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction; the registry follows it."""
        with self.alone():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
            self.write_registry()

    def write_registry(self) -> bool:
        """Writes the registry as the records have it; returns whether it was otherwise."""
        with self.alone():
            text = _HEADING + registry_text(self._entries())
            return replace_file(self._folder / REGISTRY, text.encode(), PUBLIC)

    def terminals(self) -> list[TerminalRecord]:
        """All terminals, by id."""
        query = "SELECT serial, id, outlet, epoch, revoked, new_keys_ordered FROM terminals ORDER BY id"
        return [
            TerminalRecord(row[0], row[1], row[2], row[3], bool(row[4]), bool(row[5]))
            for row in self._database.execute(query)
        ]

    def terminal(self, name: str) -> TerminalRecord:
        """One terminal; raises ProvisioningError."""
        for record in self.terminals():
            if record.id == name:
                return record
        raise ProvisioningError(f"{name}: no such terminal: likeness-provision terminal add {name} --outlet ... first")

    def result_key_owner(self, public: str) -> tuple[str, bool] | None:
        """Whose result key this is, and whether it was revoked."""
        row = self._database.execute("SELECT terminal, revoked FROM result_keys WHERE public = ?", (public,)).fetchone()
        return None if row is None else (row[0], bool(row[1]))

    def result_keys(self, terminal: str) -> list[str]:
        """The terminal's result keys that count, the newest first."""
        query = "SELECT public FROM result_keys WHERE terminal = ? AND NOT revoked ORDER BY epoch DESC"
        return [row[0] for row in self._database.execute(query, (terminal,))]

    def token(self, identifier: str) -> tuple[str, int, str | None] | None:
        """Terminal, expiry and the request that used it, of a token."""
        query = "SELECT terminal, expires, used_by FROM tokens WHERE id = ?"
        found: tuple[str, int, str | None] | None = self._database.execute(query, (identifier,)).fetchone()
        return found

    def answer(self, request: str) -> Answer | None:
        """What a request was answered with."""
        query = "SELECT request, terminal, result_key, epoch, renew_at, bundle FROM answers WHERE request = ?"
        row = self._database.execute(query, (request,)).fetchone()
        return None if row is None else Answer(*row)

    def newest_update(self, kind: str) -> bytes | None:
        """The manifest's envelope of the newest update of a kind."""
        query = "SELECT manifest FROM updates WHERE kind = ? ORDER BY number DESC LIMIT 1"
        row = self._database.execute(query, (kind,)).fetchone()
        return None if row is None else row[0]

    def certificate_until(self, owner: str) -> datetime | None:
        """Until when the newest certificate of a terminal or user serves."""
        query = "SELECT max(not_after) FROM certificates WHERE owner = ? AND revoked_at IS NULL"
        moment = self._database.execute(query, (owner,)).fetchone()[0]
        return None if moment is None else datetime.fromtimestamp(moment, UTC)

    def revoked_certificates(self, now: datetime) -> list[tuple[int, datetime]]:
        """Serial and moment of every revoked certificate that has not expired."""
        query = (
            "SELECT serial, revoked_at FROM certificates WHERE revoked_at IS NOT NULL AND not_after > ? ORDER BY serial"
        )
        rows = self._database.execute(query, (int(now.timestamp()),))
        return [(int(serial, 16), datetime.fromtimestamp(moment, UTC)) for serial, moment in rows]

    def _entries(self) -> dict[str, TerminalEntry]:
        keys: dict[str, list[ResultKeyEntry]] = {}
        for terminal, public, revoked in self._database.execute(
            "SELECT terminal, public, revoked FROM result_keys ORDER BY epoch, public"
        ):
            keys.setdefault(terminal, []).append(ResultKeyEntry(public=public, revoked=bool(revoked)))
        query = "SELECT id, outlet, epoch, unsealing, revoked FROM terminals WHERE epoch > 0"
        return {
            name: TerminalEntry(
                outlet=outlet,
                epoch=epoch,
                result_keys=tuple(keys[name]),
                unsealing_key=unsealing,
                revoked=bool(revoked),
            )
            for name, outlet, epoch, unsealing, revoked in self._database.execute(query)
        }
