"""Admission: whether a session may begin now, and the counts behind it, which survive restarts and power cuts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from device.delivery.clocks import TerminalClock
from device.delivery.database import OutboxError, OutboxState
from device.delivery.outbox import OFFLINE_SESSIONS, Outbox
from device.delivery.telemetry import Vitals
from device.liveness.limits import Limits, Tally, begin_attempt, count_failure, end_attempt, read_tally, write_tally
from device.panel.prompts import Scene

LOG = logging.getLogger(__name__)
TALLY = "attempt-tally"
PAUSED = "paused"
CLOCK = "clock"
CHECK_S = 2.0


class Admission:
    """Asked by the loop before each session, and told when one begins and ends.

    Without an outbox that works nothing may begin: its result would have no place. What is counted is read when the
    outbox can be, and written before a session begins.
    """

    def __init__(
        self,
        outbox: Outbox,
        boot: str,
        clock: TerminalClock,
        limits: Limits,
        vitals: Vitals,
        *,
        offline_sessions: int = 0,
    ) -> None:
        """Takes, beside its adapters, how many sessions without a request may wait for a receipt."""
        self._outbox, self._boot, self._clock, self._limits = outbox, boot, clock, limits
        self._vitals, self._offline_sessions = vitals, offline_sessions
        self._tally: Tally | None = None
        self._state = OutboxState.OK
        self._check_at: float | None = None
        self._offline_begun = 0

    def look(self, at: float) -> None:
        """Looks at the outbox every now and then, at time `at` in seconds; a fault is told once."""
        if self._check_at is not None and at < self._check_at:
            return
        self._check_at = at + CHECK_S
        status = self._outbox.check()
        if status.state is OutboxState.OK:
            try:
                self._recall()
            except OutboxError as error:
                self.fault(error)
                return
        if status.state is not self._state:
            level = logging.INFO if status.state is OutboxState.OK else logging.ERROR
            LOG.log(level, "outbox state=%s %s", status.state, status.sentence)
        self._state = status.state

    def fault(self, error: OutboxError) -> None:
        """Takes notice of a fault that somebody else met."""
        LOG.error("no session without an outbox: %s", error)
        self._state = error.state

    @property
    def obstacle(self) -> Scene | None:
        """What the panel shows while nothing may begin; None when something may."""
        if self._state is not OutboxState.OK or self._tally is None:
            return Scene.FAULT
        return Scene.PAUSED if self._vitals.paused or self.is_locked else None

    @property
    def is_locked(self) -> bool:
        """Whether the terminal failed too often of late."""
        return self._counted.pause_left(self._clock.read().uptime_s) > 0

    @property
    def offline_scene(self) -> Scene:
        """What the panel shows while central is out of reach."""
        if self._offline_sessions == 0:
            return Scene.OFFLINE_IDLE
        return Scene.OFFLINE_READY if self._offline_begun < self._offline_sessions else Scene.OFFLINE_SPENT

    def begin(self, request: str, *, offline: bool = False) -> None:
        """Counts a session; the count is on the disk before anything else happens, and no power cut takes it back."""
        self._count(begin_attempt(self._counted, request))
        counts = self.counts()
        if offline:
            begun = (self._outbox.recall(OFFLINE_SESSIONS, int) or 0) + 1
            counts[OFFLINE_SESSIONS] = str(begun)
            self._offline_begun = begun
        self._outbox.remember(counts)
        self._vitals.sessions += 1

    def ended(self, *, failed: bool) -> None:
        """Counts how a session ended; `counts` go to the disk with its result."""
        if failed:
            self._count(count_failure(self._counted, self._clock.read().uptime_s, self._limits))
        else:
            self._count(end_attempt(self._counted))

    def counts(self) -> dict[str, str]:
        """What is to be remembered."""
        return {TALLY: write_tally(self._counted), CLOCK: self._clock.record(self._boot)}

    def pausing(self, *, paused: bool) -> tuple[Mapping[str, str], Callable[[], None]]:
        """A pause by command, or its end: what to remember, and how to begin."""

        def apply() -> None:
            self._vitals.paused = paused

        return {PAUSED: str(int(paused))}, apply

    def clearing(self) -> tuple[Mapping[str, str], Callable[[], None]]:
        """The end of the pause after failures: what to remember, and how to begin."""
        cleared = Tally(self._boot, attempts=self._counted.attempts)
        return {TALLY: write_tally(cleared)}, lambda: self._count(cleared)

    def _recall(self) -> None:
        self._offline_begun = self._outbox.recall(OFFLINE_SESSIONS, int) or 0
        if self._tally is None:
            self._outbox.recall(CLOCK, partial(self._clock.resume, boot=self._boot))
            self._vitals.paused = self._outbox.recall(PAUSED, str) == "1"
            uptime_s = self._clock.read().uptime_s
            self._count(read_tally(self._outbox.recall(TALLY, str), self._boot, uptime_s, self._limits))

    @property
    def _counted(self) -> Tally:
        if self._tally is None:
            raise OutboxError("what was counted could not be read yet")
        return self._tally

    def _count(self, tally: Tally) -> None:
        self._tally = tally
        self._vitals.locked_until_s = tally.paused_until
