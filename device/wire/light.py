"""The colour code of the coloured-light challenge: derived beside the plan, so that central recomputes it.

HKDF-SHA256 (RFC 5869) from the plan's own inputs under a label of its own. Experimental: see docs/light.md.
"""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from device.wire.plan import PlanError

Duties: TypeAlias = tuple[float, float, float]
"""How long red, green and blue are lit in each period of the ring's pulses, 0..1."""

COLOURS_IN_CODE = 40
MIN_COLOUR_MS = 400
MAX_COLOUR_MS = 800
FADE_S = 0.12


class LightChoice(StrEnum):
    """What a request asks of the ring. `off` is the way for whoever is sensitive to changing light."""

    OFF = "off"
    EXPERIMENTAL = "experimental"


class LightVerdict(StrEnum):
    """What became of the coloured light. Only `not-answered` denies; nothing here ever helps."""

    OFF = "off"
    NO_RING = "no-ring"
    NOT_MEASURED = "not-measured"
    ANSWERED = "answered"
    NOT_ANSWERED = "not-answered"


class Colour(StrEnum):
    """The code's alphabet: four pale colours, opposite each other about white."""

    AMBER = "amber"
    BLUE = "blue"
    GREEN = "green"
    ROSE = "rose"


# The luminous intensities of a common RGB light (WS2812B: 390-420, 660-720 and 180-200 mcd) as shares of their sum.
# With them white and the four colours are equally bright, and red is never more than 0.55 of any (WCAG: below 0.8).
INTENSITY_SHARES: Duties = (0.32, 0.53, 0.15)
WHITE: Duties = (0.53, 0.53, 0.53)
DARK: Duties = (0.0, 0.0, 0.0)
PALETTE: dict[Colour, Duties] = {
    Colour.AMBER: (0.63, 0.602, 0.06),
    Colour.BLUE: (0.443, 0.449, 1.0),
    Colour.GREEN: (0.22, 0.725, 0.503),
    Colour.ROSE: (0.84, 0.335, 0.557),
}


@dataclass(frozen=True, slots=True)
class LightCode:
    """One session's code.

    Attributes:
        colours: in order; neighbours differ.
        starts_s: when each begins, in seconds since the challenge began; the first is 0.
        end_s: when the last one gives way to white.
    """

    colours: tuple[Colour, ...]
    starts_s: tuple[float, ...]
    end_s: float

    def place(self, seconds: float) -> int | None:
        """Which colour is on at a time; None before the first and after the last."""
        if not 0.0 <= seconds < self.end_s:  # false for NaN, too
            return None
        return bisect.bisect_right(self.starts_s, seconds) - 1

    def begun(self, seconds: float) -> int:
        """How many colours have begun by a time."""
        return bisect.bisect_right(self.starts_s, seconds)

    def duties(self, seconds: float) -> Duties:
        """What the ring shows: each colour fades in from the one before, and white stands around the code."""
        place = self.place(seconds)
        if place is None:
            return WHITE
        before = PALETTE[self.colours[place - 1]] if place else WHITE
        share = min((seconds - self.starts_s[place]) / FADE_S, 1.0)
        red, green, blue = (a + (b - a) * share for a, b in zip(before, PALETTE[self.colours[place]], strict=True))
        return red, green, blue


def derive_light(*, nonce: bytes, salt: bytes, session: str, terminal: str) -> LightCode:
    """Derives the code; the same arguments, which are the plan's, give the same code on the terminal and at central.

    Raises:
        PlanError: nonce or salt are too short.
    """
    if min(len(nonce), len(salt)) < 16:
        raise PlanError("nonce and salt need at least 16 bytes")
    fields = ("likeness/v1/light", session, terminal)
    info = b"".join(len(raw).to_bytes(2, "big") + raw for raw in (field.encode() for field in fields))
    stream = HKDF(algorithm=SHA256(), length=8 * COLOURS_IN_CODE, salt=salt, info=info).derive(nonce)
    words = [int.from_bytes(stream[i : i + 8], "big") for i in range(0, len(stream), 8)]
    colours: list[Colour] = []
    for word in words:
        others = [colour for colour in sorted(Colour) if not colours or colour is not colours[-1]]
        colours.append(others[word % len(others)])
    # Whole milliseconds from the word's upper end: any language computes them alike.
    lengths_ms = [MIN_COLOUR_MS + (word * (MAX_COLOUR_MS - MIN_COLOUR_MS + 1) >> 64) for word in words]
    *starts_ms, end_ms = itertools.accumulate(lengths_ms, initial=0)
    return LightCode(tuple(colours), tuple(start / 1000 for start in starts_ms), end_ms / 1000)
