"""A button with two meanings: how long a press lasts decides which."""

from __future__ import annotations

import threading
from collections.abc import Callable

from device.liveness.session import Press

LONG_PRESS_S = 1.0


class LongOrShort:
    """A button with two meanings: a short press is told when it ends, a long one as soon as it is long, never both."""

    def __init__(self, short: Press, long: Press, seconds: Callable[[], float]) -> None:
        """Takes both meanings and a clock."""
        self._short, self._long, self._seconds = short, long, seconds
        self._lock = threading.Lock()
        self._since: float | None = None

    def down(self) -> None:
        """The button went down."""
        with self._lock:
            self._since = self._seconds()

    def up(self) -> Press | None:
        """The button came up; returns what that means, if it was not told already."""
        with self._lock:
            since, self._since = self._since, None
            if since is None:
                return None
            return self._long if self._seconds() - since >= LONG_PRESS_S else self._short

    def held(self) -> Press | None:
        """Returns the long press once it is one; to be asked now and then."""
        with self._lock:
            if self._since is None or self._seconds() - self._since < LONG_PRESS_S:
                return None
            self._since = None
            return self._long

    def forget(self) -> None:
        """Whatever is pressed now means nothing any more."""
        with self._lock:
            self._since = None
