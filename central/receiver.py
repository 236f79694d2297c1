"""The receiver: verify, commit a batch, send signed receipts, acknowledge, in this order; and repeat requests."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from central.connection import Connection, ConnectionChange, Delivery
from central.judge import Judge
from central.ledger import Ledger
from central.registry import Registry
from device.wire.birth import BirthClaims, Presence
from device.wire.envelope import EnvelopeError, Kind, SigningKey, open_envelope, sign
from device.wire.fields import ClaimsError
from device.wire.receipt import ReceiptClaims, ReceiptEntry
from device.wire.topics import Leaf, every_terminal, parse_topic, topic

LOG = logging.getLogger(__name__)
TOPICS = (every_terminal(Leaf.RESULT), every_terminal(Leaf.STATUS))
IDLE_S = 0.25


class Receiver:
    """Works off a connection's inbox until `stop`; ledger faults end it, and nothing is acknowledged then."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        judge: Judge,
        ledger: Ledger,
        registry: Registry,
        receipt_key: SigningKey,
        *,
        batch: int,
        repeat_requests_s: float,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._connection, self._judge = name, connection, judge
        self._ledger, self._registry, self._receipt_key = ledger, registry, receipt_key
        self._batch, self._repeat_requests_s = batch, repeat_requests_s
        self._wall, self._monotonic = wall, monotonic
        self._stop = threading.Event()
        self._repeat_at = monotonic() + repeat_requests_s
        self._receipted: list[str] = []

    def stop(self) -> None:
        """Ends `run` soon; may be called from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Works until stopped; raises LedgerError."""
        while not self._stop.is_set():
            self.handle(self._collect())
            if self._receipted and self._connection.inbox.empty():
                with self._ledger.batch():
                    self._note_receipts()
            if self._monotonic() >= self._repeat_at:
                self._repeat_at = self._monotonic() + self._repeat_requests_s
                self.repeat_requests()

    def handle(self, deliveries: list[Delivery]) -> None:
        """Takes a batch into custody, receipts it, and only then acknowledges it."""
        if not deliveries:
            return
        now = int(self._wall())
        receipts: defaultdict[str, list[ReceiptEntry]] = defaultdict(list)
        with self._ledger.batch():
            self._note_receipts()
            for delivery in deliveries:
                self._take(delivery, receipts, now)
        for terminal, entries in receipts.items():
            claims = ReceiptClaims(iss=self._name, aud=terminal, iat=now, entries=tuple(entries))
            receipt = sign(Kind.RECEIPT, claims.write(), self._receipt_key)
            self._connection.publish(topic(terminal, Leaf.RECEIPT), receipt.raw)
            self._receipted += [entry.sha256 for entry in entries]
        for delivery in deliveries:
            self._connection.acknowledge(delivery)

    def repeat_requests(self) -> None:
        """Sends every unanswered request again to terminals that still run the boot it was made for."""
        boots = {birth.iss: birth.boot for birth in known_births(self._ledger, self._registry)}
        for terminal, boot, envelope in self._ledger.unanswered(int(self._wall())):
            if boots.get(terminal) == boot:
                self._connection.publish(topic(terminal, Leaf.REQUEST), envelope)

    def _note_receipts(self) -> None:
        """Notes receipts that were sent; with the next batch or when it is quiet, as each commit waits for the disk."""
        self._ledger.note_receipts(self._receipted, int(self._wall()))
        self._receipted = []

    def _collect(self) -> list[Delivery]:
        """Waits for a first message and takes what else is there, up to a batch."""
        deliveries: list[Delivery] = []
        try:
            event = self._connection.inbox.get(timeout=min(IDLE_S, self._repeat_requests_s))
            while True:
                if isinstance(event, ConnectionChange):
                    LOG.info("broker connected=%s %s", str(event.connected).lower(), event.reason)
                else:
                    deliveries.append(event)
                if len(deliveries) >= self._batch:
                    break
                event = self._connection.inbox.get_nowait()
        except queue.Empty:
            pass
        return deliveries

    def _take(self, delivery: Delivery, receipts: defaultdict[str, list[ReceiptEntry]], now: int) -> None:
        address = parse_topic(delivery.topic)
        if address is None:
            return
        terminal, leaf = address
        if leaf is Leaf.RESULT:
            entry = self._judge.judge(terminal, delivery.payload, now)
            if entry is not None:
                receipts[terminal].append(entry)
        elif leaf is Leaf.STATUS and read_birth(delivery.payload, terminal, self._registry) is not None:
            self._ledger.set_birth(terminal, delivery.payload, now)


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
    for raw in ledger.births():
        try:
            births.append(BirthClaims.read(open_envelope(raw, Kind.BIRTH, registry.keys).payload))
        except (EnvelopeError, ClaimsError):
            continue  # its key left the registry since
    return [birth for birth in births if birth.presence == Presence.ONLINE]
