"""What customers object to, and what auditors answer: both are written down beside the result, never over it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from central.database import Database, Row

MAX_PER_RESULT = 3
NEWEST = 2**62


class Objection(StrEnum):
    """What a customer says is wrong."""

    NOT_THERE = "not-there"
    NOT_AGREED = "not-agreed"
    NOT_MY_NUMBER = "not-my-number"
    SOMETHING_ELSE = "something-else"


class Found(StrEnum):
    """What an auditor finds; as long as somebody looks into it, the dispute stays open."""

    JUSTIFIED = "justified"
    UNFOUNDED = "unfounded"
    INVESTIGATING = "investigating"


class DisputeError(ValueError):
    """A dispute that is one too many."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an auditor.

    Attributes:
        dispute: its number.
        answered: seconds since 1970.
        account: whose answer it is; never shown to the customer.
        note: what the customer reads.
    """

    dispute: int
    answered: int
    account: str
    decision: Found
    note: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute.

    Attributes:
        custody: number of the result in the journal.
        received: seconds since 1970.
        note: in the customer's words; may be empty.
        language: of the page on which it was written, as in zh-CN.
        number: its own; 0 as long as it has none.
    """

    custody: int
    received: int
    objection: Objection
    note: str = field(repr=False)
    language: str
    number: int = 0
    answers: tuple[Answer, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the customer still waits."""
        return not self.answers or self.answers[-1].decision is Found.INVESTIGATING


class Disputes:
    """The disputes of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, dispute: Dispute) -> int:
        """Writes one down, on the disk, and returns its number; the same one, sent twice, is one.

        Raises:
            DisputeError: the result has as many already as it may.
        """
        with self._database.transaction():
            held = self.of(dispute.custody)
            for other in held:
                if (other.objection, other.note) == (dispute.objection, dispute.note):
                    return other.number
            if len(held) >= MAX_PER_RESULT:
                raise DisputeError(f"there are {MAX_PER_RESULT} disputes about this result already")
            number = int(self._database.rows("SELECT coalesce(max(number), 0) + 1 FROM disputes")[0][0])
            self._database.rows(
                "INSERT INTO disputes VALUES (?, ?, ?, ?, ?, ?)",
                number, dispute.custody, dispute.received, dispute.objection.value, dispute.note, dispute.language,
            )  # fmt: skip
        return number

    def answer(self, answer: Answer) -> int:
        """Writes an answer down, on the disk; returns the result's number; raises LookupError when nobody asked."""
        with self._database.transaction():
            rows = self._database.rows("SELECT custody FROM disputes WHERE number = ?", answer.dispute)
            if not rows:
                raise LookupError(f"there is no dispute {answer.dispute}")
            number = self._database.rows("SELECT coalesce(max(number), 0) + 1 FROM answers")[0][0]
            self._database.rows(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)",
                number, answer.dispute, answer.answered, answer.account, answer.decision.value, answer.note,
            )  # fmt: skip
        return int(rows[0][0])

    def of(self, custody: int) -> list[Dispute]:
        """Every dispute about one result, oldest first."""
        return self._answered(self._database.rows(f"{_DISPUTES} WHERE custody = ? ORDER BY number", custody))

    def before(self, number: int, limit: int) -> list[Dispute]:
        """The newest below a number, newest first."""
        query = f"{_DISPUTES} WHERE number < ? ORDER BY number DESC LIMIT ?"
        return self._answered(self._database.rows(query, number, limit))

    def since(self, number: int) -> list[Dispute]:
        """Those after a number, oldest first."""
        return self._answered(self._database.rows(f"{_DISPUTES} WHERE number > ? ORDER BY number", number))

    def state(self) -> tuple[int, int, int]:
        """How many disputes there are, how many answers, and how many disputes are open."""
        (row,) = self._database.rows(_STATE, Found.INVESTIGATING.value)
        return int(row[0]), int(row[1]), int(row[2])

    def _answered(self, rows: Sequence[Row]) -> list[Dispute]:
        query = """SELECT a.dispute, a.answered, a.account, a.decision, a.note FROM given
            JOIN answers AS a ON a.dispute = given.about ORDER BY a.number"""
        answers: defaultdict[int, list[Answer]] = defaultdict(list)
        for row in self._database.rows_given({"about": "bigint"}, [(row[5],) for row in rows], query):
            answers[row[0]].append(Answer(row[0], row[1], row[2], Found(row[3]), row[4]))
        disputes = [Dispute(row[0], row[1], _objection(row[2]), *row[3:]) for row in rows]
        return [replace(dispute, answers=tuple(answers[dispute.number])) for dispute in disputes]


def _objection(word: str) -> Objection:
    """Whoever takes over the public page may write any word; it must not stop whoever reads it."""
    return Objection(word) if word in [*Objection] else Objection.SOMETHING_ELSE


_DISPUTES = "SELECT custody, received, objection, note, language, number FROM disputes"
_STATE = """SELECT (SELECT count(*) FROM disputes), (SELECT count(*) FROM answers),
    (SELECT count(*) FROM disputes AS d WHERE NOT EXISTS (SELECT 1 FROM answers AS a WHERE a.dispute = d.number
        AND a.decision <> ? AND a.number = (SELECT max(b.number) FROM answers AS b WHERE b.dispute = d.number)))"""
