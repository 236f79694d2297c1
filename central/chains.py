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
_HELD = "j.terminal, j.epoch, j.seq, j.sha256, j.prev, j.verdict, j.reason, j.number"
# By its number: joined by terminal, PostgreSQL looks for the head once for each row that the terminal has.
_HEADS = f"""
SELECT {_HELD} FROM given JOIN journal AS j ON j.number = (
    SELECT h.number FROM journal AS h WHERE h.terminal = given.terminal AND h.linked
    ORDER BY h.epoch DESC, h.seq DESC LIMIT 1
)
"""  # noqa: S608 - names are ours
_LINKED = f"""
SELECT {_HELD} FROM given
JOIN journal AS j ON j.terminal = given.terminal AND j.epoch = given.epoch AND j.seq = given.seq AND j.linked
"""  # noqa: S608
_FORKED = """
SELECT terminal FROM given WHERE EXISTS (SELECT 1 FROM journal AS j WHERE j.terminal = given.terminal AND NOT j.linked)
"""
_APART = f"""
SELECT {_HELD} FROM given JOIN journal AS j
ON j.terminal = given.terminal AND j.sha256 = given.sha256 AND NOT j.linked
"""  # noqa: S608
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
        self._linked: dict[tuple[str, int, int], Held | Custody] = {}
        self._apart: dict[tuple[str, str], Held | Custody] = {}
        self._heads: dict[str, ChainHead] = {}
        terminals = [*{(opened.terminal,) for opened in batch}]
        for row in database.rows_given({"terminal": "text"}, terminals, _HEADS):
            self._linked[row[:3]] = _held(row)
            self._heads[row[0]] = ChainHead(row[1], row[2], row[3])
        # Beyond a head nothing is held: results that come in order need no more than that.
        own = [opened for opened in batch if self._is_within(opened)]
        places = {(o.terminal, o.position.epoch, o.position.seq + step) for o in own for step in (-1, 0, 1)}
        for row in database.rows_given(PLACE, [*places], _LINKED):
            self._linked[row[:3]] = _held(row)
        forked = {row[0] for row in database.rows_given({"terminal": "text"}, terminals, _FORKED)}
        digests = {(o.terminal, sha) for o in batch if o.terminal in forked for sha in (o.sha256, o.position.prev)}
        for row in database.rows_given({"terminal": "text", "sha256": "text"}, [*digests], _APART):
            self._apart[row[0], row[3]] = _held(row)
        filled = [(o.terminal, o.position.epoch, o.position.seq) for o in own]
        self.gaps = Gaps(OpenGap(*row) for row in database.rows_given(PLACE, filled, _GAPS))

    def _is_within(self, opened: Opened) -> bool:
        head, place = self._heads.get(opened.terminal), opened.position
        return head is not None and (place.epoch, place.seq) <= (head.epoch, head.seq)

    def around(self, opened: Opened, registered_epoch: int) -> Surroundings:
        """What is held around a place, for `central.verify.judge`."""
        terminal, place, linked = opened.terminal, opened.position, self._linked
        epoch, seq = place.epoch, place.seq
        head = self._heads.get(terminal)
        same, before, after = (
            linked.get((terminal, epoch, seq)),
            linked.get((terminal, epoch, seq - 1)),
            linked.get((terminal, epoch, seq + 1)),
        )
        return Surroundings(
            head=head if head and head.epoch >= registered_epoch else ChainHead(registered_epoch),
            same=same.sha256 if same else None,
            before=before.sha256 if before else None,
            after=after.position.prev if after else None,
            prev_is_fork=bool(self._apart) and (terminal, place.prev) in self._apart,
            approved=registered_epoch,
        )

    def known(self, opened: Opened) -> Held | Custody | None:
        """The same envelope, when it is held already."""
        place = opened.position
        linked = self._linked.get((opened.terminal, place.epoch, place.seq))
        if linked is not None and linked.sha256 == opened.sha256:
            return linked
        return self._apart.get((opened.terminal, opened.sha256))

    def add(self, custody: Custody) -> None:
        """Notes what was taken into custody within the batch."""
        place = custody.position
        if not custody.linked:
            self._apart[custody.terminal, custody.sha256] = custody
            return
        self._linked[custody.terminal, place.epoch, place.seq] = custody
        head = self._heads.get(custody.terminal)
        if head is None or (place.epoch, place.seq) > (head.epoch, head.seq):
            self._heads[custody.terminal] = ChainHead(place.epoch, place.seq, custody.sha256)


def _held(row: tuple[str, int, int, str, str, str, str | None, int]) -> Held:
    return Held(ChainPosition(row[1], row[2], row[4]), row[3], Verdict(row[5]), row[6], row[7])
