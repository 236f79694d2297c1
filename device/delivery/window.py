"""Which waiting envelopes are on their way to central, and when to send them again. No clock: time is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from device.delivery.rows import BEFORE_ALL, Place, WaitingEnvelope


class Window:
    """At most `size` envelopes are under way without a receipt; all times are seconds on one monotonic clock.

    What central never receipts must not stop what is behind it: after the wait the window moves on, and comes back
    to it when it has reached the end. What nobody was there to take is sent again in order.
    """

    def __init__(self, size: int, first_wait_s: float, longest_wait_s: float) -> None:
        self._size, self._first_wait_s, self._longest_wait_s = size, first_wait_s, longest_wait_s
        self._under_way: set[Place] = set()
        self._after = BEFORE_ALL
        self._wait_s = first_wait_s
        self._deadline: float | None = None
        self._central_answers = False
        self._undelivered = False

    def pick(self, waiting: Callable[[int, Place], list[WaitingEnvelope]], now: float) -> list[WaitingEnvelope]:
        """Returns what is to be sent now; `waiting` is `Outbox.waiting`."""
        rows = waiting(self._size, self._after)
        if not rows and self._after != BEFORE_ALL:
            self._after = BEFORE_ALL
            rows = waiting(self._size, self._after)
        fresh = [row for row in rows if row.place not in self._under_way]
        self._under_way.update(row.place for row in fresh)
        if self._under_way and self._deadline is None:
            self._deadline = now + self._wait_s
        return fresh

    def receipted(self, places: Iterable[Place], now: float) -> None:
        """Central holds these: they are no longer under way."""
        self._under_way.difference_update(places)
        self._central_answers = True
        self._wait_s = self._first_wait_s
        self._deadline = now + self._wait_s if self._under_way else None

    def undelivered(self) -> None:
        """The broker found nobody to give a result to: central is away, and no result is to blame."""
        self._undelivered = True

    def remaining_s(self, now: float) -> float | None:
        """Seconds until `give_up` is due; None when nothing is under way."""
        return None if self._deadline is None else max(0.0, self._deadline - now)

    def give_up(self) -> bool:
        """Forgets what is under way, so that it is sent again; returns whether central was silent altogether."""
        silent = not self._central_answers
        self._after = BEFORE_ALL if self._undelivered else max(self._under_way, default=BEFORE_ALL)
        self._under_way.clear()
        self._central_answers = self._undelivered = False
        self._wait_s = min(2 * self._wait_s, self._longest_wait_s)
        self._deadline = None
        return silent
