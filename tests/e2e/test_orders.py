"""Commands, health and a broken outbox over the real broker; central is played by its certificate and its keys."""

import queue
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import samples
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from world import LIMIT_S, Terminal, World, until

from central.config import load_central, load_signing_key
from device.admission import Admission
from device.delivery.commands import CommandDesk
from device.delivery.keys import KeysInUse
from device.delivery.link_status import LinkState
from device.durable import point_at
from device.liveness.limits import Limits
from device.orders import IDENTIFY_S, Orders
from device.panel.prompts import Scene
from device.updates.installing import install
from device.updates.probation import Probation
from device.updates.store import Store
from device.wire.birth import BirthClaims
from device.wire.command import ReplyClaims
from device.wire.envelope import Kind, open_envelope, sign
from device.wire.fields import uuid7
from device.wire.health import HealthClaims
from device.wire.topics import Leaf, every_terminal, parse_topic, topic
from tests.updates import bundles

pytestmark = pytest.mark.broker


class Office:
    """Central's client certificate on the line, and nothing of central's software."""

    def __init__(self, world: World) -> None:
        folder = world.made.folder / "central"
        self.signer = load_signing_key(load_central(world.made.central).keys.requests)
        self.arrived: dict[Leaf, queue.SimpleQueue[bytes]] = {leaf: queue.SimpleQueue() for leaf in Leaf}
        subscribed = queue.SimpleQueue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        context = ssl.create_default_context(cafile=folder / "broker-ca.pem")
        context.load_cert_chain(folder / "central.pem", folder / "central.key")
        self._client.tls_set_context(context)
        leaves = (Leaf.STATUS, Leaf.HEALTH, Leaf.COMMAND_REPLY)
        self._client.on_connect = lambda client, *_: client.subscribe([(every_terminal(leaf), 1) for leaf in leaves])
        self._client.on_subscribe = lambda *_: subscribed.put(True)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", world.made.port)
        self._client.loop_start()
        assert subscribed.get(timeout=LIMIT_S)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        self.arrived[parse_topic(message.topic)[1]].put(bytes(message.payload))

    def order(self, command: str, number: int, **changes: Any) -> bytes:
        values = {"command": command, "counter": number, "jti": uuid7(samples.NOW * 1000, number.to_bytes(10, "big"))}
        claims = samples.command(**(values | {"exp": 2**39} | changes))
        raw = sign(Kind.COMMAND, claims.write(), self.signer).raw
        self.send(raw)
        return raw

    def send(self, raw: bytes) -> None:
        self._client.publish(topic("shop-1", Leaf.COMMAND), raw, qos=1)

    def next(self, leaf: Leaf, kind: Kind, terminal: Terminal) -> bytes:
        """The payload of the next verified envelope on a leaf."""
        key = terminal.keys.result_key
        raw = self.arrived[leaf].get(timeout=LIMIT_S)
        return open_envelope(raw, kind, {key.kid: key.private.public_key()}).payload

    def meet(self, terminal: Terminal) -> BirthClaims:
        """Waits for a terminal's birth: from then on it hears orders."""
        terminal.link.start()
        return BirthClaims.read(self.next(Leaf.STATUS, Kind.BIRTH, terminal))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        del self._client  # its callbacks are ours: a circle that would close its sockets too late


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    world.broker.start()
    opened = Office(world)
    yield opened
    opened.close()


class Clerk:
    """What the daemon's loop does with commands, without its camera."""

    def __init__(self, terminal: Terminal, keys: Path | None = None) -> None:
        self.admission = Admission(terminal.outbox, samples.BOOT, terminal.clock, Limits(), terminal.vitals)
        self.admission.look(0.0)
        desk = CommandDesk(terminal.keys, samples.BOOT, terminal.outbox, terminal.clock)
        self.orders = Orders(
            terminal.commands, desk, terminal.link, self.admission, terminal.vitals, keys=keys and KeysInUse(keys)
        )

    def answer(self, office: Office, terminal: Terminal) -> ReplyClaims:
        until(lambda: self.orders.obey(0.0) or not office.arrived[Leaf.COMMAND_REPLY].empty(), "a reply")
        return ReplyClaims.read(office.next(Leaf.COMMAND_REPLY, Kind.REPLY, terminal))


def test_commands_are_obeyed_and_answered_over_the_broker(world, office):
    terminal = world.terminal()
    office.meet(terminal)
    clerk = Clerk(terminal)
    office.order("identify", 1)
    assert clerk.answer(office, terminal).status == "done"
    assert clerk.orders.identifies(IDENTIFY_S - 0.1) and not clerk.orders.identifies(IDENTIFY_S)
    pause = office.order("pause", 2)
    first = clerk.answer(office, terminal)
    assert first.sentence == "The terminal pauses until it is told to resume."
    assert clerk.admission.obstacle is Scene.PAUSED
    office.send(pause)
    assert clerk.answer(office, terminal) == first
    office.order("resume", 3)
    assert clerk.answer(office, terminal).status == "done"
    assert clerk.admission.obstacle is None
    office.order("restart", 4, boot=samples.OTHER_BOOT)
    assert clerk.answer(office, terminal).reason == "other-boot"
    assert not clerk.orders.restart
    office.order("restart", 5)
    assert clerk.answer(office, terminal).status == "done"
    assert clerk.orders.restart


def test_what_is_not_centrals_is_counted_and_told_in_the_health(world, office):
    terminal = world.terminal()
    office.meet(terminal)
    clerk = Clerk(terminal)
    health = HealthClaims.read(office.next(Leaf.HEALTH, Kind.HEALTH, terminal))
    assert (health.refused_messages, health.outbox, health.waiting) == (0, "ok", 0)
    office.send(b"a.b.c")
    until(lambda: clerk.orders.obey(0.0) or terminal.vitals.refused == 1, "a refusal")
    office.order("report-health", 1)
    assert clerk.answer(office, terminal).status == "done"
    health = HealthClaims.read(office.next(Leaf.HEALTH, Kind.HEALTH, terminal))
    assert (health.refused_messages, health.link) == (1, "connected")


def test_a_release_that_was_installed_makes_the_terminal_begin_anew(world):
    terminal = world.terminal()
    clerk = Clerk(terminal)
    store = Store(world.folder / "updates")
    desk = CommandDesk(terminal.keys, samples.BOOT, terminal.outbox, terminal.clock)
    watched = Probation(store, terminal.vitals)
    orders = Orders(terminal.commands, desk, terminal.link, clerk.admission, terminal.vitals, watched)
    orders.obey(0.0)
    assert not orders.restart
    assert install(store, bundles.made(), "shop-1", bundles.NOW).changed
    orders.obey(2.0)
    assert orders.restart


def test_health_comes_again_and_again(world, office):
    terminal = world.terminal(health_every_s=0.05)
    terminal.connect()
    told = [HealthClaims.read(office.next(Leaf.HEALTH, Kind.HEALTH, terminal)) for _ in range(3)]
    assert told[0].uptime_s < told[1].uptime_s < told[2].uptime_s


def test_a_terminal_with_a_broken_outbox_is_on_the_line_and_says_so(world, office):
    path = world.folder / "shop-1.sqlite"
    path.write_bytes(b"no database " * 1000)
    terminal = world.terminal()
    birth = office.meet(terminal)
    terminal.reaches(LinkState.OUTBOX_FAULT)
    assert (birth.presence, birth.head_seq, birth.waiting) == ("online", None, None)
    assert HealthClaims.read(office.next(Leaf.HEALTH, Kind.HEALTH, terminal)).outbox == "damaged"
    clerk = Clerk(terminal)
    office.order("pause", 1)
    reply = clerk.answer(office, terminal)
    assert (reply.status, reply.reason) == ("failed", "outbox-fault")
    assert clerk.admission.obstacle is Scene.FAULT


def test_the_link_takes_up_a_repaired_outbox_by_itself(world, office, monkeypatch):
    monkeypatch.setattr("device.delivery.conversation.OUTBOX_RETRY_S", 0.05)
    path = world.folder / "shop-1.sqlite"
    path.write_bytes(b"no database " * 1000)
    terminal = world.terminal()
    terminal.link.start()
    terminal.reaches(LinkState.OUTBOX_FAULT)
    Path(path).unlink()
    terminal.reaches(LinkState.CONNECTED)
    terminal.append()
    assert terminal.outbox.depth() == 1


def test_new_keys_restart_the_daemon_between_sessions(world, tmp_path):
    terminal, keys = world.terminal(), tmp_path / "card" / "keys"
    for generation in ("keys.00000001", "keys.00000002"):
        (keys.parent / generation).mkdir(parents=True)
    keys.symlink_to("keys.00000001")
    clerk = Clerk(terminal, keys)
    clerk.orders.obey(0.0)
    assert not clerk.orders.restart
    point_at(keys, "keys.00000002")
    clerk.orders.obey(1.0)
    assert clerk.orders.restart
