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
from central.ledger import Ledger
from central.registry import LiveRegistry, Registry
from central.verify import Opened, RefusedError, digest, open_result, sign_receipt
from device.wire.birth import BirthClaims, Presence
from device.wire.envelope import EnvelopeError, Kind, SigningKey, open_envelope
from device.wire.fields import ClaimsError
from device.wire.receipt import Verdict
from device.wire.topics import Leaf, every_terminal, parse_topic, topic

LOG = logging.getLogger(__name__)
GROUP = "central"
TOPICS = (f"$share/{GROUP}/{every_terminal(Leaf.RESULT)}", every_terminal(Leaf.STATUS))
"""Results go to one worker each; births to every one, as the broker keeps none of them for a group."""
IDLE_S = 0.25
SWITCH_S = 0.0005


@dataclass(slots=True)
class Batch:
    """What came, opened: all that is left to do needs the ledger."""

    deliveries: list[Delivery]
    registry: Registry
    results: list[Opened] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    births: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch that is on the disk."""

    deliveries: list[Delivery]
    receipts: list[tuple[str, bytes]]
    runs: list[tuple[int, int]]


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
        rehearsal: bool = False,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepares; `repeat_requests_s` is None for all workers but one."""
        self._name, self._connection, self._ledger = name, connection, ledger
        self._registry, self._receipt_key, self._rehearsal = registry, receipt_key, rehearsal
        self._batch, self._repeat_requests_s = batch, repeat_requests_s
        self._wall, self._monotonic = wall, monotonic
        self._custodian = Custodian(ledger)
        self._stop = threading.Event()
        self._repeat_at = monotonic() + (repeat_requests_s or 0.0)
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
                if batch is None or self._is_due():
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
            terminal, leaf = address
            if leaf is Leaf.RESULT:
                self._open_result(terminal, delivery.payload, batch)
            elif leaf is Leaf.STATUS and read_birth(delivery.payload, terminal, batch.registry) is not None:
                batch.births[terminal] = delivery.payload
        return batch

    def store(self, batch: Batch) -> Stored:
        """Takes a batch into custody and signs its receipts; it is on the disk then."""
        now = int(self._wall())
        with self._ledger.batch():
            self._note_receipts(now)
            self._ledger.refuse(batch.refused, now)
            for terminal, birth in batch.births.items():
                self._ledger.fleet.set_birth(terminal, birth, now)
            entries, runs = self._custodian.take(batch.results, batch.registry, now)
        if entries:
            accepted = sum(entry.verdict is Verdict.ACCEPTED for some in entries.values() for entry in some)
            results = sum(map(len, entries.values()))
            LOG.info("batch results=%d accepted=%d terminals=%d", results, accepted, len(entries))
        receipts = [
            (topic(terminal, Leaf.RECEIPT), receipt.raw)
            for terminal, some in entries.items()
            for receipt in sign_receipt(self._name, terminal, tuple(some), now, self._receipt_key)
        ]
        return Stored(batch.deliveries, receipts, runs)

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
        if self._is_due():
            self._repeat_at = self._monotonic() + (self._repeat_requests_s or 0.0)
            self.repeat_requests(now)

    def _is_due(self) -> bool:
        return self._repeat_requests_s is not None and self._monotonic() >= self._repeat_at

    def repeat_requests(self, now: int) -> None:
        """Sends every unanswered request again to terminals that still run the boot it was made for."""
        boots = {birth.iss: birth.boot for birth in known_births(self._ledger, self._registry.current())}
        for terminal, boot, envelope in self._ledger.requests.unanswered(now):
            if boots.get(terminal) == boot:
                self._connection.publish(topic(terminal, Leaf.REQUEST), envelope)
        self._ledger.requests.forget_sealed(now)

    def _patience_s(self) -> float:
        return IDLE_S if self._repeat_requests_s is None else min(IDLE_S, self._repeat_requests_s)

    def _note_receipts(self, now: int) -> None:
        """Notes receipts that were sent; with the next batch or when it is quiet, as each commit waits for the disk."""
        self._ledger.note_receipts(self._runs, now)
        self._runs = []

    def _open_result(self, terminal: str, raw: bytes, batch: Batch) -> None:
        try:
            batch.results.append(open_result(raw, terminal, batch.registry, rehearsal=self._rehearsal))
        except RefusedError as error:
            LOG.warning("message refused terminal=%s reason=%s bytes=%d", terminal, error, len(raw))
            batch.refused.append((terminal, digest(raw), str(error)))


def read_birth(raw: bytes, terminal: str, registry: Registry) -> BirthClaims | None:
    """Verifies a birth from a terminal's own status topic; None when it does not count."""
    try:
        envelope = open_envelope(raw, Kind.BIRTH, registry.keys)
        claims = BirthClaims.read(envelope.payload)
    except (EnvelopeError, ClaimsError):
        LOG.warning("birth refused terminal=%s", terminal)
        return None
    owner = registry.owners[envelope.kid]
    if owner.revoked or not owner.terminal == terminal == claims.iss:
        LOG.warning("birth refused terminal=%s", terminal)
        return None
    return claims


def known_births(ledger: Ledger, registry: Registry) -> list[BirthClaims]:
    """The births of the terminals that are on the line."""
    births = []
    for raw in ledger.fleet.births():
        try:
            births.append(BirthClaims.read(open_envelope(raw, Kind.BIRTH, registry.keys).payload))
        except (EnvelopeError, ClaimsError):
            continue  # its key left the registry since
    return [birth for birth in births if birth.presence == Presence.ONLINE]
