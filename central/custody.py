"""Values of the ledger: a result in central's hands, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from device.wire.chain import ChainPosition
from device.wire.receipt import Verdict


@dataclass(frozen=True, slots=True)
class Custody:
    """One result in central's hands.

    Attributes:
        position: its place in the chain.
        linked: whether it holds that place; a fork and a foreign epoch do not.
        received: seconds since 1970.
        receipted: seconds since 1970 when the last receipt was sent; None when none is noted yet.
        outcome, source, request: from the claims, for reports; empty or None when they could not be read.
    """

    terminal: str
    position: ChainPosition
    sha256: str
    linked: bool
    verdict: Verdict
    reason: str | None
    received: int
    envelope: bytes = field(repr=False)
    outcome: str = ""
    source: str = ""
    request: str | None = None
    number: int = 0
    receipted: int | None = None


@dataclass(frozen=True, slots=True)
class OpenGap:
    """Places of a chain that central has not seen, first to last."""

    terminal: str
    epoch: int
    first: int
    last: int
