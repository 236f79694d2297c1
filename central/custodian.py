"""The custodian: takes opened results into the ledger, a batch at a time, and says what their receipts are to say."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence

from central.assessment import Asked
from central.chains import Chains, Held
from central.custody import Custody, Facts, OpenGap
from central.ledger import Ledger
from central.registry import Registry
from central.verify import Judgement, Opened, judge
from device.wire.chain import Standing
from device.wire.receipt import ReceiptEntry, Verdict

LOG = logging.getLogger(__name__)
Entries = defaultdict[str, list[ReceiptEntry]]
"""What receipts are to say, by terminal."""


class Custodian:
    """Call `take` inside `Ledger.batch`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def take(self, batch: Sequence[Opened], registry: Registry, now: int) -> tuple[Entries, list[tuple[int, int]]]:
        """Takes a batch into custody.

        Returns:
            The entries of the receipts, and the runs of numbers that they stand for.
        """
        entries: Entries = defaultdict(list)
        if not batch:
            return entries, []
        work = _Work(self._ledger, batch, registry, now)
        again = set()
        for opened in batch:
            held = work.chains.known(opened)
            if held is None:
                held = work.take(opened)
            else:
                again.add((held.number, held.number))
            entries[opened.terminal].append(_entry(held))
        run = work.finish()
        # Each duplicate's receipt is noted by itself; the numbers of the batch are one run.
        new = range(run[0], run[1] + 1) if run else range(0)
        return entries, ([run] if run else []) + sorted(pair for pair in again if pair[0] not in new)


def _entry(held: Held | Custody) -> ReceiptEntry:
    place = held.position
    return ReceiptEntry(epoch=place.epoch, seq=place.seq, sha256=held.sha256, verdict=held.verdict, reason=held.reason)


class _Work:
    """One batch: reads first, judges in memory, writes last."""

    def __init__(self, ledger: Ledger, batch: Sequence[Opened], registry: Registry, now: int) -> None:
        self._ledger, self._registry, self._now = ledger, registry, now
        self.chains = Chains(ledger.database, batch)
        named = [opened.claims.request.id for opened in batch if opened.claims and opened.claims.request]
        self._asked: dict[str, tuple[Asked, int]] = ledger.requests.asked(named)
        self._answers: Counter[str] = Counter()
        self._first = ledger.newest() + 1
        self._taken: list[Custody] = []

    def take(self, opened: Opened) -> Custody:
        epoch = self._registry.terminals[opened.terminal].epoch
        surroundings = self.chains.around(opened, epoch)
        request = opened.claims.request.id if opened.claims and opened.claims.request else ""
        asked, answers = self._asked.get(request, (None, 0))
        judgement = judge(opened, surroundings, asked, answers + self._answers[request])
        custody = self._custody(opened, judgement)
        self._note_gap(opened, judgement.standing, surroundings.head.seq)
        self.chains.add(custody)
        self._taken.append(custody)
        if custody.verdict is Verdict.ACCEPTED:
            self._answers[request] += bool(request)
        else:
            LOG.warning(
                "quarantined terminal=%s epoch=%d seq=%d reason=%s",
                opened.terminal, opened.position.epoch, opened.position.seq, custody.reason,
            )  # fmt: skip
        return custody

    def finish(self) -> tuple[int, int] | None:
        """Writes the batch; returns the first and the last of the numbers it gave."""
        self._ledger.take(self._taken)
        gaps = self.chains.gaps
        self._ledger.change_gaps(gaps.closed, gaps.opened)
        return (self._first, self._first + len(self._taken) - 1) if self._taken else None

    def _custody(self, opened: Opened, judgement: Judgement) -> Custody:
        return Custody(
            terminal=opened.terminal,
            position=opened.position,
            sha256=opened.sha256,
            linked=judgement.linked,
            verdict=judgement.verdict,
            reason=judgement.distrust.value if judgement.distrust else None,
            received=self._now,
            envelope=opened.envelope.raw,
            facts=Facts.of(opened.claims),
            number=self._first + len(self._taken),
        )

    def _note_gap(self, opened: Opened, standing: Standing, head: int) -> None:
        terminal, place = opened.terminal, opened.position
        if standing is Standing.GAP:
            gap = OpenGap(terminal, place.epoch, head + 1, place.seq - 1, self._now)
            LOG.warning("gap terminal=%s epoch=%d first=%d last=%d", terminal, gap.epoch, gap.first, gap.last)
            self.chains.gaps.open(gap)
        elif standing is Standing.FILLS_GAP:
            self.chains.gaps.fill(terminal, place.epoch, place.seq)
