"""What a terminal says of itself when it connects, and in advance for the moment it is lost."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from device.wire.claims import Software
from device.wire.fields import Claims, ClockState, Code, Counter, Sha256, TerminalId, UnixTime, Uuid


class Presence(StrEnum):
    """Whether the terminal is on the line."""

    ONLINE = "online"
    LOST = "lost"
    STOPPED = "stopped"


class BirthClaims(Claims):
    """A birth, or the last will (`lost`) signed with it; epoch to waiting are absent while the outbox is unreadable.

    Attributes:
        boot: requests must name it.
        epoch: the chain's epoch.
        head_seq: place of the newest result in the chain; 0 when there is none in this epoch. A server that holds a
            later one knows that the terminal was rolled back.
        head_sha256: SHA-256 of that result's (or, at 0, the anchor's) envelope; 64 zeros when there is none.
        waiting: envelopes without a receipt.
    """

    iss: TerminalId
    iat: UnixTime
    boot: Uuid
    uptime_s: Annotated[float, Field(ge=0)]
    clock: ClockState | Code
    presence: Presence | Code
    epoch: Counter | None = None
    head_seq: Counter | None = None
    head_sha256: Sha256 | None = None
    waiting: Counter | None = None
    software: Software
