"""Results by the customer's slip: what the public page asks of the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field

from central.custody import slip_key
from central.database import Database
from device.wire.receipt import Verdict

SHARING = 4
"""Honest slips share no key; a terminal that lies may sign a code that it gave before."""


@dataclass(frozen=True, slots=True)
class SlipResult:
    """A result that may be the slip's: its envelope says whether it is.

    Attributes:
        number: its place in the journal.
        received: seconds since 1970.
        is_accepted: whether central believes it.
        has_number: whether the customer's phone number was asked for and fits.
    """

    number: int
    received: int
    is_accepted: bool
    has_number: bool
    envelope: bytes = field(repr=False)


class Slips:
    """The slips of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, digest: str, customer_number: str) -> list[SlipResult]:
        """The results of a slip, oldest first, unless they were made for another phone number.

        Args:
            digest: `device.wire.slip.slip_digest` of its code.
            customer_number: the pseudonym of the number that was given along; asked of those alone that have one.
        """
        key = slip_key(digest)
        rows = self._database.rows(SLIP_QUERY, key, key, customer_number, SHARING)
        return [
            SlipResult(number, received, verdict == Verdict.ACCEPTED, asked is not None, envelope)
            for number, received, verdict, asked, envelope in rows
        ]

    def note_guessing(self, now: int, failed: int) -> None:
        """Writes down that the public page turns everybody away after so many failures, on the disk."""
        with self._database.transaction():
            self._database.rows("INSERT INTO guessing VALUES (?, ?) ON CONFLICT DO NOTHING", now, failed)

    def guessing_since(self, noticed: int) -> list[tuple[int, int]]:
        """When that was, later than a time, and after how many failures."""
        query = "SELECT noticed, failed FROM guessing WHERE noticed > ? ORDER BY noticed"
        return [(at, failed) for at, failed in self._database.rows(query, noticed)]


SLIP_QUERY = """SELECT j.number, j.received, j.verdict, q.customer_number, found.envelope FROM (
        SELECT number, request, envelope FROM results WHERE slip_key = ?
        UNION ALL SELECT number, request, envelope FROM quarantine WHERE slip_key = ?) AS found
    JOIN journal AS j ON j.number = found.number LEFT JOIN requests AS q ON q.id = found.request
    WHERE q.customer_number IS NULL OR q.customer_number = ? ORDER BY j.number LIMIT ?"""
