"""The link: a thread that keeps the terminal in conversation with central; a missing broker never stops it."""

from __future__ import annotations

import logging
import queue
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial

from device.delivery.clocks import TerminalClock
from device.delivery.conversation import Conversation, Outgoing, Party, Receiver
from device.delivery.database import OutboxError
from device.delivery.keys import TerminalKeys
from device.delivery.link_settings import LinkSettings, retry_pause_s
from device.delivery.link_status import LinkState, LinkStatus
from device.delivery.outbox import Outbox
from device.delivery.pipe import Connected, Events, Lost, Pipe, Woken, tls_context
from device.delivery.telemetry import Telemetry
from device.wire.birth import BirthClaims, Presence
from device.wire.claims import Software
from device.wire.envelope import Kind, sign
from device.wire.topics import Leaf, topic

LOG = logging.getLogger(__name__)
STABLE_S = 10.0
"""A connection that lasted this long ends a row of failures."""


class Link:
    """The link of one terminal.

    `on_request` and `on_command` run on the link's thread: they should do no more than enqueue. Without `on_command`
    the terminal obeys none, and without `telemetry` it tells nothing of its health.
    """

    def __init__(
        self,
        settings: LinkSettings,
        keys: TerminalKeys,
        outbox: Outbox,
        *,
        boot: str,
        software: Software,
        clock: TerminalClock,
        on_request: Receiver,
        on_command: Receiver | None = None,
        telemetry: Telemetry | None = None,
        chance: Callable[[], float] = lambda: secrets.randbelow(1000) / 1000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._keys, self._outbox = settings, keys, outbox
        self._boot, self._software, self._clock = boot, software, clock
        self._chance, self._monotonic = chance, monotonic
        self._events = Events()
        self._outgoing = Outgoing()
        self._disbelieved = 0
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._status = LinkStatus(LinkState.STARTING, "The link is starting.")
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        receivers = {Leaf.REQUEST: on_request} | ({} if on_command is None else {Leaf.COMMAND: on_command})
        self._party = Party(
            settings=settings,
            keys=keys,
            outbox=outbox,
            receivers=receivers,
            outgoing=self._outgoing,
            birth=self._signed_birth,
            health=None if telemetry is None else partial(self._signed_health, telemetry),
            tell=self._set,
            refuse=self._count_refused,
            stop=self._stop,
            monotonic=monotonic,
        )

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

    def say(self, leaf: Leaf, raw: bytes) -> None:
        """Sends an envelope once, when there is a connection: central asks again for what it misses."""
        self._outgoing.put((leaf, raw))
        self._wake()

    def report_health(self) -> None:
        """Tells the terminal's health now."""
        if self._party.health is not None:
            self.say(Leaf.HEALTH, self._party.health())

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
        instant, head, waiting = self._clock.read(), None, None
        try:
            head, waiting = self._outbox.head(), self._outbox.depth()
        except OutboxError as error:
            LOG.error("no outbox to tell of: %s", error)
        claims = BirthClaims(
            iss=self._keys.terminal,
            iat=max(0, int(instant.unix_s)),
            boot=self._boot,
            uptime_s=round(instant.uptime_s, 3),
            clock=instant.state,
            presence=presence,
            epoch=None if head is None else head.epoch,
            head_seq=None if head is None else head.seq,
            head_sha256=None if head is None else head.sha256,
            waiting=waiting,
            software=self._software,
        )
        return sign(Kind.BIRTH, claims.write(), self._keys.result_key).raw

    def _signed_health(self, telemetry: Telemetry) -> bytes:
        claims = telemetry.claims(self._status.state, self._disbelieved)
        return sign(Kind.HEALTH, claims.write(), self._keys.result_key).raw

    def _count_refused(self) -> None:
        self._disbelieved += 1

    def _serve(self, pipe: Pipe, events: Events) -> None:
        try:
            if self._admitted(events):
                Conversation(self._party, pipe, events).hold()
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
