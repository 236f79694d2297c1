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
    """A birth, or the last will (`lost`) signed together with it.

    Attributes:
        boot: requests must name it.
        epoch: the chain's epoch.
        head_seq: place of the newest result in the chain; 0 when there is none. A server that holds a
            later one knows that the terminal was rolled back.
        head_sha256: SHA-256 of that result's envelope; 64 zeros when there is none.
        waiting: results without a receipt.
    """

    iss: TerminalId
    iat: UnixTime
    boot: Uuid
    uptime_s: Annotated[float, Field(ge=0)]
    clock: ClockState | Code
    presence: Presence | Code
    epoch: Counter
    head_seq: Counter
    head_sha256: Sha256
    waiting: Counter
    software: Software
