"""How the console's templates write."""

from __future__ import annotations

from markupsafe import Markup

from central.console.plots import OTHER, OUTCOMES
from central.web.writing import templates_of

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def ago(unix_s: int, now: int) -> str:
    """How long ago, in words."""
    return f"{span(max(0, now - unix_s))} ago"


def span(seconds: float) -> str:
    """A length of time in its two greatest units at most."""
    whole = int(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min"
    if whole < DAY_S:
        return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"
    return f"{whole // DAY_S} d {whole % DAY_S // HOUR_S} h"


def digest(text: str) -> Markup:
    """A digest that would break a line, short, whole in its title."""
    return Markup('<code title="{}">{}</code>').format(text, text[:12])


def plainly(code: str) -> str:
    """As `words`, where only text may stand."""
    return code.replace("-", " ")


def kind(outcome: str) -> str:
    """The look of an outcome: one of our own words, never a terminal's."""
    return outcome if outcome in OUTCOMES else OTHER


TEMPLATES = templates_of("central.console")
TEMPLATES.filters |= {
    "ago": ago, "span": span, "digest": digest, "plainly": plainly, "kind": kind,
    "thousands": lambda number: f"{number:,}",
}  # fmt: skip
