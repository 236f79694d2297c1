"""Alarms: what the rules found, with the journal rows that show it; each occasion is told once."""

from __future__ import annotations

import json
from dataclasses import dataclass

from central.database import Database, Row

JOURNAL, DISPUTES, GUESSING = "rules", "disputes", "guessing"
"""What the rules read, under the names by which the ledger knows how far."""


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
        return [_alarm(row) for row in self._database.rows(query, raised)]

    def page(self, limit: int, *, rule: str = "", about: str = "", skip: int = 0) -> list[Alarm]:
        """The newest first, of one rule or about one terminal when they are named."""
        wanted = [(name, value) for name, value in (("rule", rule), ("about", about)) if value]
        condition = " AND ".join(["raised >= 0", *(f"{name} = ?" for name, _ in wanted)])
        query = f"""SELECT rule, about, occasion, sentence, rows, raised FROM alarms WHERE {condition}
            ORDER BY raised DESC, rule, about LIMIT ? OFFSET ?"""  # noqa: S608 - names are ours
        return [_alarm(row) for row in self._database.rows(query, *(value for _, value in wanted), limit, skip)]

    def rules(self) -> dict[str, int]:
        """How many alarms each rule has raised."""
        return {rule: int(count) for rule, count in self._database.rows(_BY_RULE)}

    def count(self, since: int, until: int) -> int:
        """How many were raised from one time to another."""
        query = "SELECT count(*) FROM alarms WHERE raised >= ? AND raised < ?"
        return int(self._database.rows(query, since, until)[0][0])

    def progress(self, name: str = JOURNAL) -> int:
        """How far the rules have read the journal, or what the public page wrote."""
        rows = self._database.rows("SELECT number FROM progress WHERE name = ?", name)
        return int(rows[0][0]) if rows else 0

    def advance(self, number: int, name: str = JOURNAL) -> None:
        """Notes how far the rules have read."""
        query = "INSERT INTO progress VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number"
        self._database.rows(query, name, number)


_BY_RULE = "SELECT rule, count(*) FROM alarms GROUP BY rule ORDER BY rule"


def _alarm(row: Row) -> Alarm:
    rule, about, occasion, sentence, numbers, raised = row
    return Alarm(rule, about, occasion, sentence, tuple(json.loads(numbers)), raised=raised)
