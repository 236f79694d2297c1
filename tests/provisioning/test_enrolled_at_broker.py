"""The real mosquitto and an enrolled terminal: let in, once revoked not any more; a foreign broker gets nothing."""

import getpass
import shutil
import socket
import ssl
import subprocess
from contextlib import contextmanager

import pytest

from device.delivery.keys import load_terminal_keys
from device.delivery.pipe import tls_context
from provisioning.__main__ import free_port
from provisioning.command_line import now
from provisioning.exports import write_broker_keys
from provisioning.revoking import CRL, refresh_crl, revoke
from tests.broker import START_LIMIT_S, mosquitto
from tests.provisioning.shop import open_shop

pytestmark = pytest.mark.broker
CONNECT = bytes([0x10, 13, 0, 4]) + b"MQTT" + bytes([5, 2, 0, 10, 0, 0, 0])


@contextmanager
def broker(shop, folder, log=None):
    refresh_crl(shop.folder, shop.authority, shop.records, now())
    crl = (shop.folder / CRL).read_bytes()
    write_broker_keys(shop.authority, crl, folder, ("localhost", "127.0.0.1"), now())
    assert not write_broker_keys(shop.authority, crl, folder, ("localhost", "127.0.0.1"), now())
    port = free_port()
    files = {"cafile": "ca.pem", "crlfile": "crl.pem", "certfile": "broker.pem", "keyfile": "broker.key"}
    settings = [f"{name} {folder / file}" for name, file in files.items()]
    settings += [
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
        f"user {getpass.getuser()}",
    ]
    (folder / "conf").write_text("\n".join([f"listener {port} 127.0.0.1", *settings]) + "\n")
    process = subprocess.Popen([mosquitto(), "-c", str(folder / "conf")], stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if line.rstrip().endswith(" running"):
                break
        yield port
    finally:
        process.terminate()
        said = process.communicate(timeout=START_LIMIT_S)[1]
        if log is not None:
            log.append(said)


def reason_of_connack(shop, port):
    """Connects as the terminal's link does; returns the reason code of the broker's CONNACK."""
    context = tls_context(load_terminal_keys(shop.keys).tls)
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    with context.wrap_socket(plain, server_hostname="localhost") as secured:
        secured.sendall(CONNECT)
        return secured.recv(64)[3]


@pytest.fixture
def enrolled(shop):
    shop.enrol(now())
    return shop


def test_an_enrolled_terminal_is_let_in_and_a_revoked_one_is_not(enrolled, quick):
    with broker(enrolled, quick / "broker") as port:
        assert reason_of_connack(enrolled, port) == 0
    revoke(enrolled.records, "shop-17", now())
    log = []
    with broker(enrolled, quick / "broker", log) as port, pytest.raises((OSError, IndexError)):
        reason_of_connack(enrolled, port)
    assert "certificate verify failed" in log[0]


def test_a_renewed_terminal_is_let_in(enrolled, quick):
    enrolled.order_new_keys()
    enrolled.rotate(now(), new_keys=True)
    with broker(enrolled, quick / "broker") as port:
        assert reason_of_connack(enrolled, port) == 0


def test_a_broker_with_a_foreign_authority_is_not_spoken_to(enrolled, quick):
    other = open_shop(quick / "other")
    with broker(other, quick / "foreign") as port, pytest.raises(ssl.SSLCertVerificationError):
        reason_of_connack(enrolled, port)
    other.records.close()
    shutil.rmtree(quick / "other")
