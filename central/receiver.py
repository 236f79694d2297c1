"""The receiver: verify, commit a batch, send signed receipts, acknowledge, in this order; and repeat requests.

While one batch is on its way to the disk, in a thread of its own, the next one is verified.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from central.connection import Connection, Delivery
from central.custodian import Custodian
from central.evidence import Sealed
from central.heads import chain_alarms
from central.ledger import Ledger
from central.messages import open_message
from central.metrics import Metrics
from central.registry import LiveRegistry, Registry
from central.rule_settings import RuleSettings
from central.rules import Rules
from central.verify import Opened, RefusedError, digest, open_result, sign_receipt
from device.wire.birth import BirthClaims
from device.wire.command import ReplyClaims
from device.wire.envelope import SigningKey
from device.wire.evidence import EvidenceClaims
from device.wire.health import HealthClaims
from device.wire.receipt import ReceiptEntry, Verdict
from device.wire.topics import Leaf, every_terminal, parse_topic, topic

LOG = logging.getLogger(__name__)
GROUP = "central"
SHARED = (Leaf.RESULT, Leaf.EVIDENCE, Leaf.HEALTH, Leaf.COMMAND_REPLY)
TOPICS = (*(f"$share/{GROUP}/{every_terminal(leaf)}" for leaf in SHARED), every_terminal(Leaf.STATUS))
"""Each message goes to one worker; but births to every one, as the broker gives no retained ones to a group."""
IDLE_S = 0.25
SWITCH_S = 0.0005


@dataclass(slots=True)
class Batch:
    """What came, opened: all that is left to do needs the ledger."""

    deliveries: list[Delivery]
    registry: Registry
    results: list[Opened] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    births: dict[str, tuple[bytes, BirthClaims]] = field(default_factory=dict)
    health: dict[str, bytes] = field(default_factory=dict)
    asking: list[tuple[str, str]] = field(default_factory=list)
    replies: list[tuple[str, bytes, ReplyClaims]] = field(default_factory=list)
    evidence: list[Sealed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch that is on the disk."""

    deliveries: list[Delivery]
    receipts: list[tuple[str, bytes]]
    runs: list[tuple[int, int]]


@dataclass(slots=True)
class _Chore:
    """What is to be done every now and then, in the ledger's thread."""

    action: Callable[[int], None]
    every_s: float
    due_at: float


class Receiver:
    """Works off a connection until `stop`; ledger faults end it, and nothing is acknowledged then."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        ledger: Ledger,
        registry: LiveRegistry,
        receipt_key: SigningKey,
        *,
        batch: int,
        repeat_requests_s: float | None,
        rules: RuleSettings | None = None,
        metrics: Metrics | None = None,
        rehearsal: bool = False,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepares; only one worker is given `repeat_requests_s` and `rules`."""
        self._name, self._connection, self._ledger = name, connection, ledger
        self._registry, self._receipt_key, self._rehearsal = registry, receipt_key, rehearsal
        self._batch, self._metrics = batch, metrics or Metrics()
        self._wall, self._monotonic = wall, monotonic
        self._custodian = Custodian(ledger)
        self._stop = threading.Event()
        self._chores: list[_Chore] = []
        if repeat_requests_s is not None:
            self._chores.append(_Chore(self.repeat, repeat_requests_s, monotonic() + repeat_requests_s))
        self._rules = Rules(ledger, rules or RuleSettings())
        if rules is not None:
            self._chores.append(_Chore(self.apply_rules, rules.every_s, monotonic() + rules.every_s))
        self._runs: list[tuple[int, int]] = []

    def stop(self) -> None:
        """Ends `run` soon; may be called from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Works until stopped; raises LedgerError."""
        # The ledger's thread comes back from the database some twenty times a batch, and must not wait each time
        # until verification lets go of the interpreter.
        sys.setswitchinterval(SWITCH_S)
        gc.freeze()  # what stands now stays: the collector need not look at it again and again
        under_way: Future[Stored] | None = None
        with ThreadPoolExecutor(1, "ledger") as writer:
            while not self._stop.is_set():
                deliveries = self._connection.collect(self._batch, 0.0 if under_way else self._patience_s())
                batch = self.open(deliveries) if deliveries else None
                if under_way is not None:
                    self.finish(under_way.result())
                    under_way = None
                if batch is None or self._due():
                    writer.submit(self.rest).result()
                if batch is not None:
                    under_way = writer.submit(self.store, batch)
            if under_way is not None:
                self.finish(under_way.result())

    def open(self, deliveries: list[Delivery]) -> Batch:
        """Verifies what came; touches no ledger."""
        batch = Batch(deliveries, self._registry.current())
        for delivery in deliveries:
            address = parse_topic(delivery.topic)
            if address is None:
                continue
            try:
                self._open(*address, delivery.payload, batch)
            except RefusedError as error:
                terminal, leaf = address
                LOG.warning(
                    "message refused terminal=%s leaf=%s reason=%s bytes=%d",
                    terminal,
                    leaf,
                    error,
                    len(delivery.payload),
                )
                self._metrics.refused.labels(leaf.value, str(error)).inc()
                batch.refused.append((terminal, digest(delivery.payload), str(error)))
        return batch

    def store(self, batch: Batch) -> Stored:
        """Takes a batch into custody and signs its receipts; it is on the disk then."""
        with self._metrics.batch_seconds.time():
            return self._store(batch, int(self._wall()))

    def _store(self, batch: Batch, now: int) -> Stored:
        with self._ledger.batch():
            self._note_receipts(now)
            self._ledger.refuse(batch.refused, now)
            self._ledger.fleet.set_births({terminal: raw for terminal, (raw, _) in batch.births.items()}, now)
            self._ledger.fleet.set_health(batch.health, now)
            for terminal, raw, reply in batch.replies:
                self._ledger.orders.answer(terminal, reply, raw, now)
            entries, runs = self._custodian.take(batch.results, batch.registry, now)
            for sealed in batch.evidence:
                entries[sealed.terminal].append(self._ledger.evidence.take(sealed, now))
            self._check_births(batch, now)
        if entries:
            accepted = sum(entry.verdict is Verdict.ACCEPTED for some in entries.values() for entry in some)
            results = sum(map(len, entries.values()))
            self._metrics.batch_results.observe(results)
            self._metrics.results.labels(Verdict.ACCEPTED.value).inc(accepted)
            self._metrics.results.labels(Verdict.QUARANTINED.value).inc(results - accepted)
            LOG.info("batch results=%d accepted=%d terminals=%d", results, accepted, len(entries))
        for terminal, sha256 in batch.asking:
            entries[terminal].append(ReceiptEntry(epoch=0, seq=0, sha256=sha256, verdict=Verdict.ACCEPTED))
        receipts = [
            (topic(terminal, Leaf.RECEIPT), receipt.raw)
            for terminal, some in entries.items()
            for receipt in sign_receipt(self._name, terminal, tuple(some), now, self._receipt_key)
        ]
        return Stored(batch.deliveries, receipts, runs)

    def _check_births(self, batch: Batch, now: int) -> None:
        for terminal, (_, birth) in batch.births.items():
            for alarm in chain_alarms(self._ledger.database, terminal, birth):
                if self._ledger.alarms.raise_once(alarm, now):
                    LOG.warning("alarm rule=%s about=%s %s", alarm.rule, terminal, alarm.sentence)
                    self._metrics.alarms.labels(alarm.rule).inc()

    def finish(self, stored: Stored) -> None:
        """Sends the receipts of a batch, and only then acknowledges it."""
        for place, receipt in stored.receipts:
            self._connection.publish(place, receipt)
        self._runs += stored.runs
        for delivery in stored.deliveries:
            self._connection.acknowledge(delivery)

    def rest(self) -> None:
        """What is done when nothing came, or when it is time."""
        now = int(self._wall())
        if self._runs:
            with self._ledger.batch():
                self._note_receipts(now)
        for chore in self._due():
            chore.due_at = self._monotonic() + chore.every_s
            chore.action(now)

    def _due(self) -> list[_Chore]:
        return [chore for chore in self._chores if self._monotonic() >= chore.due_at]

    def apply_rules(self, now: int) -> None:
        """Looks for what people should know."""
        registry = self._registry.current()
        for alarm in self._rules.apply(registry, now):
            self._metrics.alarms.labels(alarm.rule).inc()
        self._metrics.terminals.set(len(self._ledger.fleet.boots(registry)))
        self._metrics.gaps.set(len(self._ledger.gaps()))

    def repeat(self, now: int) -> None:
        """Sends every unanswered request and command again to terminals that still run the boot it was made for."""
        boots = self._ledger.fleet.boots(self._registry.current())
        waiting = {
            Leaf.REQUEST: self._ledger.requests.unanswered(now),
            Leaf.COMMAND: self._ledger.orders.unanswered(now),
        }
        for leaf, unanswered in waiting.items():
            for terminal, boot, envelope in unanswered:
                if boots.get(terminal) == boot:
                    self._connection.publish(topic(terminal, leaf), envelope)
        self._ledger.requests.forget_sealed(now)

    def _patience_s(self) -> float:
        return min([IDLE_S, *(chore.every_s for chore in self._chores)])

    def _note_receipts(self, now: int) -> None:
        """Notes receipts that were sent; with the next batch or when it is quiet, as each commit waits for the disk."""
        self._ledger.note_receipts(self._runs, now)
        self._runs = []

    def _open(self, terminal: str, leaf: Leaf, raw: bytes, batch: Batch) -> None:
        registry = batch.registry
        match leaf:
            case Leaf.RESULT:
                batch.results.append(open_result(raw, terminal, registry, rehearsal=self._rehearsal))
            case Leaf.STATUS:
                batch.births[terminal] = raw, open_message(raw, terminal, registry, BirthClaims)[1]
            case Leaf.HEALTH:
                envelope, health = open_message(raw, terminal, registry, HealthClaims)
                batch.health[terminal] = raw
                if health.receipt:
                    batch.asking.append((terminal, envelope.sha256))
            case Leaf.COMMAND_REPLY:
                batch.replies.append((terminal, raw, open_message(raw, terminal, registry, ReplyClaims)[1]))
            case Leaf.EVIDENCE:
                batch.evidence.append(Sealed(terminal, *open_message(raw, terminal, registry, EvidenceClaims)))
