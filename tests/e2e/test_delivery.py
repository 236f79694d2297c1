"""Results over the real broker: never lost, never counted twice, and only central's receipt lets one go."""

import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import paho.mqtt.client as paho
import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from world import Terminal, World, until

from central.connection import Connection
from central.ledger import Ledger
from central.registry import load_registry
from device.delivery.link_status import LinkState
from device.wire.chain import ChainHead
from device.wire.claims import Capture
from device.wire.envelope import Envelope, Kind, SigningKey, sign
from device.wire.keys import parse_signing_key
from device.wire.receipt import ReceiptClaims, ReceiptEntry, Verdict
from device.wire.topics import Leaf, topic
from provisioning.demo import create_demo_authority

pytestmark = pytest.mark.broker


def tls_of(terminal: Terminal) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=terminal.keys.tls.authority)
    context.load_cert_chain(terminal.keys.tls.certificate, terminal.keys.tls.key)
    return context


def publish_as(terminal: Terminal, port: int, name: str, payload: bytes) -> str:
    """Publishes with a terminal's certificate and nothing of its software; returns the broker's reason."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set_context(tls_of(terminal))
    reasons: list[str] = []
    answered = threading.Event()

    def on_publish(_client, _data, _message, code, _properties):
        reasons.append(str(code))
        answered.set()

    client.on_publish = on_publish
    client.on_connect = lambda *_: client.publish(name, payload, qos=1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert answered.wait(20)
    finally:
        client.disconnect()
        client.loop_stop()
    return reasons[0]


def accepted(world: World) -> list[bool]:
    return [custody.verdict is Verdict.ACCEPTED for custody in world.central.held()]


def test_a_result_goes_to_the_ledger_and_leaves_on_its_receipt(running):
    terminal = running.terminal()
    terminal.connect()
    envelope = terminal.append()
    terminal.is_receipted()
    (custody,) = running.central.held()
    assert custody.envelope == envelope.raw and custody.verdict is Verdict.ACCEPTED and custody.linked
    until(lambda: running.central.held()[0].receipted is not None, "the receipt is noted")


def test_many_results_of_two_terminals_keep_their_order(running):
    terminals = [running.terminal("shop-1"), running.terminal("shop-2")]
    for terminal in terminals:
        for _ in range(60):
            terminal.append()
        terminal.connect()
    for terminal in terminals:
        terminal.is_receipted()
    held = running.central.held()
    assert len(held) == 120 and all(accepted(running))
    for terminal in terminals:
        mine = [custody.position.seq for custody in held if custody.terminal == terminal.name]
        assert mine == list(range(1, 61))


def test_results_wait_for_a_broker_and_for_central(world):
    terminal = world.terminal()
    terminal.link.start()
    terminal.reaches(LinkState.NO_BROKER)
    terminal.append()
    world.broker.start()
    terminal.reaches(LinkState.CONNECTED, LinkState.CENTRAL_SILENT)
    terminal.append()
    terminal.reaches(LinkState.CENTRAL_SILENT)
    assert terminal.outbox.depth() == 2
    world.central.start()
    terminal.is_receipted()
    assert accepted(world) == [True, True]
    terminal.reaches(LinkState.CONNECTED)


@pytest.mark.parametrize("kill", [False, True])
def test_a_broker_that_goes_and_comes_back_loses_nothing(running, kill):
    terminal = running.terminal()
    terminal.connect()
    terminal.append()
    terminal.is_receipted()
    running.broker.stop(kill=kill)
    terminal.reaches(LinkState.NO_BROKER)
    for _ in range(5):
        terminal.append()
    assert terminal.outbox.depth() == 5
    running.broker.start()
    terminal.is_receipted()
    assert accepted(running) == [True] * 6
    assert [custody.position.seq for custody in running.central.held()] == list(range(1, 7))


def test_a_redelivered_result_is_receipted_again_and_counted_once(running):
    terminal = running.terminal()
    terminal.connect()
    envelope = terminal.append()
    terminal.is_receipted()
    terminal.link.stop()
    running.central.stop()
    again = Terminal(running.made, running.folder / "keys", "shop-1")
    running.terminals.append(again)
    put_back(again, envelope)
    running.central.start()
    again.connect()
    again.is_receipted()
    assert len(running.central.held()) == 1


def put_back(terminal: Terminal, envelope: Envelope) -> None:
    """The same result once more in an outbox, as after a receipt that was lost."""
    with terminal.outbox._database.transaction() as database:
        database.execute("INSERT INTO results VALUES (1, 1, ?, ?)", (envelope.sha256, envelope.raw))


def test_a_forged_receipt_frees_nothing(running):
    running.central.stop()
    terminal = running.terminal()
    terminal.connect()
    envelope = terminal.append()
    entry = ReceiptEntry(epoch=1, seq=1, sha256=envelope.sha256, verdict=Verdict.ACCEPTED)
    entries = {"entries": (entry,), "iss": "central", "iat": samples.NOW}
    genuine = running.central.settings.keys.receipts.read_bytes()
    wrong_hash = entry.model_copy(update={"sha256": "0" * 64})
    key, stranger = parse_signing_key(genuine), SigningKey(Ed25519PrivateKey.generate())
    receipts = [
        sign(Kind.RECEIPT, ReceiptClaims(aud="shop-1", **entries).write(), stranger).raw,
        sign(Kind.RECEIPT, ReceiptClaims(aud="shop-2", **entries).write(), key).raw,
        sign(Kind.RECEIPT, ReceiptClaims(aud="shop-1", **(entries | {"entries": (wrong_hash,)})).write(), key).raw,
        sign(Kind.BIRTH, ReceiptClaims(aud="shop-1", **entries).write(), key).raw,
        b"not a receipt",
    ]
    connection = Connection(
        running.central.settings.broker, running.central.settings.broker.receiver, [], lasting=False
    )
    connection.connect()
    for receipt in receipts:
        connection.publish_and_wait(topic("shop-1", Leaf.RECEIPT), receipt)
    connection.publish_and_wait(topic("shop-1", Leaf.REQUEST), b"marks the end")
    assert terminal.requests.get(timeout=20) == b"marks the end"
    assert terminal.outbox.depth() == 1
    connection.publish_and_wait(
        topic("shop-1", Leaf.RECEIPT), sign(Kind.RECEIPT, ReceiptClaims(aud="shop-1", **entries).write(), key).raw
    )
    terminal.is_receipted()
    connection.close()


@pytest.mark.parametrize("leaf", [Leaf.RESULT, Leaf.STATUS])
def test_the_broker_denies_another_terminals_topic(running, leaf):
    own, other = running.terminal("shop-1"), running.terminal("shop-2")
    envelope = other.append()
    assert publish_as(own, running.made.port, topic("shop-2", leaf), envelope.raw) == "Not authorized"
    assert publish_as(own, running.made.port, topic("shop-1", Leaf.RECEIPT), b"x") == "Not authorized"
    assert running.central.held() == []


def test_another_terminals_result_on_the_own_topic_is_refused(running):
    own, other = running.terminal("shop-1"), running.terminal("shop-2")
    publish_as(own, running.made.port, topic("shop-1", Leaf.RESULT), other.append().raw)
    until(running.central.refused, "a refusal")
    assert running.central.refused() == [("shop-1", "other-terminal", 1)]
    assert running.central.held() == []


def test_a_result_with_a_changed_byte_is_refused_and_not_receipted(running):
    terminal = running.terminal()
    envelope = terminal.append()
    positions = range(0, len(envelope.raw), 97)
    for position in positions:
        changed = bytearray(envelope.raw)
        changed[position] ^= 1
        publish_as(terminal, running.made.port, topic("shop-1", Leaf.RESULT), bytes(changed))
    until(lambda: sum(times for *_, times in running.central.refused()) == len(positions), "all refused")
    assert running.central.held() == [] and terminal.outbox.depth() == 1
    terminal.connect()
    terminal.is_receipted()
    assert accepted(running) == [True]


@pytest.mark.parametrize("source", ["rehearsal", "recording", "something-new"])
def test_a_result_without_a_camera_is_quarantined_and_still_receipted(running, source):
    terminal = running.terminal()
    terminal.connect()
    terminal.append(capture=Capture(source=source, frames=300, fps=15.0))
    terminal.append()
    terminal.is_receipted()
    first, second = running.central.held()
    assert (first.verdict, first.reason) == (Verdict.QUARANTINED, "not-live")
    assert second.verdict is Verdict.ACCEPTED


def test_a_rolled_back_outbox_shows_as_a_fork(running):
    terminal = running.terminal()
    terminal.connect()
    terminal.append()
    kept = terminal.append()
    terminal.is_receipted()
    with terminal.outbox._database.transaction() as database:
        database.execute("UPDATE head SET seq = 1, sha256 = ?", (running.central.held()[0].sha256,))
    terminal.append(iat=samples.NOW + 5)
    terminal.append()
    terminal.is_receipted()
    held = running.central.held()
    assert [custody.reason for custody in held] == [None, None, "fork", "fork"]
    assert held[1].envelope == kept.raw


def test_an_expired_certificate_is_a_status_and_nothing_is_lost(running):
    running.expire("shop-1")
    terminal = running.terminal()
    terminal.append()
    terminal.link.start()
    terminal.reaches(LinkState.CERTIFICATE_EXPIRED)
    assert "expired on" in terminal.link.status.sentence
    assert terminal.link.alive and terminal.outbox.depth() == 1


def test_a_broker_of_another_authority_is_not_trusted(running, tmp_path):
    other = create_demo_authority(tmp_path / "other", ("shop-1",), port=running.made.port)
    terminal = Terminal(other, tmp_path, "shop-1")
    running.terminals.append(terminal)
    terminal.append()
    terminal.link.start()
    terminal.reaches(LinkState.BROKER_UNTRUSTED)
    assert terminal.link.alive and terminal.outbox.depth() == 1


def test_a_terminal_of_another_authority_is_refused(running, tmp_path):
    other = create_demo_authority(tmp_path / "other", ("shop-1",), port=running.made.port)
    (other.terminals["shop-1"] / "broker-ca.pem").write_bytes(running.made.authority.pem)
    terminal = Terminal(other, tmp_path, "shop-1")
    running.terminals.append(terminal)
    terminal.link.start()
    terminal.reaches(LinkState.REFUSED)
    assert terminal.link.alive


CHILD = """
import sys
from pathlib import Path
import samples
from queue import SimpleQueue
from device.delivery.clocks import TerminalClock
from device.delivery.keys import load_terminal_keys
from device.delivery.link import Link
from device.delivery.link_settings import LinkSettings
from device.delivery.link_status import LinkState
from device.delivery.outbox import Outbox
keys = load_terminal_keys(Path(sys.argv[1]))
outbox = Outbox(Path(sys.argv[2]), keys.terminal, keys.result_key)
link = Link(LinkSettings("127.0.0.1", int(sys.argv[3])), keys, outbox, boot=samples.BOOT, software=samples.SOFTWARE,
            clock=TerminalClock(), on_request=SimpleQueue().put)
link.start()
link.wait_for(lambda status: status.state is LinkState.CONNECTED, 20)
sys.stdin.read()
"""


def test_the_will_says_that_a_terminal_was_lost(running, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(samples.__file__).parent)}
    arguments = [str(running.made.terminals["shop-1"]), str(tmp_path / "outbox"), str(running.made.port)]
    command = [sys.executable, "-c", CHILD, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
        until(lambda: presence(running) == ["online"], "birth")
        process.kill()
        until(lambda: presence(running) == ["lost"], "will")


def test_a_terminal_that_stops_says_goodbye(running):
    terminal = running.terminal()
    terminal.connect()
    until(lambda: presence(running) == ["online"], "birth")
    terminal.link.stop()
    until(lambda: presence(running) == ["stopped"], "goodbye")


def test_without_central_an_empty_outbox_is_no_alarm(world):
    world.broker.start()
    terminal = world.terminal(receipt_wait_s=0.1)
    terminal.connect()
    assert not terminal.link.wait_for(lambda status: status.state is not LinkState.CONNECTED, 0.5)


def presence(world: World) -> list[str]:
    ledger = Ledger(world.central.settings.ledger)
    try:
        births = ledger.fleet.births(load_registry(world.central.settings.registry))
        return [birth.presence for _, birth in births.values()]
    finally:
        ledger.close()


def test_the_link_stops_in_time_wherever_it_is(world):
    terminal = world.terminal(first_retry_s=60.0)
    terminal.link.start()
    terminal.reaches(LinkState.NO_BROKER)
    terminal.link.stop()
    assert not terminal.link.alive and terminal.link.status.state is LinkState.STOPPED
    assert terminal.outbox.head() == ChainHead(1)
