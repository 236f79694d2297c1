"""What the terminals said of themselves last, as the ledger keeps it."""

from __future__ import annotations

from central.database import Database


class Fleet:
    """The newest births of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_birth(self, terminal: str, envelope: bytes, now: int) -> None:
        """Keeps the newest birth of a terminal."""
        self._database.rows(
            "INSERT INTO births VALUES (?, ?, ?) ON CONFLICT (terminal)"
            " DO UPDATE SET received = excluded.received, envelope = excluded.envelope",
            terminal, now, envelope,
        )  # fmt: skip

    def births(self) -> list[bytes]:
        """The newest birth of every terminal."""
        return [row[0] for row in self._database.rows("SELECT envelope FROM births ORDER BY terminal")]
