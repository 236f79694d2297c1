"""The terminal's clocks as results name them: boot id, time since boot, and how far the wall clock may be believed."""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from device.wire.fields import ClockState

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STEP_S = 2.0
_TIME_ERROR = 5
_TIMEX_BYTES = 256
"""More than `struct timex` has on any architecture; all zero asks and changes nothing."""


@dataclass(frozen=True, slots=True)
class Instant:
    """One reading: wall clock in seconds since 1970, seconds since boot, and the wall clock's trust state."""

    unix_s: float
    uptime_s: float
    state: ClockState


def boot_id() -> str:
    """The kernel's id of this boot: random, and new with each start of the machine."""
    return BOOT_ID.read_text().strip()


def kernel_is_synchronised() -> bool:
    """Whether the kernel says that some time service disciplines its clock (adjtimex(2))."""
    answer: int = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return 0 <= answer < _TIME_ERROR


class TerminalClock:
    """Reads the clocks and notices when the wall clock jumps against the time since boot."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        uptime: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        synchronised: Callable[[], bool] = kernel_is_synchronised,
    ) -> None:
        self._wall, self._uptime, self._synchronised = wall, uptime, synchronised
        self._offset_s = wall() - uptime()
        self._was_synced = synchronised()
        self._stepped = False

    def record(self, boot: str) -> str:
        """What `resume` needs after a restart of the daemon, as text."""
        self.read()
        return json.dumps([boot, self._offset_s, self._was_synced, self._stepped])

    def resume(self, record: str, boot: str) -> None:
        """Goes on from a record of the same boot: a clock that was set while the daemon was away has jumped, too.

        Raises ValueError or TypeError when it is none.
        """
        before, offset_s, synced, stepped = json.loads(record)
        if before == boot:
            self._stepped = self._stepped or stepped or (synced and abs(self._offset_s - offset_s) > STEP_S)
            self._was_synced = self._was_synced or synced

    def read(self) -> Instant:
        """Reads all clocks; a jump after the first synchronisation is remembered until the machine stops."""
        unix_s, uptime_s, synced = self._wall(), self._uptime(), self._synchronised()
        offset_s = unix_s - uptime_s
        if self._was_synced and abs(offset_s - self._offset_s) > STEP_S:
            self._stepped = True
        self._offset_s, self._was_synced = offset_s, self._was_synced or synced
        if self._stepped:
            return Instant(unix_s, uptime_s, ClockState.STEPPED)
        return Instant(unix_s, uptime_s, ClockState.SYNCED if self._was_synced else ClockState.NEVER_SYNCED)
