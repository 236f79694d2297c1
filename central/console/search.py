"""Finds results by what people look for, newest first, a page at a time.

Numbers of the journal are what pages go by: whoever turns a page continues where the last one ended, however much has
come in between, and page one thousand costs what page one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from central.custody import Custody
from central.ledger import Ledger
from device.wire.claims import Outcome

PAGE = 50
NEWEST = 2**62
MAX_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; empty is everything. `since` and `until` are days, the last one included."""

    request: str = ""
    transaction: str = ""
    attendant: str = ""
    outlet: str = ""
    terminal: str = ""
    reason: str = ""
    outcome: str = ""
    verdict: str = ""
    since: date | None = field(default=None)
    until: date | None = field(default=None)

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Search:
        """From the query of an address; a day that is none is left out, and signs that are none find nothing."""

        def word(name: str) -> str:
            return _plain(query.get(name, ""))

        return cls(
            request=word("request"),
            transaction=word("transaction"),
            attendant=word("attendant"),
            outlet=word("outlet"),
            terminal=word("terminal"),
            reason=word("reason"),
            outcome=word("outcome"),
            verdict=word("verdict"),
            since=_day(word("since")),
            until=_day(word("until")),
        )

    def shown(self) -> dict[str, str]:
        """What an address needs to look for the same."""
        values = {name.name: getattr(self, name.name) for name in fields(self)}
        return {name: str(value) for name, value in values.items() if value}


def find(ledger: Ledger, search: Search, zone: ZoneInfo, before: int = NEWEST, limit: int = PAGE) -> list[Custody]:
    """The newest that match and have a number below `before`, newest first."""
    first, last = _numbers(ledger, search, zone)
    query, values = _query(search)
    rows = ledger.database.rows(query, *values, first, min(last, before - 1), limit)
    return ledger.numbered([number for (number,) in rows])


_COLUMNS = {
    "transaction": 'r."transaction"',
    "attendant": "r.attendant",
    "outlet": "r.outlet",
    "terminal": "j.terminal",
    "reason": "r.first_reason",
    "outcome": "r.outcome",
}
"""What is looked for, and where it stands, those that leave fewest rows first."""


def _query(search: Search) -> tuple[str, list[object]]:
    """One statement. The condition that leaves fewest rows comes first and may use its index; the others may not.

    Left to itself, a database that knows nothing of the values takes the index of an outcome that many results have.
    """
    wanted = [(column, value) for name, column in _COLUMNS.items() if (value := getattr(search, name))]
    conditions: list[str] = []
    values: list[object] = []
    if search.request:
        conditions.append(_OF_REQUEST)
        values += [search.request, search.request]
    for column, value in wanted:
        conditions.append(f"{column} || '' = ?" if conditions else f"{column} = ?")
        values.append(value)
    if search.outcome not in ("", Outcome.VERIFIED):
        conditions.append("r.outcome <> 'verified'")  # what its index holds
    if search.verdict:
        conditions.append(f"j.verdict {'=' if search.verdict == 'accepted' else '<>'} 'accepted'")
    tables, key = "journal AS j", "j.number"
    if any(column.startswith("r.") for column, _ in wanted):
        conditions.append("j.number = r.number")
        # SQLite goes through crossed tables in the order in which they stand.
        tables = "journal AS j CROSS JOIN results AS r"
        if not search.request and wanted[0][0].startswith("r."):
            tables, key = "results AS r CROSS JOIN journal AS j", "r.number"
    conditions.append(f"{key} BETWEEN ? AND ?")
    return f"SELECT {key} FROM {tables} WHERE {' AND '.join(conditions)} ORDER BY {key} DESC LIMIT ?", values  # noqa: S608


_OF_REQUEST = """j.number IN (SELECT number FROM results WHERE request = ?
    UNION ALL SELECT number FROM quarantine WHERE request = ?)"""


def _numbers(ledger: Ledger, search: Search, zone: ZoneInfo) -> tuple[int, int]:
    first = ledger.number_since(day_begins(search.since, zone)) if search.since else 1
    last = ledger.number_since(day_begins(search.until + timedelta(1), zone)) - 1 if search.until else NEWEST
    return first, last


def day_begins(day: date, zone: ZoneInfo) -> int:
    """Seconds since 1970 of a day's midnight."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _plain(text: str) -> str:
    """Without what PostgreSQL takes for no text."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text.strip()[:MAX_CHARACTERS].strip())


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 < day.year < 9000 else None
