"""One connection that the broker admitted: envelopes out, receipts, requests and commands in, until it ends."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event as Flag

from device.delivery.database import OutboxError
from device.delivery.keys import TerminalKeys
from device.delivery.link_settings import LinkSettings
from device.delivery.link_status import LinkState
from device.delivery.outbox import Outbox
from device.delivery.pipe import CLOSE_LIMIT_S, Acknowledged, Arrived, Event, Events, Lost, Pipe
from device.delivery.receipts import ReceiptRefusedError, open_receipt
from device.delivery.rows import Part
from device.delivery.window import Window
from device.wire.birth import Presence
from device.wire.receipt import ReceiptEntry, Verdict
from device.wire.topics import Leaf, topic

LOG = logging.getLogger(__name__)
OUTBOX_RETRY_S = 5.0
MOST_EVENTS_AT_ONCE = 64
_LEAVES = {Part.RESULT: Leaf.RESULT, Part.EVIDENCE: Leaf.EVIDENCE}

Receiver = Callable[[bytes], None]
Outgoing = queue.SimpleQueue[tuple[Leaf, bytes]]


@dataclass(frozen=True, slots=True)
class Party:
    """What every conversation of a terminal has in common.

    Attributes:
        receivers: who takes what comes on a leaf; they run on the link's thread and do no more than enqueue.
        outgoing: what is to be said once: replies. It may be lost.
        birth: signs what the terminal says of itself.
        health: signs its health.
        tell: sets the link's status.
        refuse: counts a message that is not believed.
        stop: set when the terminal wants to go.
    """

    settings: LinkSettings
    keys: TerminalKeys = field(repr=False)
    outbox: Outbox
    receivers: dict[Leaf, Receiver]
    outgoing: Outgoing
    birth: Callable[[Presence], bytes]
    health: Callable[[], bytes] | None
    tell: Callable[[LinkState, str], None]
    refuse: Callable[[], None]
    stop: Flag
    monotonic: Callable[[], float]


class Conversation:
    """The conversation over one pipe; an outbox that cannot be used does not end it."""

    def __init__(self, party: Party, pipe: Pipe, events: Events) -> None:
        self._party, self._pipe, self._events = party, pipe, events
        settings = party.settings
        self._window = Window(settings.window, settings.receipt_wait_s, settings.longest_receipt_wait_s)
        self._under_way: set[int] = set()
        self._address = f"{settings.host}:{settings.port}"
        self._health_due: float | None = None
        self._outbox_due: float | None = None

    def hold(self) -> None:
        """Talks until the connection or the terminal ends."""
        leaves = [Leaf.RECEIPT, *self._party.receivers]
        self._pipe.subscribe([self._topic(leaf) for leaf in leaves])
        # Only now: whoever reads the birth may send a request at once.
        self._pipe.publish(self._topic(Leaf.STATUS), self._party.birth(Presence.ONLINE), retain=True)
        if self._party.health is not None:
            self._health_due = self._party.monotonic()
        self._connected()
        while not self._party.stop.is_set():
            self._say_what_is_due()
            events = self._wait()
            self._handle(events)
            for event in events:
                if isinstance(event, Lost):
                    sentence = f"The connection to {self._address} was lost: {event.reason}."
                    self._party.tell(LinkState.NO_BROKER, sentence)
                    return
        self._say_outgoing()
        self._say_stopped()

    def _topic(self, leaf: Leaf) -> str:
        return topic(self._party.keys.terminal, leaf)

    def _connected(self) -> None:
        self._party.tell(LinkState.CONNECTED, f"Connected to the broker at {self._address}.")

    def _silent(self, why: str) -> None:
        self._party.tell(LinkState.CENTRAL_SILENT, f"Central does not take results ({why}): they wait in the outbox.")

    def _say_what_is_due(self) -> None:
        now = self._party.monotonic()
        patience = self._window.remaining_s(now)
        if patience is not None and patience <= 0 and self._window.give_up():
            self._silent("no receipts come")
        self._say_outgoing()
        if self._party.health is not None and self._health_due is not None and now >= self._health_due:
            self._health_due = now + self._party.settings.health_every_s
            self._pipe.publish(self._topic(Leaf.HEALTH), self._party.health())
        if self._outbox_due is None or now >= self._outbox_due:
            self._say_waiting(now)

    def _say_outgoing(self) -> None:
        while True:
            try:
                leaf, raw = self._party.outgoing.get_nowait()
            except queue.Empty:
                return
            self._pipe.publish(self._topic(leaf), raw)

    def _say_waiting(self, now: float) -> None:
        try:
            waiting = self._window.pick(self._party.outbox.waiting, now)
        except OutboxError as error:
            self._outbox_fault(error, now)
            return
        if self._outbox_due is not None:
            self._outbox_due = None
            self._connected()
        for row in waiting:
            self._under_way.add(self._pipe.publish(self._topic(_LEAVES[row.place.part]), row.envelope))

    def _outbox_fault(self, error: OutboxError, now: float) -> None:
        self._outbox_due = now + OUTBOX_RETRY_S
        self._party.tell(LinkState.OUTBOX_FAULT, str(error))

    def _wait(self) -> list[Event]:
        """Waits until something happened or is due; returns what happened."""
        now = self._party.monotonic()
        dues = [due - now for due in (self._health_due, self._outbox_due) if due is not None]
        patience = self._window.remaining_s(now)
        dues += [] if patience is None else [patience]
        events: list[Event] = []
        try:
            events.append(self._events.get(timeout=max(0.0, min(dues)) if dues else None))
            while len(events) < MOST_EVENTS_AT_ONCE:
                events.append(self._events.get_nowait())
        except queue.Empty:
            pass
        return events

    def _handle(self, events: list[Event]) -> None:
        receipted: list[ReceiptEntry] = []
        for event in events:
            if isinstance(event, Acknowledged) and event.message in self._under_way:
                self._under_way.discard(event.message)
                if event.failed:
                    self._window.undelivered()
                    self._silent(f"the broker says: {event.reason}")
            elif isinstance(event, Arrived):
                receipted += self._take_message(event)
        if receipted:
            self._take_receipts(receipted)

    def _take_message(self, event: Arrived) -> tuple[ReceiptEntry, ...]:
        """Passes a message on; returns the entries of a receipt."""
        for leaf, receiver in self._party.receivers.items():
            if event.topic == self._topic(leaf):
                receiver(event.payload)
        if event.topic != self._topic(Leaf.RECEIPT):
            return ()
        keys = self._party.keys
        try:
            return open_receipt(event.payload, keys.terminal, keys.receipt_signers)
        except ReceiptRefusedError as error:
            LOG.warning("receipt refused reason=%s", error)
            self._party.refuse()
            return ()

    def _take_receipts(self, entries: list[ReceiptEntry]) -> None:
        """Lets go of what central holds: one transaction for all receipts that came together."""
        now = self._party.monotonic()
        try:
            removed = self._party.outbox.remove((entry.epoch, entry.seq, entry.sha256) for entry in entries)
        except OutboxError as error:  # sent and receipted again, later
            self._outbox_fault(error, now)
            return
        self._window.receipted(removed, now)
        if len(removed) < len(entries):
            LOG.info("receipts for what does not wait: %d (repeated, or replayed)", len(entries) - len(removed))
        for entry in entries:
            if entry.verdict != Verdict.ACCEPTED:
                LOG.warning("quarantined by central epoch=%d seq=%d reason=%s", entry.epoch, entry.seq, entry.reason)
        self._connected()

    def _say_stopped(self) -> None:
        message = self._pipe.publish(self._topic(Leaf.STATUS), self._party.birth(Presence.STOPPED), retain=True)
        deadline = self._party.monotonic() + CLOSE_LIMIT_S
        while (remaining := deadline - self._party.monotonic()) > 0:
            try:
                event = self._events.get(timeout=remaining)
            except queue.Empty:
                return
            if isinstance(event, Lost) or (isinstance(event, Acknowledged) and event.message == message):
                return
