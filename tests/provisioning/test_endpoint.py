"""The authority over the network: real TLS on a loopback port, and strangers at the door."""

import http.client
import json
import socket
import ssl

import pytest

from device.enrolment.network import NewKeysOrderedError, ask
from device.enrolment.steps import finish, prepare_enrolment, prepare_rotation
from device.wire.enrolment import MAX_DOCUMENT_BYTES, EnrolmentError
from provisioning.serving import MAX_CONNECTIONS, Endpoint
from tests.provisioning.shop import NOW, days


@pytest.fixture
def endpoint(shop):
    with Endpoint(shop.folder, shop.authority, shop.records, ("127.0.0.1", 0), now=lambda: NOW) as running:
        yield running


def test_enrolment_and_rotation(shop, endpoint):
    token = shop.token(server=endpoint.address)
    request = prepare_enrolment(shop.generations(), token)
    identity = finish(shop.generations(), ask(token.server, request), NOW)
    assert (identity.aud, identity.epoch) == ("shop-17", 1)
    assert ask(token.server, request) == (shop.keys / "bundle.json").read_bytes()
    renewed = finish(shop.generations(), ask(token.server, prepare_rotation(shop.generations(), new_keys=False)), NOW)
    assert renewed.epoch == 1
    shop.order_new_keys()
    with pytest.raises(NewKeysOrderedError):
        ask(token.server, prepare_rotation(shop.generations(), new_keys=False))
    identity = finish(shop.generations(), ask(token.server, prepare_rotation(shop.generations(), new_keys=True)), NOW)
    assert identity.epoch == 2


def test_the_list_of_revoked_certificates_is_kept_fresh(shop, endpoint):
    request = prepare_enrolment(shop.generations(), shop.token(server=endpoint.address))
    ask(shop.token("shop-18", server=endpoint.address).server, request)
    assert b"X509 CRL" in (shop.folder / "crl.pem").read_bytes()


def test_a_foreign_server_is_told_nothing(shop, endpoint):
    token = shop.token(server=endpoint.address)
    foreign = token.server.model_copy(update={"pin": "0" * 64})
    request = prepare_enrolment(shop.generations(), token)
    with pytest.raises(EnrolmentError, match=r"foreign certificate.*nothing was sent"):
        ask(foreign, request)
    assert shop.records.token(token.id.hex())[2] is None


def test_no_network_is_one_line_and_the_next_run_finishes(shop):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    token = shop.token(server=("127.0.0.1", port))
    request = prepare_enrolment(shop.generations(), token)
    with pytest.raises(EnrolmentError, match=r"does not answer.*check the network, run again"):
        ask(token.server, request)
    with Endpoint(shop.folder, shop.authority, shop.records, ("127.0.0.1", port), now=lambda: NOW):
        assert finish(shop.generations(), ask(token.server, prepare_enrolment(shop.generations(), token)), NOW)


def connection(endpoint):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(*endpoint.address, timeout=10, context=context)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/enrol", b"{}", 403),
        ("/v1/enrol", b"[" * 10_000, 403),
        ("/v1/enrol", b"\xff" * 100, 403),
        ("/v1/enrol", b"", 404),
        ("/v1/enrol", b"x" * (MAX_DOCUMENT_BYTES + 1), 404),
        ("/etc/passwd", b"{}", 404),
    ],
)
def test_what_is_no_request_gets_one_line(endpoint, path, body, status):
    line = connection(endpoint)
    line.putrequest("POST", path)
    line.putheader("Content-Length", str(len(body)))
    line.endheaders(body if len(body) <= MAX_DOCUMENT_BYTES else None)
    answer = line.getresponse()
    assert answer.status == status and "\n" not in json.loads(answer.read())["sentence"]
    line.close()


def test_silent_strangers_do_not_keep_a_terminal_out(shop, endpoint):
    strangers = [socket.create_connection(endpoint.address) for _ in range(MAX_CONNECTIONS - 1)]
    token = shop.token(server=endpoint.address)
    assert ask(token.server, prepare_enrolment(shop.generations(), token))
    for stranger in strangers:
        stranger.close()


def test_a_token_of_another_terminal_is_refused_over_the_network_too(shop, endpoint):
    token = shop.token("shop-18", server=endpoint.address).model_copy(update={"terminal": "shop-17"})
    with pytest.raises(EnrolmentError, match="the token is for terminal shop-18, the request is from shop-17"):
        ask(token.server, prepare_enrolment(shop.generations(), token))


def test_an_expired_token_is_refused(shop):
    token = shop.token(lifetime=days(1))
    with pytest.raises(ValueError, match="expired on 2026-11-23 12:00 UTC: make a new one"):
        shop.answer(prepare_enrolment(shop.generations(), token), NOW + days(1))
