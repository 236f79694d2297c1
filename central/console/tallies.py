"""Counts of what came, by quarter of an hour: what the plots show without reading a month of results again.

The journal only grows, and in order: each envelope is counted once, and what was counted stays true. The counts can be
thrown away at any time and are made anew. Quarters, because there are time zones half an hour off.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from central.custody import Custody
from central.database import Database
from central.ledger import Ledger
from central.web.store import Store
from device.wire.claims import ResultClaims
from device.wire.fields import ClaimsError, decode_base64url
from device.wire.receipt import Verdict

QUARTER_S = 15 * 60
BATCH = 1000
SET_APART = "set-apart"
MAX_SECONDS = 60
"""Longer times are counted together."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of some time.

    Attributes:
        quarters: outcomes by the begin of each quarter, seconds since 1970.
        seconds: how many sessions took so many whole seconds from first frame to decision.
        reasons: why it was not `verified`, the first reason of each.
    """

    quarters: dict[int, Counter[str]]
    seconds: Counter[int]
    reasons: Counter[str]

    @property
    def outcomes(self) -> Counter[str]:
        """Outcomes of the whole time."""
        return sum(self.quarters.values(), Counter())


class Tallies:
    """The counts of a store, of one ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def progress(self, ledger: Ledger) -> int:
        """Up to which number everything is counted."""
        with self._store.transaction() as database:
            return _progress(database, ledger)

    def advance(self, ledger: Ledger) -> int:
        """Counts some of what is new; returns how many."""
        number = self.progress(ledger)
        custodies = ledger.since(number, BATCH)
        if custodies:
            counts = Counter(key for custody in custodies for key in _keys(custody))
            with self._store.transaction() as database:
                if _progress(database, ledger) == number:
                    _add(database, counts)
                    _note_progress(database, ledger, custodies[-1].number)
        return len(custodies)

    def outcomes(self, since: int, until: int) -> dict[int, Counter[str]]:
        """Outcomes by quarter from one time to another, seconds since 1970."""
        query = "SELECT quarter, name, count FROM tallies WHERE quarter >= ? AND quarter < ? AND kind = 'outcome'"
        quarters: defaultdict[int, Counter[str]] = defaultdict(Counter)
        with self._store.transaction() as database:
            for quarter, name, count in database.rows(query, since, until):
                quarters[quarter][name] += count
        return quarters

    def between(self, since: int, until: int) -> Counted:
        """The counts from one time to another, seconds since 1970."""
        query = "SELECT quarter, kind, name, count FROM tallies WHERE quarter >= ? AND quarter < ?"
        counted = Counted({}, Counter(), Counter())
        with self._store.transaction() as database:
            for quarter, kind, name, count in database.rows(query, since, until):
                if kind == "outcome":
                    counted.quarters.setdefault(quarter, Counter())[name] += count
                elif kind == "seconds":
                    counted.seconds[int(name)] += count
                else:
                    counted.reasons[name] += count
        return counted


def claims_of(envelope: bytes) -> ResultClaims | None:
    """The claims of an envelope that was verified when it was taken; None when they cannot be read."""
    try:
        return ResultClaims.read(decode_base64url(bytes(envelope).split(b".")[1].decode()))
    except (ClaimsError, ValueError, IndexError):
        return None


def decision_s(frames: int, fps: float) -> float | None:
    """Seconds from a session's first frame to its last; None when there were none."""
    return (frames - 1) / fps if frames > 1 and fps > 0 else None


def _keys(custody: Custody) -> Iterable[tuple[int, str, str]]:
    quarter = custody.received - custody.received % QUARTER_S
    if custody.verdict is not Verdict.ACCEPTED:
        yield quarter, "outcome", SET_APART
        return
    if custody.position.seq == 0:
        return
    yield quarter, "outcome", custody.facts.outcome
    # Without pydantic, which would cost three times as much: it was verified and read when it was taken.
    claims = json.loads(decode_base64url(bytes(custody.envelope).split(b".")[1].decode()))
    if custody.facts.outcome != "verified" and claims.get("reasons"):
        yield quarter, "reason", claims["reasons"][0]
    took = decision_s(claims["capture"]["frames"], claims["capture"]["fps"])
    if took is not None:
        yield quarter, "seconds", str(min(int(took), MAX_SECONDS))


def _progress(database: Database, ledger: Ledger) -> int:
    rows = database.rows("SELECT number FROM progress WHERE ledger = ?", ledger.database.place)
    return int(rows[0][0]) if rows else 0


def _note_progress(database: Database, ledger: Ledger, number: int) -> None:
    query = "INSERT INTO progress VALUES (?, ?) ON CONFLICT (ledger) DO UPDATE SET number = excluded.number"
    database.rows(query, ledger.database.place, number)


def _add(database: Database, counts: Counter[tuple[int, str, str]]) -> None:
    for (quarter, kind, name), count in counts.items():
        database.rows(
            "INSERT INTO tallies VALUES (?, ?, ?, ?)"
            " ON CONFLICT (quarter, kind, name) DO UPDATE SET count = tallies.count + excluded.count",
            quarter, kind, name, count,
        )  # fmt: skip
