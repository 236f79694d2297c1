"""Forms that nobody else can send, hosts that are none of ours, headers on every answer."""

import http.client
from urllib.parse import urlsplit

import pytest
from visitor import PASSWORD, Console, Visitor

from central.config import ConsoleSettings
from central.console.site import MAX_BODY_BYTES
from central.console.visit import own_path

POSTS = ("/sign-out", "/account", "/chain", "/quarantine/1", "/disputes/1", "/export", "/accounts")


@pytest.mark.parametrize("forgery", ["none", "wrong", "another's", "another site", "a sandboxed frame"])
def test_no_form_counts_that_was_not_sent_from_our_page(shared, forgery):
    """Cross-site request forgery, even if a browser sent the cookie along."""
    form = {"act": "add", "name": "mallory", "role": "administrator", "format": "csv", "decision": "overruled"}
    form |= {"note": "nothing to see", "password": PASSWORD, "new": "a password of mallory"}
    headers = {
        "another site": {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
        "a sandboxed frame": {"Origin": "null"},
    }.get(forgery, {})
    acts = len(shared.house.acts.before(10**9, 1000))
    for path in POSTS:
        role = "administrator" if path == "/accounts" else "auditor"
        visitor, other = shared.visitor(role), shared.visitor(role)
        visitor.get("/account")
        other.get("/account")
        token = {"none": "", "wrong": "0" * 64, "another's": other.form_token}.get(forgery, visitor.form_token)
        assert visitor.post(path, form | {"form_token": token}, **headers).status == 403
        assert visitor.get("/").status == 200, "signed out"
    assert len(shared.house.acts.before(10**9, 1000)) == acts
    assert "mallory" not in [account.name for account in shared.house.accounts.all()]


def test_signing_in_cannot_be_forged_either(console):
    """Whoever signs a victim in as himself would read what the victim looks for."""
    name, visitor = console.account("viewer"), console.visitor()
    visitor.get("/sign-in")
    form = {"name": name, "password": PASSWORD}
    assert visitor.post("/sign-in", form | {"form_token": "0" * 64}).status == 403
    assert visitor.post("/sign-in", form, Origin="https://evil.example").status == 403
    assert visitor.post("/sign-in", form, Sec_Fetch_Site="same-site").status == 403
    assert visitor.post("/sign-in", form, Origin=console.url, Sec_Fetch_Site="same-origin").status == 303


def test_another_host_gets_nothing(shared):
    """DNS rebinding: a name of the attacker's that leads here."""
    for host in ("evil.example", "", f"127.0.0.1.evil.example:{shared.settings.console.port}", "127.0.0.1"):
        connection = http.client.HTTPConnection("127.0.0.1", shared.settings.console.port)
        connection.putrequest("GET", "/sign-in", skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        assert connection.getresponse().status == 403
        connection.close()


def test_large_and_strange_bodies_are_refused(shared):
    visitor = shared.visitor("auditor")
    visitor.get("/account")
    assert visitor.post("/chain", {"envelope": "x" * MAX_BODY_BYTES}).status == 413
    assert visitor.post("/chain", {f"field{number}": "x" for number in range(50)}).status == 400
    for kind, body in [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("text/xml", b"<x/>"),
    ]:
        assert visitor.send("POST", "/chain", body, {"Content-Type": kind}).status in (400, 403)
    assert visitor.get("/").status == 200


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\/evil",
        "javascript:alert(1)",
        "",
        "/\r\nX: y",
        "/ä",
    ],
)
def test_signing_in_leads_nowhere_else(text):
    assert own_path(text) == "/" and own_path("/results?a=b") == "/results?a=b"


def test_every_answer_bears_the_headers(shared):
    visitor = shared.visitor("auditor")
    for path in ("/", "/sign-in", "/static/console.js", "/nothing", "/results/999999"):
        headers = visitor.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["X-Frame-Options"] == "DENY" and headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store" and "server" not in headers


def test_behind_a_proxy_cookies_need_tls_and_the_proxy_says_who_comes(filled, tmp_path):
    console = Console(filled, tmp_path, 1_790_000_000, address="https://console.example")
    try:
        visitor = Visitor(console)
        proxied = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https", "Host": "console.example"}
        answer = visitor.get("/sign-in", **proxied)
        flags = answer.headers["set-cookie"]
        assert flags.startswith("__Host-console=") and "Secure" in flags
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        form = {"name": console.account("viewer"), "password": PASSWORD}
        assert visitor.post("/sign-in", form, **proxied, Origin="https://console.example").status == 303
        (act, *_) = console.house.acts.before(10**9, 1)
        assert (act.act, act.address) == ("signed in", "203.0.113.9")
    finally:
        console.stop()


@pytest.mark.parametrize("address", ["http://console.example", "ftp://x", "https://x/path", "javascript:x"])
def test_passwords_never_go_over_a_network_unencrypted(address):
    with pytest.raises(ValueError, match=r"https address|pattern"):
        ConsoleSettings(address=address)
    assert urlsplit(ConsoleSettings(port=9).origin).netloc == "127.0.0.1:9"
