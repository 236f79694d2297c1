"""Central's connection to the broker: MQTT 5 over mutual TLS, acknowledged by hand, driven by whoever reads from it.

There is no network thread: it would fight with verification for the interpreter, and come to one result at a time.
"""

from __future__ import annotations

import random
import select
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.config import BrokerSettings, IdentitySettings
from device.settings import SettingsError, read_private_file
from device.wire.envelope import Kind

LOG = getLogger(__name__)
SESSION_LIFETIME_S = 7 * 24 * 3600
RECEIVE_MAXIMUM = 1000
ANSWER_LIMIT_S = 10.0
RETRY_S = 1.0, 30.0
MAX_PACKET_BYTES = max(kind.max_bytes for kind in Kind) + 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that came; to be acknowledged, on the connection that it came with, once it is safe."""

    topic: str
    payload: bytes = field(repr=False)
    message: int
    generation: int


def _tls(authority: Path, identity: IdentitySettings) -> ssl.SSLContext:
    read_private_file(identity.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(authority)
    except OSError as error:
        raise SettingsError([f"{authority}: no certificate of the broker's authority: {error.strerror}"]) from None
    try:
        context.load_cert_chain(identity.certificate, identity.key)
    except OSError as error:
        raise SettingsError([f"{identity.certificate}: no certificate for {identity.key}: {error.strerror}"]) from None
    return context


class Connection:
    """One client, for one thread; reconnects by itself, and the broker keeps its session meanwhile when `lasting`."""

    def __init__(
        self,
        broker: BrokerSettings,
        identity: IdentitySettings,
        topics: Iterable[str],
        *,
        lasting: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepares; raises SettingsError for files that cannot be used."""
        context = _tls(broker.authority, identity)
        self._broker, self._lasting, self._monotonic = broker, lasting, monotonic
        self._topics = [(topic, 1) for topic in topics]
        self._inbox: deque[Delivery] = deque()
        self._generation = 0
        self._refusal = ""
        self._retry_s, self._retry_at = RETRY_S[0], 0.0
        self._idle = threading.Event()
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
        client.tls_set_context(context)
        client.connect_timeout = ANSWER_LIMIT_S
        client.max_inflight_messages_set(RECEIVE_MAXIMUM)  # receipts: not twenty at a time
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        self._client = client

    def connect(self) -> None:
        """Connects once and stays connected from then on; raises OSError when there is no broker now."""
        new_properties: Callable[[int], Properties] = Properties  # paho has no types for it
        limits = new_properties(PacketTypes.CONNECT)
        limits.ReceiveMaximum = RECEIVE_MAXIMUM
        limits.MaximumPacketSize = MAX_PACKET_BYTES
        limits.SessionExpiryInterval = SESSION_LIFETIME_S if self._lasting else 0
        self._client.connect(self._broker.host, self._broker.port, clean_start=not self._lasting, properties=limits)
        self._wait_until(self._client.is_connected)

    def collect(self, limit: int, timeout_s: float) -> list[Delivery]:
        """Waits for a first message and takes what else is there, up to `limit`; reconnects when it is time."""
        if self._client.socket() is None:
            self._reconnect(timeout_s)
        self._client.loop_misc()
        patience_s = 0.0 if self._inbox else timeout_s
        while len(self._inbox) < limit and self._pump(patience_s):
            patience_s = 0.0
        return [self._inbox.popleft() for _ in range(min(limit, len(self._inbox)))]

    def publish(self, topic: str, payload: bytes) -> None:
        """Sends with QoS 1; paho repeats it after a reconnect."""
        self._client.publish(topic, payload, qos=1)

    def publish_and_wait(self, topic: str, payload: bytes) -> None:
        """Sends and waits until the broker has it; raises ConnectionError."""
        sent = self._client.publish(topic, payload, qos=1)
        try:
            self._wait_until(sent.is_published)
        except RuntimeError as error:  # paho's word for "not connected"
            raise ConnectionError(str(error)) from None

    def acknowledge(self, delivery: Delivery) -> None:
        """Tells the broker that the message is safe, unless its connection is gone: then it comes again."""
        if delivery.generation == self._generation:
            self._client.ack(delivery.message, 1)

    def close(self) -> None:
        """Disconnects; sends what is waiting first, as far as the broker takes it."""
        deadline = self._monotonic() + 1.0
        while self._client.want_write() and self._client.socket() is not None and self._monotonic() < deadline:
            self._pump(0.1)
        self._client.disconnect()

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = self._monotonic() + ANSWER_LIMIT_S
        while not condition():
            if self._client.socket() is None:
                raise ConnectionError(self._refusal or "the broker ended the connection")
            remaining = deadline - self._monotonic()
            if remaining <= 0:
                raise ConnectionError("the broker does not answer")
            self._pump(remaining)

    def _pump(self, timeout_s: float) -> bool:
        """Writes what waits and reads one packet; returns whether there was anything to do within the time."""
        stream = self._client.socket()
        if stream is None:
            return False
        if self._client.want_write():
            self._client.loop_write()
        if not (isinstance(stream, ssl.SSLSocket) and stream.pending()):
            poll = select.poll()
            poll.register(stream, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
            ready = poll.poll(timeout_s * 1000)
            if not any(event & ~select.POLLOUT for _, event in ready):
                return bool(ready)
        self._client.loop_read()
        return True

    def _reconnect(self, timeout_s: float) -> None:
        if self._monotonic() < self._retry_at:
            self._idle.wait(min(timeout_s, self._retry_at - self._monotonic()))
            return
        # Not all at once when a broker comes back.
        self._retry_at = self._monotonic() + self._retry_s * random.uniform(0.5, 1.0)  # noqa: S311
        self._retry_s = min(self._retry_s * 2, RETRY_S[1])
        try:
            self._client.reconnect()
        except OSError as error:
            LOG.warning("no broker: %s", error.strerror or error)

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._generation += 1
        if code.is_failure:
            self._refusal = f"the broker refuses: {code}"
            return
        self._retry_s = RETRY_S[0]
        if self._topics:
            client.subscribe(self._topics)
        LOG.info("broker connected")

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._generation += 1
        LOG.info("broker disconnected: %s", code)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._inbox.append(Delivery(topic, bytes(message.payload), message.mid, self._generation))
