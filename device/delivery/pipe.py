"""One connection to the broker, used once: paho moves bytes, every callback only enqueues an event.

paho's own queue, retry and reconnect are not used: its queue lives in memory only, and a message that was refused
would be sent again for ever. What has to arrive is in the outbox.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from device.delivery.keys import TlsFiles
from device.wire.topics import CARRIES, TO_TERMINAL

MAX_PACKET_BYTES = max(kind.max_bytes for leaf in TO_TERMINAL for kind in CARRIES[leaf]) + 1024
MAX_EVENTS = 256
CLOSE_LIMIT_S = 2.0
NOBODY_LISTENS = "No matching subscribers"
"""MQTT 5's name of reason code 0x10, as paho spells it."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker answered; `refusal` says why it does not let us in, or is empty."""

    refusal: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended."""

    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker answered a publication; `reason` is MQTT 5's name of the reason code."""

    message: int
    reason: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message came."""

    topic: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Woken:
    """Somebody wants the publisher to look at the outbox, to say something, or to stop."""


Event = Connected | Lost | Acknowledged | Arrived | Woken
Events = queue.SimpleQueue[Event]


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho lets go of such a socket without closing it."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """A context that trusts the broker's authority alone and shows the terminal's certificate; raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = _ClosingSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(files.authority)
    # Without a passphrase OpenSSL would ask for one at the terminal: an empty one is wrong instead.
    context.load_cert_chain(files.certificate, files.key, files.passphrase or b"")
    return context


class Pipe:
    """One connection; its events come through `events` in the order in which they happened."""

    def __init__(self, terminal: str, tls: ssl.SSLContext, events: Events) -> None:
        self._events = events
        self._gone = threading.Event()
        self._connected_once = False
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=terminal,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.tls_set_context(tls)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        self._client = client

    def connect(
        self, host: str, port: int, *, keepalive_s: int, limit_s: float, will: tuple[str, bytes] | None
    ) -> None:
        """Connects with `will` (topic, payload) as the retained last will; raises OSError when nobody answers."""
        self._client.connect_timeout = limit_s
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        new_properties: Callable[[int], Properties] = Properties  # paho has no types for it
        limits = new_properties(PacketTypes.CONNECT)
        limits.MaximumPacketSize = MAX_PACKET_BYTES
        self._client.connect(host, port, keepalive_s, clean_start=True, properties=limits)
        self._connected_once = True
        self._client.loop_start()

    def subscribe(self, topics: list[str]) -> None:
        """Subscribes with QoS 1."""
        self._client.subscribe([(topic, 1) for topic in topics])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Sends with QoS 1; returns the id that `Acknowledged` will name."""
        return self._client.publish(topic, payload, qos=1, retain=retain).mid

    def close(self) -> None:
        """Says goodbye, so that the last will is not sent, and ends paho's thread within seconds."""
        if not self._connected_once:
            return
        connection = self._client.socket()
        self._client.disconnect()
        if not self._gone.wait(CLOSE_LIMIT_S) and isinstance(connection, socket.socket):
            with suppress(OSError):  # it may have gone in the meantime
                connection.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def _on_connect(
        self, _client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._events.put(Connected(str(code) if code.is_failure else ""))

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._gone.set()
        self._events.put(Lost(str(code)))

    def _on_publish(
        self, _client: Client, _data: object, message: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        # That nobody listens is no failure for MQTT, but the message is gone.
        self._events.put(Acknowledged(message, str(code), code.is_failure or str(code) == NOBODY_LISTENS))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if self._events.qsize() < MAX_EVENTS:  # a flood is dropped: central repeats what matters
            try:
                topic = message.topic
            except UnicodeDecodeError:
                return
            self._events.put(Arrived(topic, bytes(message.payload)))
