"""Attempt limits: a few attempts for a request, and a pause for a terminal that keeps failing. Pure.

Who tries often enough gets through any check by luck. The tally is kept on disk by the caller; times are seconds since
the machine's boot, so that nobody ends a pause by setting the clock.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace

MAX_REQUESTS = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_failures` within `window_s` seconds pause the terminal for `pause_s`."""

    max_failures: int = 10
    window_s: float = 600.0
    pause_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Tally:
    """What counts against a terminal.

    Attributes:
        boot: id of the boot that the times belong to.
        failures: when sessions failed, oldest first.
        paused_until: until when no session starts.
        attempts: (request id, sessions begun) of the newest requests.
        under_way: a session was begun and has not ended.
    """

    boot: str
    failures: tuple[float, ...] = ()
    paused_until: float = 0.0
    attempts: tuple[tuple[str, int], ...] = ()
    under_way: bool = False

    def attempts_of(self, request: str) -> int:
        """How many sessions of `request` were begun."""
        return dict(self.attempts).get(request, 0)

    def pause_left(self, at: float) -> float:
        """Seconds until the next session may start; 0 when it may now."""
        return max(self.paused_until - at, 0.0)


def begin_attempt(tally: Tally, request: str) -> Tally:
    """Counts a session when it begins: a cancelled one, or one that a power cut ends, counts like any other."""
    others = tuple(item for item in tally.attempts if item[0] != request)
    attempts = (*others, (request, tally.attempts_of(request) + 1))[-MAX_REQUESTS:]
    # No session begins in a pause: the last one is over.
    return replace(tally, attempts=attempts, under_way=True, paused_until=0.0)


def end_attempt(tally: Tally) -> Tally:
    """The session that was begun has ended without failure."""
    return replace(tally, under_way=False)


def count_failure(tally: Tally, at: float, limits: Limits) -> Tally:
    """Counts a failed session that ended at `at`; the last one of too many starts the pause and empties the count."""
    failures = (*(moment for moment in tally.failures if at - moment < limits.window_s), at)
    if len(failures) < limits.max_failures:
        return replace(tally, failures=failures, under_way=False)
    return replace(tally, failures=(), paused_until=at + limits.pause_s, under_way=False)


def write_tally(tally: Tally) -> str:
    """Returns the tally as text for `read_tally`."""
    return json.dumps(asdict(tally))


def read_tally(text: str | None, boot: str, at: float, limits: Limits) -> Tally:
    """Reads a tally back `at` seconds after the boot `boot`.

    After another boot the old times mean nothing: failures count as just happened, and a pause begins anew, so that
    pulling the plug helps nobody; for the same reason a session that was under way has failed. What cannot be read
    starts with a pause.
    """
    if text is None:
        return Tally(boot)
    try:
        stored = json.loads(text)
        tally = Tally(
            boot=str(stored["boot"]),
            failures=tuple(_moment(moment) for moment in stored["failures"]),
            paused_until=_moment(stored["paused_until"]),
            attempts=tuple((str(request), int(count)) for request, count in stored["attempts"]),
            under_way=bool(stored["under_way"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Tally(boot, paused_until=at + limits.pause_s)
    if tally.boot == boot:
        # No pause lasts longer than it would if it began now.
        tally = replace(tally, paused_until=min(tally.paused_until, at + limits.pause_s))
    else:
        paused_until = at + limits.pause_s if tally.paused_until > 0 else 0.0
        tally = replace(tally, boot=boot, failures=(at,) * len(tally.failures), paused_until=paused_until)
    return count_failure(tally, at, limits) if tally.under_way else tally


def _moment(value: str | float) -> float:
    moment = float(value)
    if not math.isfinite(moment):
        raise ValueError("a time that never comes")
    return moment
