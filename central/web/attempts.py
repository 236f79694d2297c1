"""How often something was tried: what keeps guesses slow, across threads, processes and restarts."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from central.web.store import Store

WINDOW_S = 15 * 60
STEP = (
    "CREATE TABLE attempts (about TEXT NOT NULL, at BIGINT NOT NULL)",
    "CREATE INDEX attempts_about ON attempts (about, at)",
)
"""The table, for the steps of a store."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt that was one too many: what it was counted under, and how long to wait."""

    about: str
    wait_s: int


class Attempts:
    """The attempts of a store, within a window of time."""

    def __init__(self, store: Store, wall: Callable[[], float]) -> None:
        self._store, self._wall = store, wall

    def admit(self, limits: Mapping[str, int]) -> Refusal | None:
        """Counts an attempt before it is looked at, under each of these names, unless one has reached its limit."""
        now = int(self._wall())
        with self._store.transaction() as database:
            database.rows("DELETE FROM attempts WHERE at <= ?", now - WINDOW_S)
            query = "SELECT count(*), min(at) FROM attempts WHERE about = ?"
            for about, limit in limits.items():
                count, oldest = database.rows(query, about)[0]
                if count >= limit:
                    return Refusal(about, int(oldest) + WINDOW_S - now)
            for about in limits:
                database.rows("INSERT INTO attempts VALUES (?, ?)", about, now)
        return None

    def take_back(self, names: Iterable[str]) -> None:
        """Uncounts one attempt under each of these names: it was no guess."""
        newest = "SELECT rowid FROM attempts WHERE about = ? ORDER BY at DESC LIMIT 1"
        with self._store.transaction() as database:
            for about in names:
                database.rows(f"DELETE FROM attempts WHERE rowid = ({newest})", about)  # noqa: S608 - ours

    def forget(self, about: str) -> None:
        """Uncounts every attempt under a name."""
        with self._store.transaction() as database:
            database.rows("DELETE FROM attempts WHERE about = ?", about)


def network_of(address: str) -> str:
    """An IPv4 address, or the network of 64 bits that is one customer's in IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
