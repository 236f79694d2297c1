"""How templates write: everything that a terminal or a person can send is text and stays text."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape


def moment(unix_s: int, zone: ZoneInfo) -> Markup:
    """A time for people and for programs."""
    at = datetime.fromtimestamp(unix_s, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    )


def words(code: str) -> Markup:
    """A machine's word for people, apart from the writing around it."""
    return Markup("<bdi>{}</bdi>").format(escape(code).replace("-", " "))


def templates_of(package: str) -> Environment:
    """The templates of an application."""
    made = Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(default=True, default_for_string=True, enabled_extensions=("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "words": words}
    return made
