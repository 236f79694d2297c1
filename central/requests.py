"""What central asked for, as the ledger keeps it: the question for ever, its sealed bytes until it is answered."""

from __future__ import annotations

from collections.abc import Iterable

from central.assessment import Asked
from central.database import Database
from device.wire.claims import Outcome
from device.wire.request import RequestClaims

_ANSWERED = """(EXISTS (SELECT 1 FROM results WHERE results.request = unanswered.id)
    OR EXISTS (SELECT 1 FROM quarantine WHERE quarantine.request = unanswered.id))"""


class Requests:
    """The requests of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, claims: RequestClaims, envelope: bytes, customer_number: str | None = None) -> None:
        """Writes a request down, before it is sent: a result that answers it must never be unknown.

        Args:
            claims: what is asked.
            envelope: the same, signed.
            customer_number: the pseudonym of the customer's phone number, which no terminal learns.
        """
        asked = Asked.of(claims).write().decode()
        with self._database.transaction():
            row = (claims.jti, claims.aud, claims.boot, claims.exp, asked, customer_number)
            self._database.rows("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?)", *row)
            self._database.rows("INSERT INTO unanswered VALUES (?, ?)", claims.jti, envelope)

    def asked(self, requests: Iterable[str]) -> dict[str, tuple[Asked, int]]:
        """What these requests asked for, and how many accepted results each has."""
        query = """SELECT r.id, r.asked, (SELECT count(*) FROM results WHERE results.request = r.id)
            FROM given JOIN requests AS r ON r.id = given.id"""
        rows = self._database.rows_given({"id": "text"}, [(request,) for request in {*requests}], query)
        return {request: (Asked.read(asked.encode()), answers) for request, asked, answers in rows}

    def was_declined(self, transaction: str, first: int) -> bool:
        """Whether a customer refused in this transaction, in results from number `first` on."""
        query = """SELECT 1 FROM results WHERE number >= ? AND "transaction" = ? AND outcome = ? LIMIT 1"""
        return bool(self._database.rows(query, first, transaction, Outcome.DECLINED.value))

    def unanswered(self, now: int) -> list[tuple[str, str, bytes]]:
        """Terminal, boot id and envelope of requests that are neither answered nor expired."""
        query = f"""SELECT r.terminal, r.boot, unanswered.envelope FROM unanswered JOIN requests AS r USING (id)
            WHERE r.expires > ? AND NOT {_ANSWERED} ORDER BY id"""  # noqa: S608
        return [(terminal, boot, envelope) for terminal, boot, envelope in self._database.rows(query, now)]

    def forget_sealed(self, now: int) -> None:
        """Deletes the envelopes, with the sealed references in them, that are not to be sent again."""
        expired = "EXISTS (SELECT 1 FROM requests WHERE requests.id = unanswered.id AND expires <= ?)"
        self._database.rows(f"DELETE FROM unanswered WHERE {expired} OR {_ANSWERED}", now)  # noqa: S608
