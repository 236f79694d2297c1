"""A whole world for each test: authority, broker, central with its ledger, terminals with outbox and link."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import samples
from broker import Broker
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from central.config import load_central, load_signing_key
from central.connection import Connection
from central.custody import Custody
from central.ledger import Ledger
from central.metrics import Metrics
from central.receiver import TOPICS, Receiver
from central.registry import LiveRegistry
from device.delivery.clocks import TerminalClock
from device.delivery.inbox import Inbox
from device.delivery.keys import load_terminal_keys
from device.delivery.link import Link
from device.delivery.link_settings import LinkSettings
from device.delivery.link_status import LinkState
from device.delivery.outbox import Outbox
from device.delivery.telemetry import Telemetry, Vitals
from device.wire.envelope import Envelope
from provisioning.demo import DemoAuthority

LIMIT_S = 20.0


def until(condition: Callable[[], Any], what: str = "") -> None:
    """Waits for a condition that another thread or process brings about."""
    pause, tries = threading.Event(), int(LIMIT_S / 0.01)
    for _ in range(tries):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError(f"did not happen within {LIMIT_S} s: {what or condition}")


class Terminal:
    """What the daemon builds: keys, outbox, clock, link."""

    def __init__(self, made: DemoAuthority, folder: Path, name: str, port: int | None = None, **settings: Any) -> None:
        self.name = name
        self.keys = load_terminal_keys(made.terminals[name])
        self.outbox = Outbox(folder / f"{name}.sqlite", name, self.keys.result_key, epoch=self.keys.epoch)
        self.requests: SimpleQueue[bytes] = SimpleQueue()
        self.commands = Inbox("command")
        self.clock, self.vitals = TerminalClock(), Vitals()
        patience = {"first_retry_s": 0.05, "longest_retry_s": 0.2, "receipt_wait_s": 2.0, "connect_limit_s": 5.0}
        self.link = Link(
            LinkSettings("127.0.0.1", port or made.port, **(patience | settings)),
            self.keys,
            self.outbox,
            boot=samples.BOOT,
            software=samples.SOFTWARE,
            clock=self.clock,
            on_request=self.requests.put,
            on_command=self.commands.put,
            telemetry=Telemetry(name, samples.BOOT, self.clock, self.outbox, self.vitals),
        )

    def connect(self) -> None:
        self.link.start()
        self.reaches(LinkState.CONNECTED)

    def reaches(self, *states: LinkState) -> None:
        assert self.link.wait_for(lambda status: status.state in states, LIMIT_S), self.link.status

    def append(self, **changes: Any) -> Envelope:
        return self.outbox.append(lambda position: samples.result(position, terminal=self.name, **changes))

    def is_receipted(self) -> None:
        until(lambda: self.outbox.depth() == 0, "every result receipted")

    def close(self) -> None:
        if self.link.alive:
            self.link.stop()
        self.outbox.close()


class Central:
    """`likeness-central run`, in a thread of the test."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.settings = load_central(path)
        self.metrics: Metrics | None = None
        self._thread: threading.Thread | None = None
        self._receiver: Receiver | None = None

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,))
        self._thread.start()
        assert ready.wait(LIMIT_S)

    def stop(self) -> None:
        if self._thread is not None:
            self._receiver.stop()
            self._thread.join()
            self._thread = None

    def _run(self, ready: threading.Event) -> None:
        settings = self.settings
        ledger = Ledger(settings.ledger)
        connection = Connection(settings.broker, settings.broker.receiver, TOPICS, lasting=True)
        self._receiver = Receiver(
            settings.name,
            connection,
            ledger,
            LiveRegistry(settings.registry),
            load_signing_key(settings.keys.receipts),
            batch=settings.batch,
            repeat_requests_s=settings.repeat_requests_s,
            rules=settings.rules,
            metrics=self.metrics,
            rehearsal=settings.rehearsal,
        )
        try:
            connection.connect()
            ready.set()
            self._receiver.run()
        finally:
            connection.close()
            ledger.close()

    def held(self) -> list[Custody]:
        ledger = Ledger(self.settings.ledger)
        try:
            return ledger.latest(1000)
        finally:
            ledger.close()

    def refused(self) -> list[tuple[str, str, int]]:
        ledger = Ledger(self.settings.ledger)
        try:
            return ledger.refusals()
        finally:
            ledger.close()

    def holds(self, count: int) -> None:
        until(lambda: len(self.held()) == count, f"{count} results in the ledger")


@dataclass
class World:
    """Everything of one test; what it started is stopped at its end."""

    folder: Path
    made: DemoAuthority
    broker: Broker
    central: Central
    terminals: list[Terminal] = field(default_factory=list)

    def terminal(self, name: str = "shop-1", **settings: Any) -> Terminal:
        added = Terminal(self.made, self.folder, name, **settings)
        self.terminals.append(added)
        return added

    def expire(self, name: str) -> None:
        """Gives a terminal a certificate that ended yesterday."""
        key = load_terminal_keys(self.made.terminals[name])
        certificate = self.made.authority.issue_client(
            name, _tls_key(key.tls.key), datetime.now(UTC) - timedelta(days=3), datetime.now(UTC) - timedelta(days=1)
        )
        (self.made.terminals[name] / "tls.pem").write_bytes(certificate)

    def close(self) -> None:
        for terminal in self.terminals:
            terminal.close()
        self.central.stop()
        self.broker.stop()


def _tls_key(path: Path) -> Any:
    return load_pem_private_key(path.read_bytes(), None).public_key()
