"""Where the broker is, and how patient the link is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where the broker is, and how patient the link is; all times in seconds.

    Attributes:
        window: how many results may be under way without a receipt.
        first_retry_s: mean pause after a first failure; doubled with each further one.
        longest_retry_s: the longest mean pause. Pauses vary by half, so that a fleet does not return in one moment.
        longest_receipt_wait_s: the longest such wait.
        health_every_s: how often the terminal tells its health.
        receipt_wait_s: how long to wait for receipts before sending again; doubled while central is silent.
    """

    host: str
    port: int = 8883
    keepalive_s: int = 30
    connect_limit_s: float = 10.0
    window: int = 20
    first_retry_s: float = 5.0
    longest_retry_s: float = 300.0
    receipt_wait_s: float = 30.0
    longest_receipt_wait_s: float = 600.0
    health_every_s: float = 60.0


def retry_pause_s(settings: LinkSettings, failures: int, chance: float) -> float:
    """Seconds to wait after so many failures in a row; `chance` is drawn evenly from 0..1."""
    mean = min(settings.longest_retry_s, settings.first_retry_s * 2.0 ** min(max(failures - 1, 0), 30))
    return mean * (0.5 + chance)
