"""What auditors think of what was set apart: written down beside it, never over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from central.database import Database, Row


class Judged(StrEnum):
    """What an auditor may decide; neither verdict nor receipt changes by it."""

    UPHELD = "upheld"
    OVERRULED = "overruled"
    INVESTIGATING = "investigating"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision.

    Attributes:
        custody: number of the envelope in the journal.
        decided: seconds since 1970.
        account: whose decision it is.
        note: why, in the auditor's words.
    """

    custody: int
    decided: int
    account: str
    decision: Judged
    note: str


class Decisions:
    """The decisions of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, decision: Decision) -> None:
        """Writes a decision down, on the disk; raises LookupError when nothing was set apart under this number."""
        with self._database.transaction():
            apart = "SELECT 1 FROM journal WHERE number = ? AND verdict <> 'accepted'"
            if not self._database.rows(apart, decision.custody):
                raise LookupError(f"number {decision.custody} was not set apart")
            number = self._database.rows("SELECT coalesce(max(number), 0) + 1 FROM decisions")[0][0]
            self._database.rows(
                "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?)",
                number, decision.custody, decision.decided, decision.account, decision.decision.value, decision.note,
            )  # fmt: skip

    def of(self, custody: int) -> list[Decision]:
        """Every decision about one envelope, oldest first."""
        query = f"SELECT {_COLUMNS} FROM decisions WHERE custody = ? ORDER BY number"  # noqa: S608 - names are ours
        return [_decision(row) for row in self._database.rows(query, custody)]

    def standing(self, custodies: Iterable[int]) -> dict[int, Decision]:
        """The last decision about each of these envelopes that has one."""
        query = f"""SELECT {_COLUMNS} FROM given JOIN decisions ON decisions.number =
            (SELECT max(d.number) FROM decisions AS d WHERE d.custody = given.about)"""  # noqa: S608
        rows = self._database.rows_given({"about": "bigint"}, [(number,) for number in custodies], query)
        return {row[0]: _decision(row) for row in rows}


_COLUMNS = "custody, decided, account, decision, note"


def _decision(row: Row) -> Decision:
    return Decision(row[0], row[1], row[2], Judged(row[3]), row[4])
