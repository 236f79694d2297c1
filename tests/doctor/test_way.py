"""The way to the broker and to central, over a real mosquitto: each obstacle has its own line and its own advice."""

import socket
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import samples
from broker import Broker
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from device.config import load_terminal
from device.daemon import _hold_terminal, lock_of
from device.delivery.keys import load_terminal_keys
from device.delivery.outbox import Outbox
from device.doctor import reaching
from device.doctor.examination import Examination, Subject
from device.doctor.findings import Finding, Level
from device.doctor.inspecting import inspect_keys
from device.doctor.trust import CHECKS, Obstacle, Step, judge_journey, judge_keys
from device.durable import is_held
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority
from tests.e2e.world import Central

pytestmark = pytest.mark.broker
NAME, PORT, TLS, TRUST, ADMISSION, CENTRAL = CHECKS.values()


@contextmanager
def running(*things):
    """Starts them in their order, stops them in the other."""
    with ExitStack() as stack:
        for thing in things:
            stack.callback(thing.stop)
            thing.start()
        yield


def way(config) -> dict[str, Finding]:
    """Only the way, of a whole examination."""
    examination = Examination(Subject(config, *load_terminal(config)), None, lambda _: None)
    examination._check_keys()
    findings = {finding.check: finding for finding in examination._journey()}
    assert list(findings) == list(CHECKS.values())
    return findings


def blocked(findings, at: str, advice: str, found: str = "") -> None:
    """All before `at` is well, `at` says what to do, and nothing behind it was tried."""
    checks = list(CHECKS.values())
    for check in checks[: checks.index(at)]:
        assert findings[check].level is Level.WELL
    assert findings[at].level is Level.STOPS
    assert advice in findings[at].advice
    assert found in findings[at].found
    for check in checks[checks.index(at) + 1 :]:
        assert findings[check].level is Level.SKIPPED


def test_all_the_way_and_back(write, made, tmp_path):
    central = Central(made.central)
    with running(Broker(made), central):
        findings = way(write())
        again = way(write())
    assert {finding.level for finding in (*findings.values(), *again.values())} == {Level.WELL}
    assert findings[TLS].found == "TLSv1.3"
    assert findings[ADMISSION].found == "as shop-1"
    assert findings[CENTRAL].found.startswith("signed receipt for a health message after ")
    # Nothing of it is a result, and nothing left the outbox.
    assert central.held() == []
    keys = load_terminal_keys(made.terminals["shop-1"])
    outbox = Outbox(tmp_path / "outbox.sqlite", "shop-1", keys.result_key)
    assert (outbox.depth(), outbox.head().seq) == (0, 0)
    outbox.close()


def test_a_result_that_waits_is_not_touched_by_the_doctors_receipt(write, made, tmp_path):
    keys = load_terminal_keys(made.terminals["shop-1"])
    outbox = Outbox(tmp_path / "outbox.sqlite", "shop-1", keys.result_key)
    outbox.append(lambda position: samples.result(position, terminal="shop-1"))
    with running(Broker(made), Central(made.central)):
        assert way(write())[CENTRAL].level is Level.WELL
    assert outbox.depth() == 1
    outbox.close()


def test_a_central_that_never_came_is_told_by_the_broker(write, made):
    with running(Broker(made)):
        blocked(way(write()), CENTRAL, "likeness-central run does not listen at this broker", "No matching subscribers")


def test_a_central_that_does_not_know_the_terminal_stays_silent(write, made, monkeypatch):
    monkeypatch.setattr(reaching, "ANSWER_S", 1.0)
    registry = made.folder / "central" / "registry.yaml"
    registry.write_text(registry.read_text().replace("shop-1:", "shop-9:"))
    with running(Broker(made), Central(made.central)):
        blocked(way(write()), CENTRAL, "is this terminal in its registry, and not revoked?", "no signed receipt")


def test_only_centrals_own_receipt_counts(write, made, monkeypatch):
    """Its signature is by a key that this terminal does not trust."""
    monkeypatch.setattr(reaching, "ANSWER_S", 1.0)
    folder = made.terminals["shop-1"]
    (folder / "central-receipts.pem").write_bytes((folder / "central-requests.pem").read_bytes())
    with running(Broker(made), Central(made.central)):
        blocked(way(write()), CENTRAL, "tell central's team")


@pytest.fixture
def other(tmp_path):
    return create_demo_authority(tmp_path / "other", ("shop-1",), port=free_port())


def test_a_broker_with_a_foreign_authority_is_not_trusted(write, other):
    with running(Broker(other)):
        config = write(broker={"host": "127.0.0.1", "port": other.port})
        blocked(
            way(config),
            TRUST,
            "another broker, or somebody in between",
            "of a foreign authority: self-signed certificate",
        )


def test_a_broker_under_another_name_is_not_trusted(write, made):
    made.mosquitto.write_text(made.mosquitto.read_text().replace("127.0.0.1", "127.0.0.2", 1))
    with running(Broker(made)):
        config = write(broker={"host": "127.0.0.2", "port": made.port})
        blocked(way(config), TRUST, "write broker.host as it stands in the broker's certificate", "127.0.0.2")


@pytest.mark.parametrize(
    ("made_on", "advice", "found"),
    [
        (datetime(2090, 1, 1, tzinfo=UTC), "set this terminal's clock", "not yet valid"),
        (datetime(2020, 1, 1, tzinfo=UTC), "has to renew its certificate", "expired"),
    ],
    ids=["clock-in-the-past", "expired"],
)
def test_a_brokers_certificate_out_of_its_time_tells_whose_clock_is_wrong(write, tmp_path, made_on, advice, found):
    """To certificates of 2090 this machine's clock is as wrong as 1970 is to ours."""
    made = create_demo_authority(tmp_path / "another-time", ("shop-1",), port=free_port(), now=made_on)
    config = write(broker={"host": "127.0.0.1", "port": made.port}, keys=str(made.terminals["shop-1"]))
    with running(Broker(made)):
        blocked(way(config), TRUST, advice, found)


def test_an_expired_certificate_is_told_by_keys_and_broker(write, made):
    folder = made.terminals["shop-1"]
    public = load_pem_private_key((folder / "tls.key").read_bytes(), None).public_key()
    now = datetime.now(UTC)
    old = made.authority.issue_client("shop-1", public, now - timedelta(days=3), now - timedelta(days=1))
    (folder / "tls.pem").write_bytes(old)
    with running(Broker(made)):
        blocked(way(write()), ADMISSION, "was the certificate revoked", "certificate expired")
    certificate, _ = judge_keys(inspect_keys(folder, load_terminal_keys(folder)), now)
    assert certificate.level is Level.STOPS
    assert "likeness-terminal rotate" in certificate.advice


def test_a_terminal_of_another_authority_is_not_admitted(write, made, other):
    folder = other.terminals["shop-1"]
    (folder / "broker-ca.pem").write_bytes((made.terminals["shop-1"] / "broker-ca.pem").read_bytes())
    with running(Broker(made)):
        blocked(way(write(keys=str(folder))), ADMISSION, "Then enrol again", "unknown ca")


def test_a_port_without_tls_is_told(write, made):
    made.mosquitto.write_text(f"listener {made.port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\n")
    with running(Broker(made)):
        blocked(way(write()), TLS, "take the one with TLS, usually 8883")


def test_a_port_that_says_nothing_is_told(write, monkeypatch):
    monkeypatch.setattr(reaching, "CONNECT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = write(broker={"host": "127.0.0.1", "port": silent.getsockname()[1]})
        blocked(way(config), TLS, "without TLS", "says nothing")


def test_a_name_that_nobody_knows_is_told(write):
    findings = way(write(broker={"host": "no-such-broker.invalid", "port": 8883}))
    assert findings[NAME].level is Level.STOPS
    assert "mend broker.host" in findings[NAME].advice or "name server" in findings[NAME].advice


def test_every_obstacle_has_its_advice():
    for obstacle in Obstacle:
        (first, *_) = judge_journey(reaching.Journey("b:1", {}, obstacle, "seen"))
        assert first.advice and first.found.startswith("b:1: ") and first.found.endswith("seen")
    assert all(step in CHECKS for step in Step)


def test_whoever_serves_the_terminal_holds_it_and_a_disk_that_cannot_be_written_stops_nobody(write, tmp_path):
    settings, _ = load_terminal(write())
    with ExitStack() as stack:
        _hold_terminal(settings, stack)
        assert is_held(lock_of(settings))
    assert not is_held(lock_of(settings))
    with ExitStack() as stack:
        _hold_terminal(settings.model_copy(update={"outbox": tmp_path / "nowhere" / "outbox"}), stack)
