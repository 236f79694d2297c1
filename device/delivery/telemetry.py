"""Telemetry: how the terminal is, in numbers of the machine and of the loop; nothing of a customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from device.delivery.clocks import TerminalClock
from device.delivery.outbox import Outbox
from device.wire.health import HealthClaims
from device.wire.update import UpdateMark

TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""On a Raspberry Pi: bits of what slowed the processor down, now and since the machine started."""
T = TypeVar("T")


@dataclass(slots=True)
class Vitals:
    """What the loop knows of itself: written by the loop, read by the link's thread.

    Attributes:
        camera: a word for the camera's state.
        sessions: begun since the process started.
        paused: central ordered a pause.
        locked_until_s: uptime until which a terminal that failed too often begins nothing.
        refused: messages that were not believed.
        updates: how they stand.
    """

    camera: str = "starting"
    sessions: int = 0
    paused: bool = False
    locked_until_s: float = 0.0
    refused: int = 0
    updates: tuple[UpdateMark, ...] = ()


class Telemetry:
    """Measures the terminal's health."""

    def __init__(self, terminal: str, boot: str, clock: TerminalClock, outbox: Outbox, vitals: Vitals) -> None:
        self._terminal, self._boot, self._clock = terminal, boot, clock
        self._outbox, self._vitals = outbox, vitals

    def claims(self, link: str, refused: int) -> HealthClaims:
        """Returns the health now; `refused` are the messages that the link did not believe."""
        instant, outbox, vitals = self._clock.read(), self._outbox.check(), self._vitals
        used, free = self._outbox.sizes()
        locked_s = vitals.locked_until_s - instant.uptime_s
        return HealthClaims(
            iss=self._terminal,
            iat=max(0, int(instant.unix_s)),
            boot=self._boot,
            uptime_s=round(instant.uptime_s, 3),
            clock=instant.state,
            outbox=outbox.state,
            waiting=outbox.waiting,
            oldest_waiting_s=None if outbox.oldest is None else max(0.0, round(instant.unix_s - outbox.oldest, 1)),
            outbox_bytes=used,
            disk_free_bytes=free,
            temperature_c=measured(TEMPERATURE, lambda text: int(text) / 1000),
            throttled=measured(THROTTLED, lambda text: int(text, 16) != 0),
            camera=vitals.camera,
            link=link,
            sessions=vitals.sessions,
            paused=vitals.paused,
            lockout_s=round(locked_s, 1) if locked_s > 0 else None,
            refused_messages=vitals.refused + refused,
            updates=vitals.updates or None,
        )


def measured(place: Path, read: Callable[[str], T]) -> T | None:
    """Returns what `read` makes of a file of the kernel; None where there is none, or it says something else."""
    try:
        return read(place.read_text().strip())
    except (OSError, ValueError):
        return None
