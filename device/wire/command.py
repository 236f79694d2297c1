"""What central orders of a terminal, and the terminal's answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from device.wire.fields import (
    Claims,
    ClockState,
    Code,
    Counter,
    Name,
    Sentence,
    TerminalId,
    UnixTime,
    Uuid,
    Uuid7,
)


class Command(StrEnum):
    """What central may order. A terminal refuses a word that it does not know."""

    REPORT_HEALTH = "report-health"
    IDENTIFY = "identify"
    PAUSE = "pause"
    RESUME = "resume"
    CLEAR_LOCKOUT = "clear-lockout"
    RESTART = "restart"


class ReplyStatus(StrEnum):
    """What became of a command."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class CommandClaims(Claims):
    """A command.

    Attributes:
        iss: the central server.
        aud: the terminal.
        jti: the command's id.
        iat: seconds since 1970.
        exp: seconds since 1970; not to be obeyed from then on.
        boot: the boot id of the terminal that this command is for.
        counter: strictly rising for each terminal; one that is not above the last one obeyed is not obeyed again.
        command: what to do.
    """

    iss: Name
    aud: TerminalId
    jti: Uuid7
    iat: UnixTime
    exp: UnixTime
    boot: Uuid
    counter: Annotated[Counter, Field(ge=1)]
    command: Command | Code


class ReplyClaims(Claims):
    """The answer to a command; one that was obeyed is answered with the very same envelope each time it comes.

    Attributes:
        command: the command's `jti`.
        counter: the command's.
        status: what became of it.
        reason: why it was refused or failed.
        sentence: the same for people.
    """

    iss: TerminalId
    iat: UnixTime
    boot: Uuid
    uptime_s: Annotated[float, Field(ge=0)]
    clock: ClockState | Code
    command: Uuid7
    counter: Counter
    status: ReplyStatus | Code
    reason: Code | None = None
    sentence: Sentence
