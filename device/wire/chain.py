"""The chain of a terminal's results: each names the SHA-256 of the one before, so that none is lost or slipped in.

Three facts make it work. A place is (epoch, seq); seq counts from 1 without holes. `prev` is the digest of the
envelope at seq - 1, or 64 zeros at 1 of the first epoch; every later epoch begins with an anchor at seq 0, which the
registry has to approve. A place is given once: two envelopes for one place are a fork, which is what a cloned terminal,
a restored card or a rolled-back outbox look like.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

GENESIS = "0" * 64
FIRST_EPOCH = 1
"""The one epoch without an anchor."""


@dataclass(frozen=True, slots=True)
class ChainPosition:
    """Where a result or an anchor (seq 0) stands, and the digest of the one before."""

    epoch: int
    seq: int
    prev: str


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest place of a chain; seq 0 is its anchor, with GENESIS as its digest while there is nothing yet."""

    epoch: int
    seq: int = 0
    sha256: str = GENESIS

    def next(self) -> ChainPosition:
        """The position of the result that follows."""
        return ChainPosition(self.epoch, self.seq + 1, self.sha256)

    def advanced(self, sha256: str) -> ChainHead:
        """The head once the result with this digest follows."""
        return ChainHead(self.epoch, self.seq + 1, sha256)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a server holds around an incoming result's place.

    Attributes:
        head: the newest linked place of the terminal; seq 0 in the registered epoch when there is none.
        same: digest held at the very place.
        before: digest held at seq - 1.
        after: `prev` of the result held at seq + 1.
        prev_is_fork: the incoming result's `prev` is the digest of an envelope set apart as a fork.
        approved: the epoch that the registry names; an anchor begins no other.
    """

    head: ChainHead
    same: str | None = None
    before: str | None = None
    after: str | None = None
    prev_is_fork: bool = False
    approved: int | None = None


class Standing(StrEnum):
    """How an incoming result stands to what is held; FORK and the epochs are not to be linked."""

    NEXT = "next"
    DUPLICATE = "duplicate"
    GAP = "gap"
    FILLS_GAP = "fills-gap"
    ANCHOR = "anchor"
    FORK = "fork"
    STALE_EPOCH = "stale-epoch"
    UNANCHORED_EPOCH = "unanchored-epoch"


def classify(incoming: ChainPosition, sha256: str, known: Surroundings) -> Standing:
    """Says how the result or anchor with digest `sha256` stands to what is held."""
    if known.same == sha256:
        return Standing.DUPLICATE
    if incoming.seq == 0:
        return _classify_anchor(incoming, known)
    unanchored = known.head.epoch > FIRST_EPOCH and known.head.sha256 == GENESIS
    if incoming.epoch == known.head.epoch and unanchored:
        return Standing.UNANCHORED_EPOCH
    if incoming.epoch != known.head.epoch:
        return Standing.STALE_EPOCH if incoming.epoch < known.head.epoch else Standing.UNANCHORED_EPOCH
    if known.same is not None or known.prev_is_fork or _contradicts(incoming, sha256, known):
        return Standing.FORK
    if incoming.seq == known.head.seq + 1:
        return Standing.NEXT
    return Standing.GAP if incoming.seq > known.head.seq else Standing.FILLS_GAP


def _classify_anchor(incoming: ChainPosition, known: Surroundings) -> Standing:
    if incoming.epoch < known.head.epoch:
        return Standing.STALE_EPOCH
    if incoming.epoch == known.head.epoch and known.head.sha256 != GENESIS:
        return Standing.FORK
    approved = incoming.epoch == known.approved and incoming.epoch > FIRST_EPOCH
    return Standing.ANCHOR if approved else Standing.UNANCHORED_EPOCH


def _contradicts(incoming: ChainPosition, sha256: str, known: Surroundings) -> bool:
    before = GENESIS if incoming.seq == 1 and incoming.epoch <= FIRST_EPOCH else known.before
    if before is not None and incoming.prev != before:
        return True
    return known.after is not None and known.after != sha256
