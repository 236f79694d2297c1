"""The link: a thread that drains the outbox to central and brings in requests; a missing broker never stops it."""

from __future__ import annotations

import logging
import queue
import secrets
import ssl
import threading
import time
from collections.abc import Callable

from device.delivery.clocks import TerminalClock
from device.delivery.keys import TerminalKeys
from device.delivery.link_settings import LinkSettings, retry_pause_s
from device.delivery.link_status import LinkState, LinkStatus
from device.delivery.outbox import Outbox, OutboxError
from device.delivery.pipe import (
    CLOSE_LIMIT_S,
    NOBODY_LISTENS,
    Acknowledged,
    Arrived,
    Connected,
    Event,
    Events,
    Lost,
    Pipe,
    Woken,
    tls_context,
)
from device.delivery.receipts import ReceiptRefusedError, open_receipt
from device.delivery.window import Window
from device.wire.birth import BirthClaims, Presence
from device.wire.claims import Software
from device.wire.envelope import Kind, sign
from device.wire.receipt import Verdict
from device.wire.topics import Leaf, topic

LOG = logging.getLogger(__name__)
STABLE_S = 10.0
"""A connection that lasted this long ends a row of failures."""


class Link:
    """The link of one terminal. `on_request` runs on the link's thread: it should do no more than enqueue."""

    def __init__(
        self,
        settings: LinkSettings,
        keys: TerminalKeys,
        outbox: Outbox,
        *,
        boot: str,
        software: Software,
        clock: TerminalClock,
        on_request: Callable[[bytes], None],
        chance: Callable[[], float] = lambda: secrets.randbelow(1000) / 1000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._keys, self._outbox = settings, keys, outbox
        self._boot, self._software, self._clock = boot, software, clock
        self._on_request, self._chance, self._monotonic = on_request, chance, monotonic
        self._events = Events()
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._status = LinkStatus(LinkState.STARTING, "The link is starting.")
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    @property
    def status(self) -> LinkStatus:
        """How it stands now; may be read from any thread."""
        return self._status

    @property
    def alive(self) -> bool:
        """Whether the thread runs; false after an unexpected exception, which the watchdog has to see."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Starts the thread."""
        self._outbox.on_append = self._wake
        self._thread.start()

    def stop(self) -> None:
        """Says goodbye to the broker and ends the thread; what was not receipted stays in the outbox."""
        self._stop.set()
        self._wake()
        self._thread.join()

    def wait_for(self, condition: Callable[[LinkStatus], bool], limit_s: float) -> bool:
        """Waits until the status satisfies `condition`; False when it did not within `limit_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self._status), limit_s)

    def _wake(self) -> None:
        self._events.put(Woken())

    def _set(self, state: LinkState, sentence: str) -> None:
        status = LinkStatus(state, sentence)
        with self._changed:
            if status == self._status:
                return
            self._status = status
            self._changed.notify_all()
        level = logging.INFO if state in (LinkState.CONNECTED, LinkState.STOPPED) else logging.WARNING
        LOG.log(level, "link state=%s %s", state.value, sentence)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            began = self._monotonic()
            self._attempt()
            failures = 1 if self._monotonic() - began >= STABLE_S else failures + 1
            self._stop.wait(retry_pause_s(self._settings, failures, self._chance()))
        self._set(LinkState.STOPPED, "The link was stopped.")

    def _attempt(self) -> None:
        """One connection from its beginning to its end; every expected fault becomes a status."""
        self._events = events = Events()
        try:
            pipe = Pipe(self._keys.terminal, tls_context(self._keys.tls), events)
            self._connect(pipe)
        except ssl.SSLCertVerificationError as error:
            advice = "check the broker's authority file, the host name and the clock"
            self._set(LinkState.BROKER_UNTRUSTED, f"The broker is not trusted ({error.verify_message}): {advice}.")
        except ssl.SSLError as error:
            self._refused(error.reason or "TLS")
        except OSError as error:
            self._set(LinkState.NO_BROKER, f"No broker at {self._address}: {error.strerror or error}.")
        except OutboxError as error:
            self._set(LinkState.OUTBOX_FAULT, str(error))
        else:
            self._serve(pipe, events)

    @property
    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _connect(self, pipe: Pipe) -> None:
        will = topic(self._keys.terminal, Leaf.STATUS), self._signed_birth(Presence.LOST)
        settings = self._settings
        pipe.connect(
            settings.host,
            settings.port,
            keepalive_s=settings.keepalive_s,
            limit_s=settings.connect_limit_s,
            will=will,
        )

    def _signed_birth(self, presence: Presence) -> bytes:
        instant, head = self._clock.read(), self._outbox.head()
        claims = BirthClaims(
            iss=self._keys.terminal,
            iat=max(0, int(instant.unix_s)),
            boot=self._boot,
            uptime_s=round(instant.uptime_s, 3),
            clock=instant.state,
            presence=presence,
            epoch=head.epoch,
            head_seq=head.seq,
            head_sha256=head.sha256,
            waiting=self._outbox.depth(),
            software=self._software,
        )
        return sign(Kind.BIRTH, claims.write(), self._keys.result_key).raw

    def _serve(self, pipe: Pipe, events: Events) -> None:
        try:
            if self._admitted(events):
                self._converse(pipe, events)
        except OutboxError as error:
            self._set(LinkState.OUTBOX_FAULT, str(error))
        finally:
            pipe.close()

    def _admitted(self, events: Events) -> bool:
        """Waits for the broker's answer; it closes the connection without one when it refuses the certificate."""
        deadline = self._monotonic() + self._settings.connect_limit_s
        while not self._stop.is_set():
            try:
                event = events.get(timeout=max(0.0, deadline - self._monotonic()))
            except queue.Empty:
                self._set(LinkState.NO_BROKER, f"The broker at {self._address} does not answer.")
                return False
            if isinstance(event, Connected):
                if event.refusal:
                    self._refused(event.refusal)
                return not event.refusal
            if isinstance(event, Lost):
                self._refused("it closed the connection")
                return False
        return False

    def _refused(self, why: str) -> None:
        """The broker decides about our certificate; we can only tell what our own clock thinks of it."""
        until = self._keys.tls.not_after
        if self._clock.read().unix_s >= until.timestamp():
            sentence = f"The terminal's certificate expired on {until:%Y-%m-%d %H:%M} UTC: give it a new one."
            self._set(LinkState.CERTIFICATE_EXPIRED, sentence)
        else:
            advice = "check that this terminal is enrolled, and its clock"
            self._set(LinkState.REFUSED, f"The broker refuses this terminal ({why}): {advice}.")

    def _converse(self, pipe: Pipe, events: Events) -> None:
        settings, terminal = self._settings, self._keys.terminal
        window = Window(settings.window, settings.receipt_wait_s, settings.longest_receipt_wait_s)
        status = topic(terminal, Leaf.STATUS)
        pipe.subscribe([topic(terminal, Leaf.REQUEST), topic(terminal, Leaf.RECEIPT)])
        # Only now: whoever reads the birth may send a request at once.
        birth = pipe.publish(status, self._signed_birth(Presence.ONLINE), retain=True)
        self._set(LinkState.CONNECTED, f"Connected to the broker at {self._address}.")
        while not self._stop.is_set():
            self._publish_waiting(pipe, window)
            try:
                event = events.get(timeout=window.remaining_s(self._monotonic()))
            except queue.Empty:
                if window.give_up():
                    self._silent("no receipts come")
                continue
            if isinstance(event, Lost):
                self._set(LinkState.NO_BROKER, f"The connection to {self._address} was lost: {event.reason}.")
                return
            if event != Acknowledged(birth, NOBODY_LISTENS, failed=True):  # the birth is retained: it is not gone
                self._handle(event, window)
        self._say_stopped(pipe, events, status)

    def _publish_waiting(self, pipe: Pipe, window: Window) -> None:
        name = topic(self._keys.terminal, Leaf.RESULT)
        for row in window.pick(self._outbox.waiting, self._monotonic()):
            pipe.publish(name, row.envelope)

    def _handle(self, event: Event, window: Window) -> None:
        if isinstance(event, Acknowledged) and event.failed:
            window.undelivered()
            self._silent(f"the broker says: {event.reason}")
        elif isinstance(event, Arrived) and event.topic == topic(self._keys.terminal, Leaf.REQUEST):
            self._on_request(event.payload)
        elif isinstance(event, Arrived) and event.topic == topic(self._keys.terminal, Leaf.RECEIPT):
            self._take_receipt(event.payload, window)

    def _take_receipt(self, raw: bytes, window: Window) -> None:
        try:
            entries = open_receipt(raw, self._keys.terminal, self._keys.receipt_signers)
        except ReceiptRefusedError as error:
            LOG.warning("receipt refused reason=%s", error)
            return
        self._outbox.remove((entry.epoch, entry.seq, entry.sha256) for entry in entries)
        window.receipted(((entry.epoch, entry.seq) for entry in entries), self._monotonic())
        for entry in entries:
            if entry.verdict != Verdict.ACCEPTED:
                LOG.warning("result quarantined by central seq=%d reason=%s", entry.seq, entry.reason)
        self._set(LinkState.CONNECTED, f"Connected to the broker at {self._address}.")

    def _silent(self, why: str) -> None:
        self._set(LinkState.CENTRAL_SILENT, f"Central does not take results ({why}): they wait in the outbox.")

    def _say_stopped(self, pipe: Pipe, events: Events, status: str) -> None:
        message = pipe.publish(status, self._signed_birth(Presence.STOPPED), retain=True)
        deadline = self._monotonic() + CLOSE_LIMIT_S
        while (remaining := deadline - self._monotonic()) > 0:
            try:
                event = events.get(timeout=remaining)
            except queue.Empty:
                return
            if isinstance(event, Lost) or (isinstance(event, Acknowledged) and event.message == message):
                return
