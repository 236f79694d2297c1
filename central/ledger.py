"""The ledger: an append-only journal of every result and anchor that central took into custody.

`journal` has one row for each envelope, in the order of custody; `results` holds the accepted envelopes and what
reports ask for, `quarantine` the distrusted ones, apart. A place in a chain is given to one linked row only. What
cannot be verified at all is counted in `refused`, not kept.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from central.alarms import Alarms
from central.custody import Custody, Facts, OpenGap
from central.database import NONE_YET, Database, LedgerError, Row, check, insert, migrate
from central.decisions import Decisions
from central.disputes import Disputes
from central.evidence import Evidence
from central.fleet import Fleet
from central.orders import Orders
from central.requests import Requests
from central.slips import Slips
from central.sqlite import SqliteDatabase
from device.wire.chain import ChainHead, ChainPosition
from device.wire.receipt import Verdict

MAX_REFUSED_PER_TERMINAL = 1000
POSTGRESQL = ("postgresql://", "postgres://")
JOURNAL = {
    "number": "bigint", "terminal": "text", "epoch": "bigint", "seq": "bigint", "sha256": "text", "prev": "text",
    "linked": "boolean", "verdict": "text", "reason": "text", "received": "bigint",
}  # fmt: skip
RESULTS = {
    "number": "bigint", "outcome": "text", "source": "text", "request": "text", "subject": "text",
    "subject_key": "bigint", "attendant": "text",
    "outlet": "text", "transaction": "text", "envelope": "bytes", "first_reason": "text",
    "slip_key": "bigint",
}  # fmt: skip
QUARANTINE = {"number": "bigint", "request": "text", "envelope": "bytes", "slip_key": "bigint"}
ANCHORS = {"number": "bigint", "envelope": "bytes"}
MAX_BATCH = 1000
"""No batch is longer: receipts are looked for that far before a number."""

_CUSTODY = f"""
SELECT terminal, epoch, seq, prev, sha256, linked, verdict, reason, received,
       coalesce(results.envelope, quarantine.envelope, anchors.envelope),
       coalesce(outcome, ''), coalesce(source, ''), coalesce(results.request, quarantine.request),
       subject, attendant, outlet, results."transaction", first_reason, journal.number,
       (SELECT max(sent) FROM receipts AS r WHERE r.first <= journal.number AND r.last >= journal.number
        AND r.first > journal.number - {MAX_BATCH}),
       (SELECT count(*) FROM disputes WHERE custody = journal.number)
FROM journal LEFT JOIN results ON results.number = journal.number
             LEFT JOIN quarantine ON quarantine.number = journal.number
             LEFT JOIN anchors ON anchors.number = journal.number
"""  # noqa: S608 - a number of ours


def open_database(place: Path | str, *, create: bool = True, read_only: bool = False) -> Database:
    """Opens an SQLite file, or the PostgreSQL database of a `postgresql://` address; raises LedgerError."""
    if isinstance(place, str) and place.startswith(POSTGRESQL):
        from central.postgresql import PostgresqlDatabase  # noqa: PLC0415 - needs an extra

        return PostgresqlDatabase(place, read_only=read_only)
    path = Path(place)
    if (read_only or not create) and not path.is_file():
        raise LedgerError(f"{path}: {NONE_YET}")
    return SqliteDatabase(path, read_only=read_only)


class Ledger:
    """The ledger; for one thread at a time.

    Attributes:
        requests: what central asked for.
        orders: what central commanded, and the replies.
        fleet: what the terminals said of themselves.
        evidence: what they sent with their results, sealed.
        alarms: what the rules found.
        decisions: what auditors think of what was set apart.
        slips: results by the customer's slip.
        disputes: what customers object to, and what they were answered.
    """

    def __init__(
        self,
        place: Path | str,
        *,
        create: bool = True,
        read_only: bool = False,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Opens the ledger and brings its tables up to date, unless it is only to be read; raises LedgerError."""
        self.database = database = open_database(place, create=create, read_only=read_only)
        try:
            if read_only:
                check(database)
            else:
                migrate(database, int(wall()))
        except BaseException:
            database.close()
            raise
        self.requests, self.orders = Requests(database), Orders(database)
        self.fleet, self.evidence = Fleet(database), Evidence(database)
        self.alarms, self.decisions = Alarms(database), Decisions(database)
        self.slips, self.disputes = Slips(database), Disputes(database)

    def close(self) -> None:
        """Closes the connection."""
        self.database.close()

    def batch(self) -> AbstractContextManager[None]:
        """Everything inside is written together, or not at all; it is on the disk afterwards."""
        return self.database.transaction()

    def since(self, number: int, limit: int = 1000) -> list[Custody]:
        """What was taken after the one with this number, in the order of custody."""
        # Numbers have no holes. With a LIMIT instead, PostgreSQL reads every result from the first one on.
        condition = "WHERE journal.number > ? AND journal.number <= ? ORDER BY journal.number"
        return self._custodies(condition, number, number + limit)

    def latest(self, limit: int) -> list[Custody]:
        """What was taken last, oldest first."""
        return self._custodies("ORDER BY journal.number DESC LIMIT ?", limit)[::-1]

    def quarantined(self, since: int, limit: int = 1000) -> list[Custody]:
        """What was set apart from a time on, newest last."""
        query = "SELECT number FROM journal WHERE verdict <> 'accepted' AND received >= ? ORDER BY number DESC LIMIT ?"
        return self.numbered([number for (number,) in self.database.rows(query, since, limit)])[::-1]

    def numbered(self, numbers: Sequence[int]) -> list[Custody]:
        """What was taken under these numbers, newest first."""
        if not numbers:
            return []
        condition = f"WHERE journal.number IN ({', '.join('?' * len(numbers))}) ORDER BY journal.number DESC"
        return self._custodies(condition, *numbers)

    def anchors(self) -> list[Custody]:
        """Every anchor, set apart or not."""
        return self._custodies("WHERE seq = 0 ORDER BY journal.number")

    def head(self, terminal: str, epoch: int) -> ChainHead | None:
        """The newest linked place of an epoch."""
        query = "SELECT seq, sha256 FROM journal WHERE terminal = ? AND epoch = ? AND linked ORDER BY seq DESC LIMIT 1"
        rows = self.database.rows(query, terminal, epoch)
        return ChainHead(epoch, *rows[0]) if rows else None

    def newest(self) -> int:
        """The highest number that was given; 0 when there is none."""
        return int(self.database.rows("SELECT coalesce(max(number), 0) FROM journal")[0][0])

    def number_since(self, received: int) -> int:
        """The first number that was given at a time or later; one beyond the newest when there is none."""
        low, high = 1, self.newest() + 1
        while low < high:  # numbers have no holes, and time goes on with them
            middle = (low + high) // 2
            (at,) = self.database.rows("SELECT received FROM journal WHERE number = ?", middle)[0]
            low, high = (middle + 1, high) if at < received else (low, middle)
        return low

    def take(self, custodies: Sequence[Custody]) -> None:
        """Adds to the journal, and to results, anchors or quarantine; to be called inside `batch`."""
        journal, results, anchors, quarantine = [], [], [], []
        for custody in custodies:
            place, number, envelope, facts = custody.position, custody.number, custody.envelope, custody.facts
            journal.append((
                number, custody.terminal, place.epoch, place.seq, custody.sha256, place.prev, custody.linked,
                custody.verdict.value, custody.reason, custody.received,
            ))  # fmt: skip
            if custody.verdict is not Verdict.ACCEPTED:
                quarantine.append((number, facts.request, envelope, facts.slip_key))
            elif place.seq == 0:
                anchors.append((number, envelope))
            else:
                results.append((
                    number, facts.outcome, facts.source, facts.request, facts.subject, facts.subject_key,
                    facts.attendant, facts.outlet,
                    facts.transaction, envelope, facts.first_reason, facts.slip_key,
                ))  # fmt: skip
        insert(self.database, "journal", JOURNAL, journal)
        insert(self.database, "results", RESULTS, results)
        insert(self.database, "anchors", ANCHORS, anchors)
        insert(self.database, "quarantine", QUARANTINE, quarantine)

    def note_receipts(self, runs: Sequence[tuple[int, int]], now: int) -> None:
        """Notes that receipts were sent for runs of numbers, first to last."""
        columns = {"first": "bigint", "last": "bigint", "sent": "bigint"}
        insert(self.database, "receipts", columns, [(first, last, now) for first, last in runs])

    def change_gaps(self, closed: Sequence[OpenGap], opened: Sequence[OpenGap]) -> None:
        """Removes gaps that are no more, and adds others."""
        for gap in closed:
            query = "DELETE FROM gaps WHERE terminal = ? AND epoch = ? AND first = ?"
            self.database.rows(query, gap.terminal, gap.epoch, gap.first)
        columns = {"terminal": "text", "epoch": "bigint", "first": "bigint", "last": "bigint", "noticed": "bigint"}
        rows = [(gap.terminal, gap.epoch, gap.first, gap.last, gap.noticed) for gap in opened]
        insert(self.database, "gaps", columns, rows)

    def gaps(self) -> list[OpenGap]:
        """Every open gap."""
        query = "SELECT terminal, epoch, first, last, noticed FROM gaps ORDER BY terminal, epoch, first"
        return [OpenGap(*row) for row in self.database.rows(query)]

    def refuse(self, refused: Sequence[tuple[str, str, str]], now: int) -> None:
        """Counts messages (terminal, digest, reason) that cannot be verified; their bytes are not kept.

        The list is bounded: from a thousand messages of a terminal on, others are counted together.
        """
        for (terminal, sha256, reason), times in Counter(refused).items():
            known = "SELECT 1 FROM refused WHERE terminal = ? AND sha256 = ?"
            count = self.database.rows("SELECT count(*) FROM refused WHERE terminal = ?", terminal)[0][0]
            full = count >= MAX_REFUSED_PER_TERMINAL and not self.database.rows(known, terminal, sha256)
            self.database.rows(
                "INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (terminal, sha256)"
                " DO UPDATE SET times = refused.times + excluded.times, last = excluded.last",
                terminal, "" if full else sha256, "too-many" if full else reason, times, now, now,
            )  # fmt: skip

    def refusals(self) -> list[tuple[str, str, int]]:
        """Terminal, reason and times of what could not be verified."""
        query = "SELECT terminal, reason, sum(times) FROM refused GROUP BY 1, 2 ORDER BY 1, 2"
        return [(terminal, reason, int(times)) for terminal, reason, times in self.database.rows(query)]

    def _custodies(self, condition: str, *values: object) -> list[Custody]:
        return [_custody(row) for row in self.database.rows(f"{_CUSTODY} {condition}", *values)]


def _custody(row: Row) -> Custody:
    return Custody(
        terminal=row[0],
        position=ChainPosition(*row[1:4]),
        sha256=row[4],
        linked=bool(row[5]),
        verdict=Verdict(row[6]),
        reason=row[7],
        received=row[8],
        envelope=row[9],
        facts=Facts(*row[10:18]),
        number=row[18],
        receipted=row[19],
        disputes=row[20],
    )
