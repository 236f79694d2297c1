"""What the doctor finds, and the report it makes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

RELEASED = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
"""No terminal is older: a clock that shows less is wrong."""


class Level(StrEnum):
    """How a check ended, the worst first."""

    STOPS = "stops"
    """No session can be held, or no result can leave."""
    MEND = "mend"
    """The terminal works, and something is to be done."""
    SKIPPED = "skipped"
    NOTE = "note"
    """Nothing to do, but to know."""
    WELL = "well"


_ORDER = list(Level)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A measured number with its scale; well from `well_from` to `well_to`."""

    label: str
    value: float
    unit: str
    least: float
    most: float
    well_from: float
    well_to: float

    @property
    def is_well(self) -> bool:
        """Whether the value is where it should be."""
        return self.well_from <= self.value <= self.well_to


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    Attributes:
        check: what was looked at.
        found: what was seen.
        why: why that matters; empty where all is well.
        advice: what to do next; empty where there is nothing to do.
        gauge: the number behind it.
    """

    check: str
    level: Level
    found: str
    why: str = ""
    advice: str = ""
    gauge: Gauge | None = None

    @property
    def is_to_do(self) -> bool:
        """Whether somebody has to do something."""
        return self.level in (Level.STOPS, Level.MEND)

    def as_json(self) -> dict[str, Any]:
        """The finding's fields; those that say nothing are left out."""
        return {name: value for name, value in asdict(self).items() if value}


def skipped(check: str, reason: str) -> Finding:
    """A check that was not made, and why."""
    return Finding(check, Level.SKIPPED, reason)


def well(check: str, found: str, gauge: Gauge | None = None) -> Finding:
    """A check that found nothing to do."""
    return Finding(check, Level.WELL, found, gauge=gauge)


def plain(words: str) -> str:
    """One line of printable signs: names of cameras and cards, and what a stranger at the broker's address says."""
    return "".join(sign if sign.isprintable() else "?" for sign in words)


def plural(count: int, thing: str) -> str:
    """`1 thing`, `2 things`."""
    return f"{count} {thing}" + ("" if count == 1 else "s")


@dataclass(frozen=True, slots=True)
class Pictures:
    """What the report draws beside the findings; nothing of it shows a person.

    Attributes:
        gaps_ms: time between one frame and the next, milliseconds.
        parts: how each part of the panel was found, by its name in the pin map.
    """

    gaps_ms: Sequence[float] = ()
    parts: Mapping[str, Level] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one examination.

    Attributes:
        terminal: its id, or `not enrolled`.
        at: by the terminal's own clock.
        firmware: version of the software.
    """

    terminal: str
    at: datetime
    firmware: str
    findings: tuple[Finding, ...]
    pictures: Pictures = Pictures()

    @property
    def to_do(self) -> list[Finding]:
        """What somebody has to do, the worst first."""
        return [finding for finding in self.worst_first if finding.is_to_do]

    @property
    def worst_first(self) -> list[Finding]:
        """Every finding; of like ones in the order in which they were made."""
        return sorted(self.findings, key=lambda finding: _ORDER.index(finding.level))

    @property
    def exit_status(self) -> int:
        """0: nothing to do. 1: something to do."""
        return 1 if self.to_do else 0

    @property
    def verdict(self) -> str:
        """The whole in one sentence."""
        stopping = sum(finding.level is Level.STOPS for finding in self.findings)
        passed_over = sum(finding.level is Level.SKIPPED for finding in self.findings)
        rest = f", {plural(passed_over, 'check')} skipped" if passed_over else ""
        if stopping:
            return f"This terminal cannot serve: {plural(len(self.to_do), 'thing')} to do{rest}."
        if self.to_do:
            return f"This terminal serves, with {plural(len(self.to_do), 'thing')} to do{rest}."
        return f"All is well{rest}."

    def as_json(self) -> dict[str, Any]:
        """For machines: findings the worst first."""
        return {
            "terminal": self.terminal,
            "at": self.at.isoformat(timespec="seconds"),
            "firmware": self.firmware,
            "verdict": self.verdict,
            "exit_status": self.exit_status,
            "findings": [finding.as_json() for finding in self.worst_first],
        }
