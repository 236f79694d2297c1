"""The anchor: what a terminal signs when its chain cannot go on, and a new epoch has to begin.

It stands at place 0 of the new epoch, and the first result's `prev` is its digest. The first epoch has none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from device.wire.chain import FIRST_EPOCH, GENESIS, ChainPosition
from device.wire.fields import Claims, Code, Counter, Sha256, TerminalId, UnixTime


class AnchorReason(StrEnum):
    """Why a new epoch begins."""

    NEW_KEY = "new-key"
    RESTORED_CARD = "restored-card"
    OUTBOX_LOST = "outbox-lost"


class ChainPlace(Claims):
    """A place of the chain and the digest of what stands there; seq 0 is an anchor, or an epoch without anything."""

    epoch: Counter
    seq: Counter
    sha256: Sha256


class AnchorClaims(Claims):
    """An anchor.

    Attributes:
        iss: the terminal.
        iat: seconds since 1970 by the terminal's clock.
        epoch: the epoch that begins.
        reason: why.
        previous: the newest place of the epoch before, as far as the terminal knows it; absent when it knows none.
    """

    iss: TerminalId
    iat: UnixTime
    epoch: Annotated[Counter, Field(gt=FIRST_EPOCH)]
    reason: AnchorReason | Code
    previous: ChainPlace | None = None

    @property
    def position(self) -> ChainPosition:
        """Where the anchor itself stands."""
        return ChainPosition(self.epoch, 0, self.previous.sha256 if self.previous else GENESIS)
