"""The commands that central gave, as the ledger keeps them, and the replies to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from central.database import Database
from device.wire.command import CommandClaims, ReplyClaims
from device.wire.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Reply:
    """What a terminal answered."""

    status: str
    reason: str | None
    sentence: str


class Orders:
    """The commands of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, terminal: str, make: Callable[[int], tuple[CommandClaims, Envelope]]) -> tuple[str, bytes]:
        """Gives the terminal's next counter to `make` and writes the command down before it is sent.

        Returns:
            The command's id and its envelope.
        """
        with self._database.transaction():
            query = "SELECT coalesce(max(counter), 0) + 1 FROM commands WHERE terminal = ?"
            claims, envelope = make(self._database.rows(query, terminal)[0][0])
            self._database.rows(
                "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?)",
                claims.jti, terminal, claims.counter, claims.boot, str(claims.command), claims.exp, envelope.raw,
            )  # fmt: skip
        return claims.jti, envelope.raw

    def answer(self, terminal: str, reply: ReplyClaims, envelope: bytes, now: int) -> None:
        """Keeps the first reply to a command that this terminal was given; to be called inside a transaction."""
        given = "SELECT 1 FROM commands WHERE id = ? AND terminal = ? AND counter = ?"
        if self._database.rows(given, reply.command, terminal, reply.counter):
            self._database.rows(
                "INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                reply.command, now, str(reply.status), reply.reason, reply.sentence, envelope,
            )  # fmt: skip

    def reply(self, command: str) -> Reply | None:
        """The reply to a command, when there is one."""
        rows = self._database.rows("SELECT status, reason, sentence FROM replies WHERE command = ?", command)
        return Reply(*rows[0]) if rows else None

    def unanswered(self, now: int) -> list[tuple[str, str, bytes]]:
        """Terminal, boot id and envelope of commands that are neither answered nor expired, in their order."""
        query = """SELECT terminal, boot, envelope FROM commands WHERE expires > ?
            AND NOT EXISTS (SELECT 1 FROM replies WHERE replies.command = commands.id) ORDER BY terminal, counter"""
        return [(terminal, boot, envelope) for terminal, boot, envelope in self._database.rows(query, now)]
