"""Alarms: what the rules found, with the journal rows that show it; each occasion is told once."""

from __future__ import annotations

import json
from dataclasses import dataclass

from central.database import Database


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm.

    Attributes:
        rule: which rule.
        about: a terminal, an attendant or a subject's pseudonym.
        occasion: what tells this occasion from another of the same rule and subject.
        sentence: what happened, for people.
        rows: journal numbers that show it.
        quiet_s: for how long nothing more is said by this rule about the same.
        raised: seconds since 1970.
    """

    rule: str
    about: str
    occasion: str
    sentence: str
    rows: tuple[int, ...] = ()
    quiet_s: int = 0
    raised: int = 0


class Alarms:
    """The alarms of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_once(self, alarm: Alarm, now: int) -> bool:
        """Writes an alarm down unless it was already; to be called inside a transaction; returns whether it is new."""
        query = "SELECT 1 FROM alarms WHERE rule = ? AND about = ? AND (occasion = ? OR raised > ?)"
        since = now - alarm.quiet_s
        if self._database.rows(query, alarm.rule, alarm.about, alarm.occasion, since):
            return False
        self._database.rows(
            "INSERT INTO alarms VALUES (?, ?, ?, ?, ?, ?)",
            alarm.rule, alarm.about, alarm.occasion, now, alarm.sentence, json.dumps(alarm.rows),
        )  # fmt: skip
        return True

    def since(self, raised: int) -> list[Alarm]:
        """Alarms from a time on, oldest first."""
        query = """SELECT rule, about, occasion, sentence, rows, raised FROM alarms
            WHERE raised >= ? ORDER BY raised, rule, about"""
        return [
            Alarm(rule, about, occasion, sentence, tuple(json.loads(numbers)), raised=raised)
            for rule, about, occasion, sentence, numbers, raised in self._database.rows(query, raised)
        ]

    def progress(self) -> int:
        """How far the rules have read the journal."""
        rows = self._database.rows("SELECT number FROM progress WHERE name = 'rules'")
        return int(rows[0][0]) if rows else 0

    def advance(self, number: int) -> None:
        """Notes how far the rules have read the journal."""
        self._database.rows(
            "INSERT INTO progress VALUES ('rules', ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number", number
        )
