"""Central's connection to the broker: MQTT 5 over mutual TLS, acknowledged by hand, callbacks only enqueue."""

from __future__ import annotations

import queue
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.config import BrokerSettings, IdentitySettings
from device.settings import read_private_file
from device.wire.envelope import Kind

SESSION_LIFETIME_S = 7 * 24 * 3600
RECEIVE_MAXIMUM = 500
PUBLISH_LIMIT_S = 10.0
MAX_PACKET_BYTES = max(kind.max_bytes for kind in Kind) + 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that came; to be acknowledged, on the connection that it came with, once it is safe."""

    topic: str
    payload: bytes = field(repr=False)
    message: int
    generation: int


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """The connection came or went."""

    connected: bool
    reason: str


Inbox = queue.SimpleQueue[Delivery | ConnectionChange]


class Connection:
    """One client; reconnects by itself, and the broker keeps its session meanwhile when `lasting`."""

    def __init__(
        self, broker: BrokerSettings, identity: IdentitySettings, topics: Iterable[str], *, lasting: bool
    ) -> None:
        """Prepares; raises SettingsError or OSError for files that cannot be used."""
        read_private_file(identity.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(broker.authority)
        context.load_cert_chain(identity.certificate, identity.key)
        self.inbox: Inbox = queue.SimpleQueue()
        self._broker, self._lasting = broker, lasting
        self._topics = [(topic, 1) for topic in topics]
        self._generation = 0
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
        client.tls_set_context(context)
        client.reconnect_delay_set(1, 30)
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
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes) -> None:
        """Sends with QoS 1; paho repeats it after a reconnect."""
        self._client.publish(topic, payload, qos=1)

    def publish_and_wait(self, topic: str, payload: bytes) -> None:
        """Sends and waits until the broker has it; raises ConnectionError."""
        sent = self._client.publish(topic, payload, qos=1)
        try:
            sent.wait_for_publish(PUBLISH_LIMIT_S)
        except RuntimeError as error:  # paho's word for "not connected"
            raise ConnectionError(str(error)) from None
        if not sent.is_published():
            raise ConnectionError("the broker does not answer")

    def acknowledge(self, delivery: Delivery) -> None:
        """Tells the broker that the message is safe, unless its connection is gone: then it comes again."""
        if delivery.generation == self._generation:
            self._client.ack(delivery.message, 1)

    def close(self) -> None:
        """Disconnects and ends paho's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._generation += 1
        if self._topics and not code.is_failure:
            client.subscribe(self._topics)
        self.inbox.put(ConnectionChange(not code.is_failure, str(code)))

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._generation += 1
        self.inbox.put(ConnectionChange(connected=False, reason=str(code)))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self.inbox.put(Delivery(topic, bytes(message.payload), message.mid, self._generation))
