"""The production configuration before a real mosquitto: every fence that it promises, tried from outside."""

import queue
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from broker import Broker
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device.wire.envelope import Kind
from device.wire.topics import Leaf, every_terminal, topic
from provisioning.__main__ import free_port, main
from provisioning.broker import write_broker
from provisioning.certificates import create_authority
from provisioning.demo import create_demo_authority
from provisioning.mosquitto import MAX_PACKET_BYTES, BrokerPlan

pytestmark = pytest.mark.broker
LIMIT_S = 20
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Identity:
    """A certificate and its key as files."""

    def __init__(self, authority: Path, certificate: Path, key: Path) -> None:
        self.authority, self.certificate, self.key = authority, certificate, key

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Caller:
    """A client that does as it likes; what happens to it comes through queues."""

    def __init__(self, identity: Identity, port: int, client_id: str = "") -> None:
        self.messages: queue.SimpleQueue = queue.SimpleQueue()
        self.answers: queue.SimpleQueue = queue.SimpleQueue()
        self.connected, self.gone, self.reason = threading.Event(), threading.Event(), ""
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        client.tls_set_context(identity.context())
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _client, _data, message: self.messages.put((message.topic, message.payload))
        client.on_publish = lambda _client, _data, _id, code, _properties: self.answers.put(str(code))
        client.on_subscribe = lambda *_: self.answers.put("subscribed")
        self._client = client
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0
        client.connect("127.0.0.1", port, properties=properties)
        client.loop_start()

    def _on_connect(self, _client, _data, _flags, code, _properties):
        self.reason = str(code)
        self.connected.set()

    def _on_disconnect(self, _client, _data, _flags, code, _properties):
        self.reason = str(code)
        self.gone.set()

    def publish(self, name: str, payload: bytes = b"x") -> str:
        """The broker's word for it."""
        self.publish_only(name, payload)
        return self.answers.get(timeout=LIMIT_S)

    def publish_only(self, name: str, payload: bytes) -> None:
        self._client.publish(name, payload, qos=1)

    def subscribe(self, *names: str) -> None:
        for name in names:
            self._client.subscribe(name, 1)
            assert self.answers.get(timeout=LIMIT_S) == "subscribed"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class House:
    """An authority, its broker with the production configuration, and who calls there."""

    def __init__(self, folder: Path) -> None:
        self.made = create_demo_authority(folder / "keys", ("shop-1", "shop-2"), port=free_port())
        self.files = self.made.folder / "broker"
        plan = BrokerPlan(self.files, self.files / "data", self.made.port, "127.0.0.1", "root", workers=2)
        write_broker(self.files, plan)
        self.broker = Broker(self.made)
        self.callers: list[Caller] = []
        central = self.made.folder / "central"
        self.identities = {name: self._placed(central, name) for name in ("central", "central-desk")}
        for name, keys in self.made.terminals.items():
            self.identities[name] = Identity(keys / "broker-ca.pem", keys / "tls.pem", keys / "tls.key")
        self.identities["central-2"] = self.issue("central-2", central)

    def _placed(self, folder: Path, name: str) -> Identity:
        return Identity(self.files / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key")

    def issue(self, name: str, folder: Path, authority=None) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = (authority or self.made.authority).issue_client(name, key.public_key(), NOW - DAY, NOW + DAY)
        (folder / f"{name}.pem").write_bytes(pem)
        private = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
        return self._placed(folder, name)

    def call(self, name: str, client_id: str = "") -> Caller:
        caller = Caller(self.identities[name], self.made.port, client_id)
        self.callers.append(caller)
        assert caller.connected.wait(LIMIT_S)
        assert caller.reason == "Success"
        return caller

    def is_refused(self, identity: Identity) -> bool:
        """Whether the broker ends the connection before it has answered."""
        try:
            caller = Caller(identity, self.made.port)
        except (ssl.SSLError, ConnectionError):
            return True
        self.callers.append(caller)
        # In TLS 1.3 a client believes itself connected before the server has looked at its certificate.
        assert caller.gone.wait(LIMIT_S)
        return not caller.connected.is_set()

    def revoke(self, *names: str, until: datetime = NOW + DAY, since: datetime = NOW - 2 * DAY) -> None:
        certificates = [self.identities[name].certificate.read_bytes() for name in names]
        revoked = [(x509.load_pem_x509_certificate(pem).serial_number, since) for pem in certificates]
        (self.files / "crl.pem").write_bytes(self.made.authority.revocation_list(revoked, since, until, 1))

    def close(self) -> None:
        for caller in self.callers:
            caller.close()
        self.broker.stop()


@pytest.fixture
def house(tmp_path):
    built = House(tmp_path)
    try:
        built.broker.start()
        yield built
    finally:
        built.close()


def test_a_stolen_client_id_gets_its_thief_nothing(house):
    owner = house.call("shop-1", "shop-1")
    owner.subscribe(topic("shop-1", Leaf.REQUEST))
    thief = house.call("shop-2", "shop-1")
    thief.subscribe(topic("shop-1", Leaf.REQUEST))
    assert house.call("central").publish(topic("shop-1", Leaf.REQUEST), b"for the owner") == "Success"
    assert owner.messages.get(timeout=LIMIT_S) == ("likeness/v1/shop-1/request", b"for the owner")
    assert owner.publish(topic("shop-1", Leaf.STATUS)) in ("Success", "No matching subscribers")
    assert not owner.gone.is_set() and thief.messages.empty()


@pytest.mark.parametrize(
    "name",
    [
        *(topic("shop-2", leaf) for leaf in Leaf),
        *(topic("shop-1", leaf) for leaf in (Leaf.REQUEST, Leaf.RECEIPT, Leaf.COMMAND)),
        "likeness/v1/shop-1/results",
        "likeness/v2/shop-1/result",
        "elsewhere",
        "$SYS/broker/uptime",
    ],
)
def test_a_terminal_writes_nowhere_else(house, name):
    watcher = house.call("central")
    watcher.subscribe("#")
    caller = house.call("shop-1")
    assert caller.publish(name) == "Not authorized"
    assert caller.publish(topic("shop-1", Leaf.RESULT), b"last") == "Success"
    assert watcher.messages.get(timeout=LIMIT_S) == ("likeness/v1/shop-1/result", b"last")


def test_a_terminal_hears_what_is_for_it_and_nothing_else(house):
    caller = house.call("shop-1")
    caller.subscribe("#", "$share/a/#", every_terminal(Leaf.REQUEST), topic("shop-2", Leaf.REQUEST))
    central = house.call("central")
    assert house.call("shop-2").publish(topic("shop-2", Leaf.STATUS)) in ("Success", "No matching subscribers")
    for leaf in (Leaf.REQUEST, Leaf.RECEIPT, Leaf.COMMAND):
        central.publish(topic("shop-2", leaf), b"not for shop-1")
    central.publish(topic("shop-1", Leaf.COMMAND), b"last")
    heard = {caller.messages.get(timeout=LIMIT_S)}
    while not caller.messages.empty():
        heard.add(caller.messages.get())
    assert heard == {("likeness/v1/shop-1/command", b"last")}


def test_workers_share_the_results_and_the_desk_sees_none(house):
    workers = [house.call("central"), house.call("central-2")]
    for worker in workers:
        worker.subscribe(f"$share/central/{every_terminal(Leaf.RESULT)}")
    desk = house.call("central-desk")
    desk.subscribe("#")
    terminal = house.call("shop-1")
    sent = {str(number).encode() for number in range(40)}
    for payload in sent:
        assert terminal.publish(topic("shop-1", Leaf.RESULT), payload) == "Success"
    assert terminal.publish(topic("shop-1", Leaf.STATUS), b"here") == "Success"
    assert desk.messages.get(timeout=LIMIT_S) == ("likeness/v1/shop-1/status", b"here") and desk.messages.empty()
    # mosquitto deals them out in turn.
    got = [worker.messages.get(timeout=LIMIT_S) for worker in workers for _ in range(20)]
    assert sorted(payload for _, payload in got) == sorted(sent)
    assert workers[1].publish(topic("shop-1", Leaf.RECEIPT)) in ("Success", "No matching subscribers")
    assert [desk.publish(topic("shop-1", leaf)) for leaf in (Leaf.RECEIPT, Leaf.RESULT)] == ["Not authorized"] * 2
    for leaf in (Leaf.REQUEST, Leaf.COMMAND):
        assert desk.publish(topic("shop-1", leaf)) in ("Success", "No matching subscribers")


def test_a_revoked_certificate_gets_in_no_more_but_a_live_session_goes_on(house):
    """Why central asks its own registry for each result."""
    watcher = house.call("central")
    watcher.subscribe(every_terminal(Leaf.RESULT))
    live = house.call("shop-2")
    house.revoke("shop-2")
    house.broker.reload()
    assert live.publish(topic("shop-2", Leaf.RESULT), b"revoked") == "Success"
    assert watcher.messages.get(timeout=LIMIT_S) == ("likeness/v1/shop-2/result", b"revoked")
    assert house.is_refused(house.identities["shop-2"])
    assert house.call("shop-1").publish(topic("shop-1", Leaf.RESULT)) == "Success"
    house.broker.stop()
    house.broker.start()
    assert live.gone.wait(LIMIT_S)
    assert house.is_refused(house.identities["shop-2"])
    assert house.call("shop-1").publish(topic("shop-1", Leaf.STATUS)) in ("Success", "No matching subscribers")


def test_an_expired_list_locks_everybody_out(house):
    house.revoke(until=NOW - DAY)
    house.broker.reload()
    assert all(house.is_refused(identity) for identity in house.identities.values())
    house.revoke()
    house.broker.reload()
    assert house.call("shop-1").connected.is_set()


def test_a_stranger_does_not_get_in(house, tmp_path):
    other = create_authority("Likeness demo authority", NOW - DAY, NOW + DAY)
    assert house.is_refused(house.issue("shop-1", tmp_path, other))
    context = ssl.create_default_context(cafile=house.files / "ca.pem")
    with socket.create_connection(("127.0.0.1", house.made.port)) as raw:
        secured = context.wrap_socket(raw, server_hostname="127.0.0.1")
        with secured, pytest.raises((ssl.SSLError, ConnectionError)):
            secured.sendall(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc")
            if not secured.recv(1):
                raise ConnectionError("closed without a word")


def test_the_longest_message_passes_and_a_longer_one_ends_the_connection(house):
    watcher = house.call("central")
    watcher.subscribe(every_terminal(Leaf.EVIDENCE))
    caller = house.call("shop-1")
    longest = bytes(max(kind.max_bytes for kind in Kind))
    assert caller.publish(topic("shop-1", Leaf.EVIDENCE), longest) == "Success"
    assert watcher.messages.get(timeout=LIMIT_S)[1] == longest
    caller.publish_only(topic("shop-1", Leaf.EVIDENCE), bytes(MAX_PACKET_BYTES + 1))
    # The broker's word is lost where bytes were still under way to it: the connection is reset then.
    assert caller.gone.wait(LIMIT_S) and caller.reason in {"Packet too large", "Unspecified error"}
    assert watcher.messages.empty() and not watcher.gone.is_set()


def check(house: House, *arguments: str) -> int:
    return main(
        ["crl", "--check", str(house.files / "crl.pem"), "--authority", str(house.files / "ca.pem"), *arguments]
    )


def test_the_alarm_comes_well_before_the_list_expires(tmp_path, capsys):
    house = House(tmp_path)
    house.revoke("shop-2", until=NOW + 30 * DAY)
    assert check(house) == 0 and "1 revoked, serves for 29 more days" in capsys.readouterr().out
    house.revoke(until=NOW + 13 * DAY)
    assert check(house) == 1 and "issue a new one" in capsys.readouterr().err
    assert check(house, "--days", "7") == 0
    house.revoke(until=NOW - DAY)
    assert check(house) == 1 and "EXPIRED" in capsys.readouterr().err
    house.revoke(since=NOW + DAY, until=NOW + 30 * DAY)
    assert check(house) == 1 and "begins to serve" in capsys.readouterr().err
    other = create_authority("Likeness demo authority", NOW - DAY, NOW + DAY)
    (house.files / "crl.pem").write_bytes(other.revocation_list((), NOW - DAY, NOW + 30 * DAY, 1))
    assert check(house) == 1 and "not signed by" in capsys.readouterr().err


def test_a_key_that_signs_no_lists_has_signed_none(tmp_path, capsys):
    house = House(tmp_path)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "another kind")])
    builder = x509.CertificateBuilder(name, name, X25519PrivateKey.generate().public_key(), 1, NOW - DAY, NOW + DAY)
    (house.files / "ca.pem").write_bytes(
        builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    assert check(house) == 1 and "not signed by" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_a_list_that_cannot_be_read_is_one_line(tmp_path, capsys, content):
    house = House(tmp_path)
    (house.files / "crl.pem").unlink()
    if content is not None:
        (house.files / "crl.pem").write_bytes(content)
    assert check(house) == 2 and capsys.readouterr().err.count("\n") == 1


def test_the_command_writes_the_files(tmp_path):
    folder = tmp_path / "broker"
    command = [sys.executable, "-m", "provisioning", "broker", str(folder), "--terminals", "2000", "--workers", "3"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {str(folder / name) for name in written} == set(done.stdout.splitlines()[:-1])
    assert "max_connections 2067" in (folder / "mosquitto.conf").read_text()
    assert "LimitNOFILE=3091" in (folder / "mosquitto.service.d" / "likeness.conf").read_text()
    assert "user central-3" in (folder / "acl").read_text()
    subprocess.run(command, check=True, capture_output=True)
    refused = subprocess.run([*command, "--workers", "0"], check=False, capture_output=True, text=True)
    assert refused.returncode == 2 and "must be 1 to 64" in refused.stderr
