"""How the templates write: everything a terminal can send is text and stays text."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from central.console.plots import OTHER, OUTCOMES

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def moment(unix_s: int, zone: ZoneInfo) -> Markup:
    """A time for people and for programs."""
    at = datetime.fromtimestamp(unix_s, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    )


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


def words(code: str) -> Markup:
    """A machine's word for people, apart from the writing around it."""
    return Markup("<bdi>{}</bdi>").format(escape(code).replace("-", " "))


def plainly(code: str) -> str:
    """As `words`, where only text may stand."""
    return code.replace("-", " ")


def kind(outcome: str) -> str:
    """The look of an outcome: one of our own words, never a terminal's."""
    return outcome if outcome in OUTCOMES else OTHER


TEMPLATES = Environment(
    loader=PackageLoader("central.console"),
    autoescape=select_autoescape(default=True, default_for_string=True, enabled_extensions=("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {
    "moment": moment, "ago": ago, "span": span, "digest": digest, "words": words, "plainly": plainly, "kind": kind,
    "thousands": lambda number: f"{number:,}",
}  # fmt: skip
