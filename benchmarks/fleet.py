"""Terminals for central's benchmark: real keys, certificates and connections, results signed beforehand, no camera."""

import secrets
import selectors
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

import samples

from central.assessment import Asked
from central.connection import Delivery
from central.registry import LiveRegistry
from device.delivery.keys import load_terminal_keys
from device.wire.chain import ChainHead
from device.wire.envelope import Kind, open_envelope, sign
from device.wire.fields import uuid7
from device.wire.receipt import ReceiptClaims
from device.wire.topics import Leaf, topic

LIMIT_S = 300


class Fleet:
    """Terminals of a demo authority."""

    def __init__(self, made):
        self.made = made
        self.keys = {name: load_terminal_keys(folder) for name, folder in made.terminals.items()}
        self.heads = dict.fromkeys(self.keys, ChainHead(1))
        self.registry = LiveRegistry(made.central.parent / "registry.yaml")

    def deliveries(self, results, ledger=None):
        """Results of all terminals in turn, as they would arrive; answers to requests that `ledger` is given."""
        made, names = [], list(self.keys)
        for number in range(results):
            name = names[number % len(names)]
            told = {} if ledger is None else self._asked(ledger, name)
            claims = samples.result(self.heads[name].next(), terminal=name, **told)
            envelope = sign(Kind.RESULT, claims.write(), self.keys[name].result_key)
            self.heads[name] = self.heads[name].advanced(envelope.sha256)
            made.append(Delivery(topic(name, Leaf.RESULT), envelope.raw, number, 0))
        return made

    def _asked(self, ledger, name):
        jti = uuid7(samples.NOW * 1000, secrets.token_bytes(10))
        asked = samples.request(jti=jti, aud=name, subject=secrets.token_hex(16))
        row = (jti, name, asked.boot, asked.exp, Asked.of(asked).write().decode())
        ledger.database.rows("INSERT INTO requests (id, terminal, boot, expires, asked) VALUES (?, ?, ?, ?, ?)", *row)
        return {"offline": False, "request": asked.echo(), "reference": samples.card()}


class Link:
    """One terminal's connection, driven by the benchmark's loop."""

    def __init__(self, fleet, name):
        self.name, self.receipted, self.fleet, self.acknowledged = name, 0, fleet, 0
        keys = fleet.keys[name]
        self.client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5
        )
        client.tls_set(str(keys.tls.authority), str(keys.tls.certificate), str(keys.tls.key))
        client.on_connect = lambda *_: client.subscribe(topic(name, Leaf.RECEIPT), qos=1)
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.connect("127.0.0.1", fleet.made.port, keepalive=3600)

    def _on_message(self, _client, _data, message):
        keys = self.fleet.keys[self.name].receipt_signers
        self.receipted += len(ReceiptClaims.read(open_envelope(message.payload, Kind.RECEIPT, keys).payload).entries)

    def _on_publish(self, *_):
        self.acknowledged += 1


class Links:
    """Every terminal of a fleet on the line."""

    def __init__(self, fleet):
        began = time.perf_counter()
        self._selector = selectors.DefaultSelector()
        self.links = {name: Link(fleet, name) for name in fleet.keys}
        for link in self.links.values():
            self._selector.register(link.client.socket(), selectors.EVENT_READ, link)
        self.turn_until(lambda: all(link.client.is_connected() for link in self.links.values()))
        self.connected_s = time.perf_counter() - began

    def publish(self, deliveries):
        for delivery in deliveries:
            self.links[delivery.topic.split("/")[2]].client.publish(delivery.topic, delivery.payload, qos=1)

    def total(self, what):
        return sum(getattr(link, what) for link in self.links.values())

    def turn_until(self, condition):
        """Reads and writes until the condition holds."""
        deadline = time.perf_counter() + LIMIT_S
        while not condition():
            assert time.perf_counter() < deadline, "the terminals do not get on"
            for key, _ in self._selector.select(0.05):
                client = key.data.client
                client.loop_read()
                while client.socket() and client.socket().pending():  # what TLS holds already wakes nobody
                    client.loop_read()
            for link in self.links.values():
                if link.client.want_write():
                    link.client.loop_write()

    def close(self):
        self._selector.close()
        for link in self.links.values():
            assert link.client.is_connected(), f"{link.name} was lost"
            link.client.disconnect()
