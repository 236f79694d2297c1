"""The MQTT topics: likeness/v1/{terminal}/{leaf}."""

from __future__ import annotations

import re
from enum import StrEnum

from device.wire.envelope import Kind
from device.wire.fields import TERMINAL_PATTERN

ROOT = "likeness/v1"
_TERMINAL = re.compile(TERMINAL_PATTERN)


class Leaf(StrEnum):
    """The last level of a topic; one purpose and one direction each."""

    REQUEST = "request"
    RECEIPT = "receipt"
    COMMAND = "command"
    RESULT = "result"
    EVIDENCE = "evidence"
    STATUS = "status"
    HEALTH = "health"
    COMMAND_REPLY = "command-reply"


TO_TERMINAL = (Leaf.REQUEST, Leaf.RECEIPT, Leaf.COMMAND)
TO_CENTRAL = (Leaf.RESULT, Leaf.EVIDENCE, Leaf.STATUS, Leaf.HEALTH, Leaf.COMMAND_REPLY)

CARRIES = {
    Leaf.REQUEST: (Kind.REQUEST,),
    Leaf.RECEIPT: (Kind.RECEIPT,),
    Leaf.COMMAND: (Kind.COMMAND,),
    Leaf.RESULT: (Kind.RESULT, Kind.ANCHOR),
    Leaf.EVIDENCE: (Kind.EVIDENCE,),
    Leaf.STATUS: (Kind.BIRTH,),
    Leaf.HEALTH: (Kind.HEALTH,),
    Leaf.COMMAND_REPLY: (Kind.REPLY,),
}
"""What an envelope on each leaf may be; for anything else it is not opened."""


def topic(terminal: str, leaf: Leaf) -> str:
    """The topic of one terminal; raises ValueError for an id that is none."""
    if not _TERMINAL.fullmatch(terminal):
        raise ValueError("a terminal's id has 1 to 32 of a-z, 0-9 and inner hyphens")
    return f"{ROOT}/{terminal}/{leaf}"


def every_terminal(leaf: Leaf) -> str:
    """The filter that matches this leaf of every terminal."""
    return f"{ROOT}/+/{leaf}"


def parse_topic(name: str) -> tuple[str, Leaf] | None:
    """Returns terminal and leaf, or None when this is no topic of ours."""
    if not name.startswith(f"{ROOT}/"):
        return None
    terminal, _, leaf = name.removeprefix(f"{ROOT}/").partition("/")
    if not _TERMINAL.fullmatch(terminal) or leaf not in set(Leaf):
        return None
    return terminal, Leaf(leaf)
