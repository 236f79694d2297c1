"""The way in: passwords, one-time links, sign-ins that end, guesses that are counted, forms nobody else can send."""

import threading

from visitor import PASSWORD

from central.console.sign_ins import PER_ACCOUNT, PER_ADDRESS
from central.web.attempts import WINDOW_S, network_of


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


POSTS = ("/sign-out", "/account", "/chain", "/quarantine/1", "/disputes/1", "/export", "/accounts")
