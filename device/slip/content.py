"""What a slip says. Pure but for the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from device.panel.catalogue import load_catalogue
from device.panel.sentences import PURPOSE
from device.wire.claims import Outcome
from device.wire.slip import shown_code

KEYS = frozenset(
    {"title", "outlet", "terminal", "clock", "code", "look-up", "keep", "test", *(outcome.value for outcome in Outcome)}
)
"""Every text that a catalogue has for the slip."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One slip.

    Attributes:
        terminal: where the session was.
        at: when it ended, in the terminal's own time zone.
        clock_set: that time was set at least once since the terminal started.
        language: the customer's.
        outlet: as the request said it; None when offline.
        purpose: so is this.
        outcome: None for a test: no session was held.
        code: what is looked up; None for a test.
    """

    terminal: str
    at: datetime
    clock_set: bool
    language: str
    outlet: str | None = None
    purpose: str | None = None
    outcome: Outcome | None = None
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Wording:
    """The slip's texts from top to bottom; `link` is what its QR code says."""

    title: str
    facts: tuple[str, ...]
    outcome: str
    link: str = field(repr=False)
    code_label: str
    code: str = field(repr=False)
    address: str
    advice: tuple[str, ...]


def wording(slip: Slip, address: str) -> Wording:
    """Puts a slip into words; `address` is where it is looked up.

    The code stands behind a #: no browser sends that part, so that no server's or proxy's log has it.
    """
    catalogue = load_catalogue(slip.language)
    words = catalogue.slip
    purpose = catalogue.messages.get(f"{PURPOSE}{slip.purpose}") if slip.purpose is not None else None
    facts = (
        None if slip.outlet is None else words["outlet"].format(name=slip.outlet),
        words["terminal"].format(name=slip.terminal),
        f"{slip.at:%Y-%m-%d %H:%M} (UTC{_offset(slip.at)})",
        None if slip.clock_set else words["clock"],
        purpose,
    )
    test = slip.outcome is None or slip.code is None
    return Wording(
        title=words["title"],
        facts=tuple(fact for fact in facts if fact is not None),
        outcome=words["test" if slip.outcome is None else slip.outcome.value],
        link=address if slip.code is None else f"{address}/#{slip.code}",
        code_label=words["code"],
        code="TEST" if slip.code is None else shown_code(slip.code),
        address=address,
        advice=() if test else (words["look-up"], words["keep"]),
    )


def _offset(at: datetime) -> str:
    """`+05:30`; nothing for a time without a zone."""
    return f"{at:%z}"[:3] + f":{f'{at:%z}'[3:5]}" if at.tzinfo is not None else ""
