"""How a terminal is, told every now and then: nothing biometric, and nothing of a single customer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from device.wire.fields import Claims, ClockState, Code, Counter, TerminalId, UnixTime, Uuid
from device.wire.update import UpdateMark

Elapsed = Annotated[float, Field(ge=0)]
"""Seconds."""


class HealthClaims(Claims):
    """The health of a terminal.

    Attributes:
        outbox: state of the outbox: `ok`, or why no session can start.
        waiting: results without a receipt; absent while the outbox cannot be read.
        oldest_waiting_s: how long the oldest of them has waited.
        outbox_bytes: size of the outbox on the disk.
        disk_free_bytes: room on that disk.
        temperature_c: of the processor.
        throttled: the processor was slowed down by heat or weak power since the machine started.
        camera: state of the camera.
        link: state of the link.
        sessions: how many were begun since the process started.
        paused: central ordered a pause.
        lockout_s: seconds until a terminal that failed too often may begin again; absent when it may.
        refused_messages: messages of the broker that were not believed since the process started.
        updates: those that are in force, on trial, or were given back; absent where there were none.
        receipt: true asks central for a receipt of this very message: somebody wants to know whether the way is open.
    """

    iss: TerminalId
    iat: UnixTime
    boot: Uuid
    uptime_s: Elapsed
    clock: ClockState | Code
    outbox: Code
    waiting: Counter | None = None
    oldest_waiting_s: Elapsed | None = None
    outbox_bytes: Counter
    disk_free_bytes: Counter
    temperature_c: Annotated[float, Field(ge=-100, le=200)] | None = None
    throttled: bool | None = None
    camera: Code
    link: Code
    sessions: Counter
    paused: bool
    lockout_s: Elapsed | None = None
    refused_messages: Counter
    updates: Annotated[tuple[UpdateMark, ...], Field(max_length=16)] | None = None
    receipt: bool | None = None
