"""What the ledger holds around the places of a batch: loaded with a few statements, then kept up to date in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from central.custody import Custody, OpenGap
from central.database import Database
from central.gaps import Gaps
from central.verify import Opened
from device.wire.chain import ChainHead, ChainPosition, Surroundings
from device.wire.receipt import Verdict

PLACE = {"terminal": "text", "epoch": "bigint", "seq": "bigint"}
_LINKED = """
SELECT j.terminal, j.epoch, j.seq, j.sha256, j.prev, j.verdict, j.reason, j.number
FROM given JOIN journal AS j ON j.terminal = given.terminal AND j.epoch = given.epoch AND j.seq = given.seq AND j.linked
"""
_APART = """
SELECT j.terminal, j.epoch, j.seq, j.sha256, j.prev, j.verdict, j.reason, j.number
FROM given JOIN journal AS j ON j.sha256 = given.sha256 AND NOT j.linked
"""
_HEADS = """
SELECT j.terminal, j.epoch, j.seq, j.sha256
FROM given JOIN journal AS j ON j.terminal = given.terminal AND j.linked AND (j.epoch, j.seq) = (
    SELECT h.epoch, h.seq FROM journal AS h WHERE h.terminal = given.terminal AND h.linked
    ORDER BY h.epoch DESC, h.seq DESC LIMIT 1
)
"""
_GAPS = """
SELECT DISTINCT g.terminal, g.epoch, g.first, g.last, g.noticed
FROM given JOIN gaps AS g ON g.terminal = given.terminal AND g.epoch = given.epoch
    AND g.first <= given.seq AND g.last >= given.seq
"""


@dataclass(frozen=True, slots=True)
class Held:
    """An envelope that the ledger holds: enough to receipt it again."""

    position: ChainPosition
    sha256: str
    verdict: Verdict
    reason: str | None
    number: int


class Chains:
    """The surroundings of a batch; to be made and used inside one transaction."""

    def __init__(self, database: Database, batch: Sequence[Opened]) -> None:
        """Loads what is held; raises LedgerError."""
        self._linked: dict[tuple[str, int, int], Held] = {}
        self._apart: dict[tuple[str, str], Held] = {}
        places = {
            (opened.terminal, opened.position.epoch, opened.position.seq + step)
            for opened in batch
            for step in (-1, 0, 1)
        }
        for row in database.rows_given(PLACE, [*places], _LINKED):
            self._linked[row[0], row[1], row[2]] = _held(row)
        digests = {(digest,) for opened in batch for digest in (opened.sha256, opened.position.prev)}
        for row in database.rows_given({"sha256": "text"}, [*digests], _APART):
            self._apart[row[0], row[3]] = _held(row)
        terminals = {(opened.terminal,) for opened in batch}
        heads = database.rows_given({"terminal": "text"}, [*terminals], _HEADS)
        self._heads = {terminal: ChainHead(*head) for terminal, *head in heads}
        self.gaps = Gaps(OpenGap(*row) for row in database.rows_given(PLACE, [*places], _GAPS))

    def around(self, opened: Opened, registered_epoch: int) -> Surroundings:
        """What is held around a place, for `central.verify.judge`."""
        terminal, place = opened.terminal, opened.position
        head = self._heads.get(terminal)
        same, before, after = (self._linked.get((terminal, place.epoch, place.seq + step)) for step in (0, -1, 1))
        return Surroundings(
            head=head if head and head.epoch >= registered_epoch else ChainHead(registered_epoch),
            same=same.sha256 if same else None,
            before=before.sha256 if before else None,
            after=after.position.prev if after else None,
            prev_is_fork=(terminal, place.prev) in self._apart,
            approved=registered_epoch,
        )

    def known(self, opened: Opened) -> Held | None:
        """The same envelope, when it is held already."""
        place = opened.position
        linked = self._linked.get((opened.terminal, place.epoch, place.seq))
        if linked is not None and linked.sha256 == opened.sha256:
            return linked
        return self._apart.get((opened.terminal, opened.sha256))

    def add(self, custody: Custody) -> None:
        """Notes what was taken into custody within the batch."""
        place = custody.position
        held = Held(place, custody.sha256, custody.verdict, custody.reason, custody.number)
        if not custody.linked:
            self._apart[custody.terminal, custody.sha256] = held
            return
        self._linked[custody.terminal, place.epoch, place.seq] = held
        head = self._heads.get(custody.terminal)
        if head is None or (place.epoch, place.seq) > (head.epoch, head.seq):
            self._heads[custody.terminal] = ChainHead(place.epoch, place.seq, custody.sha256)


def _held(row: tuple[str, int, int, str, str, str, str | None, int]) -> Held:
    return Held(ChainPosition(row[1], row[2], row[4]), row[3], Verdict(row[5]), row[6], row[7])
