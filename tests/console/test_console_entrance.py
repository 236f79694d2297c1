"""The way in: passwords, one-time links, sign-ins that end, guesses that are counted, forms nobody else can send."""

import http.client
import threading
from urllib.parse import urlsplit

import pytest
from visitor import PASSWORD, Console, Visitor

from central.config import ConsoleSettings
from central.console.accounts import LINK_S, AccountError, Role
from central.console.guard import MAX_BODY_BYTES
from central.console.sign_ins import PER_ACCOUNT, PER_ADDRESS, WINDOW_S, network_of
from central.console.visit import own_path


def test_there_is_no_account_to_begin_with(console):
    assert console.house.accounts.all() == []
    for name in ("admin", "root", "administrator", "likeness"):
        assert console.visitor().sign_in(name, name).status == 403


def test_the_right_password_leads_to_where_one_wanted_to_go(console):
    name, visitor = console.account("viewer"), console.visitor()
    wanted = visitor.get("/results?outcome=rejected").location
    assert wanted == "/sign-in?wanted=%2Fresults%3Foutcome%3Drejected"
    answer = visitor.sign_in(name, wanted="/results?outcome=rejected")
    assert (answer.status, answer.location) == (303, "/results?outcome=rejected")
    assert visitor.get("/").status == 200


def test_a_wrong_password_and_an_unknown_name_look_the_same(console):
    name = console.account("viewer")
    for password in ("", "wrong", PASSWORD.upper(), PASSWORD + " ", "x" * 5000, "\0"):
        known, unknown = (console.visitor().sign_in(one, password) for one in (name, "nobody"))
        assert known.status == unknown.status == 403
        assert known.words.replace("one-viewer", "") == unknown.words.replace("nobody", "")


def test_signing_in_gives_a_new_token_whatever_the_browser_held(console):
    """Session fixation: whoever planted a cookie knows nothing afterwards."""
    visitor = console.visitor()
    visitor.cookies["console"] = planted = "x" * 43
    visitor.sign_in(console.account("auditor"))
    assert visitor.cookies["console"] != planted and visitor.get("/").status == 200
    thief = console.visitor()
    thief.cookies["console"] = planted
    assert thief.get("/").status == 303
    before = visitor.cookies["console"]
    visitor.get("/account")
    assert visitor.post("/account", {"password": PASSWORD, "new": "another long password"}).status == 303
    assert visitor.cookies["console"] != before


def test_the_cookie_is_for_this_console_alone(console):
    visitor = console.visitor()
    flags = visitor.sign_in(console.account("viewer")).headers["set-cookie"].lower()
    assert "httponly" in flags and "samesite=strict" in flags and "path=/" in flags and "domain" not in flags
    assert visitor.cookies["console"] not in repr(console.house.sign_ins.find(visitor.cookies["console"]))


def test_the_store_holds_nothing_that_signs_in(console, tmp_path):
    visitor = console.visitor("auditor")
    link = console.house.accounts.invite("one-auditor")
    held = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite*"))
    assert len(held) > 1000 and b"one-auditor" in held
    for secret in (visitor.cookies["console"], link, PASSWORD):
        assert secret.encode() not in held
    assert (tmp_path / "console.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_sign_in_ends_by_idleness_and_by_age(console):
    visitor, limits = console.visitor("viewer"), console.settings.console
    for _ in range(5):
        console.clock.now += limits.idle_minutes * 60 - 1
        assert visitor.get("/account").status == 200
    console.clock.now += limits.idle_minutes * 60 + 1
    assert visitor.get("/account").status == 303
    visitor = console.visitor("viewer")
    for _ in range(int(limits.hours * 4) - 1):
        console.clock.now += 15 * 60
        assert visitor.get("/account").status == 200
    console.clock.now += 15 * 60
    assert visitor.get("/account").status == 303


def test_a_page_that_renews_itself_keeps_nobody_signed_in(console):
    visitor, idle_s = console.visitor("viewer"), console.settings.console.idle_minutes * 60
    console.clock.now += idle_s - 10
    assert visitor.get("/account", X_Renews_Itself="1").status == 200
    console.clock.now += 20
    assert visitor.get("/account", X_Renews_Itself="1").status == 401


def test_signing_out_ends_it_for_whoever_copied_the_cookie(console):
    visitor, thief = console.visitor("viewer"), console.visitor()
    thief.cookies |= visitor.cookies
    visitor.get("/account")
    assert visitor.post("/sign-out").status == 303
    assert thief.get("/").status == 303


def test_disabling_and_a_new_password_end_every_sign_in_at_once(console):
    first, second = console.visitor("auditor"), console.visitor("auditor")
    second.get("/account")
    assert second.post("/account", {"password": PASSWORD, "new": "another long password"}).status == 303
    assert first.get("/").status == 303 and second.get("/").status == 200
    console.house.accounts.disable("one-auditor")
    assert second.get("/").status == 303
    assert console.visitor().sign_in("one-auditor", "another long password").status == 403


def test_guesses_are_limited_by_account_from_wherever_they_come(console):
    name, visitor = console.account("auditor"), console.visitor()
    for _ in range(PER_ACCOUNT):
        assert visitor.sign_in(name, "wrong").status == 403
    answer = visitor.sign_in(name)
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= WINDOW_S
    console.clock.now += WINDOW_S + 1
    assert visitor.sign_in(name).status == 303


def test_guesses_are_limited_by_address_whatever_the_name(console):
    visitor = console.visitor()
    answers = [visitor.sign_in(f"name-{number}", "wrong").status for number in range(PER_ADDRESS + 1)]
    assert answers == [403] * PER_ADDRESS + [429]
    assert visitor.post("/welcome/x", {"password": PASSWORD}).status == 429


def test_guesses_at_once_do_not_slip_through(console):
    name, answers = console.account("auditor"), []

    def guess():
        answers.append(console.visitor().sign_in(name, "wrong").status)

    threads = [threading.Thread(target=guess) for _ in range(PER_ACCOUNT + 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [403] * PER_ACCOUNT + [429] * 6


def test_nobody_says_himself_where_he_comes_from(console):
    """Without a proxy, its headers are anybody's words."""
    name, visitor = console.account("auditor"), console.visitor()
    visitor.get("/sign-in")
    for number in range(PER_ADDRESS):
        visitor.post("/sign-in", {"name": f"n{number}", "password": "x"}, X_Forwarded_For=f"10.0.0.{number}")
    answer = visitor.post("/sign-in", {"name": name, "password": PASSWORD}, X_Forwarded_For="10.9.9.9")
    assert answer.status == 429


def test_an_ipv6_customer_is_one_however_many_addresses_he_has():
    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::2") != network_of("2001:db8:1:3::1")
    assert network_of("192.0.2.1") == "192.0.2.1" and network_of("\n") == "unknown"


def test_a_one_time_link_counts_once_for_a_day_and_looking_at_it_does_not_use_it(console):
    accounts = console.house.accounts
    accounts.add("anna", Role.AUDITOR)
    void, link = accounts.invite("anna"), accounts.invite("anna")
    visitor = console.visitor()
    assert visitor.get(f"/welcome/{void}").status == 404
    for _ in range(3):
        assert "Welcome, anna" in visitor.get(f"/welcome/{link}").text
    assert "12 to 256" in visitor.post(f"/welcome/{link}", {"password": "short"}).text
    assert visitor.post(f"/welcome/{link}", {"password": PASSWORD}).status == 303
    assert visitor.get("/").status == 200
    assert visitor.get(f"/welcome/{link}").status == 404
    late = accounts.invite("anna")
    console.clock.now += LINK_S
    assert console.visitor().get(f"/welcome/{late}").status == 404


def test_a_link_is_used_by_one_of_two_at_once(console):
    console.house.accounts.add("anna", Role.VIEWER)
    link, answers = console.house.accounts.invite("anna"), []
    visitors = [console.visitor() for _ in range(4)]
    for visitor in visitors:
        visitor.get(f"/welcome/{link}")
    threads = [
        threading.Thread(target=lambda one=one: answers.append(one.post(f"/welcome/{link}", {"password": PASSWORD})))
        for one in visitors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [303, 404, 404, 404]


@pytest.mark.parametrize("password", ["", "short", "x" * 257, "aaaaaaaaaaaaaa", "one-viewer-123"])
def test_weak_passwords_are_refused(shared, password):
    name = shared.account("viewer")
    with pytest.raises(AccountError):
        shared.house.accounts.set_password(name, password)


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "a" * 33, "-a", "<b>", "ä"])
def test_names_are_plain(shared, name):
    with pytest.raises(AccountError):
        shared.house.accounts.add(name, Role.VIEWER)


def test_the_last_administrator_stays(console):
    console.account("administrator", "root")
    with pytest.raises(AccountError, match="last administrator"):
        console.house.accounts.disable("root")


POSTS = ("/sign-out", "/account", "/chain", "/quarantine/1", "/export", "/accounts")


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


def test_an_administrator_adds_and_ends_accounts_and_everything_is_written_down(console):
    visitor = console.visitor("administrator")
    visitor.get("/accounts")
    page = visitor.post("/accounts", {"act": "add", "name": "berta", "role": "auditor"})
    link = next(word for word in page.words.split() if "/welcome/" in word)
    assert link.startswith(console.url)
    berta = console.visitor()
    berta.get(urlsplit(link).path)
    assert berta.post(urlsplit(link).path, {"password": PASSWORD}).status == 303
    assert visitor.post("/accounts", {"act": "add", "name": "berta", "role": "viewer"}).status == 400
    assert visitor.post("/accounts", {"act": "add", "name": "x", "role": "god"}).status == 400
    assert visitor.post("/accounts", {"act": "disable", "name": "berta"}).status == 303
    assert berta.get("/").status == 303
    assert visitor.post("/accounts", {"act": "enable", "name": "berta"}).status == 303
    told = visitor.get("/accounts").words
    for act in ("added berta", "disabled berta", "enabled berta", "berta 127.0.0.1 signed in"):
        assert act in told
