"""What people did at the console: an append-only list for administrators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from central.web.store import Store


@dataclass(frozen=True, slots=True)
class Act:
    """One of them; `about` names an account, a result or a file, never a pseudonym."""

    number: int
    at: int
    account: str
    address: str
    act: str
    about: str


class Acts:
    """The acts of a store."""

    def __init__(self, store: Store, wall: Callable[[], float]) -> None:
        self._store, self._wall = store, wall

    def note(self, account: str, address: str, act: str, about: str = "") -> None:
        """Writes one down."""
        with self._store.transaction() as database:
            database.rows(
                "INSERT INTO acts (at, account, address, act, about) VALUES (?, ?, ?, ?, ?)",
                int(self._wall()), account, address, act, about,
            )  # fmt: skip

    def before(self, number: int, limit: int) -> list[Act]:
        """The newest that are older than a number, newest first."""
        query = (
            "SELECT number, at, account, address, act, about FROM acts WHERE number < ? ORDER BY number DESC LIMIT ?"
        )
        with self._store.transaction() as database:
            return [Act(*row) for row in database.rows(query, number, limit)]
