"""What the terminals said of themselves last, as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping

from central.database import Database
from central.messages import open_message
from central.registry import Registry
from central.verify import RefusedError
from device.wire.birth import BirthClaims, Presence
from device.wire.health import HealthClaims


class Fleet:
    """The newest births and health of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_births(self, births: Mapping[str, bytes], now: int) -> None:
        """Keeps the newest birth of each terminal."""
        self._set("births", births, now)

    def set_health(self, health: Mapping[str, bytes], now: int) -> None:
        """Keeps the newest health of each terminal."""
        self._set("health", health, now)

    def births(self, registry: Registry) -> dict[str, tuple[int, BirthClaims]]:
        """When the newest birth of each terminal came, and what it says; without those that no longer count."""
        said = {}
        for terminal, received, raw in self._database.rows("SELECT terminal, received, envelope FROM births"):
            try:
                said[terminal] = received, open_message(raw, terminal, registry, BirthClaims)[1]
            except RefusedError:
                continue  # its key was revoked, or left the registry
        return said

    def boots(self, registry: Registry) -> dict[str, str]:
        """The boot ids of the terminals that are on the line."""
        births = self.births(registry)
        return {terminal: birth.boot for terminal, (_, birth) in births.items() if birth.presence == Presence.ONLINE}

    def health(self, registry: Registry) -> dict[str, tuple[int, HealthClaims]]:
        """When the newest health of each terminal came, and what it says."""
        said = {}
        for terminal, received, raw in self._database.rows("SELECT terminal, received, envelope FROM health"):
            try:
                said[terminal] = received, open_message(raw, terminal, registry, HealthClaims)[1]
            except RefusedError:
                continue
        return said

    def _set(self, table: str, said: Mapping[str, bytes], now: int) -> None:
        for terminal, envelope in said.items():
            self._database.rows(
                f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT (terminal)"  # noqa: S608 - a name of ours
                " DO UPDATE SET received = excluded.received, envelope = excluded.envelope",
                terminal, now, envelope,
            )  # fmt: skip
