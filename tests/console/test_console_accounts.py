"""Accounts: one-time links, passwords, names, and who keeps them."""

import threading
from urllib.parse import urlsplit

import pytest
from visitor import PASSWORD

from central.console.accounts import LINK_S, AccountError, Role


def test_there_is_no_account_to_begin_with(console):
    assert console.house.accounts.all() == []
    for name in ("admin", "root", "administrator", "likeness"):
        assert console.visitor().sign_in(name, name).status == 403


def test_disabling_and_a_new_password_end_every_sign_in_at_once(console):
    first, second = console.visitor("auditor"), console.visitor("auditor")
    second.get("/account")
    assert second.post("/account", {"password": PASSWORD, "new": "another long password"}).status == 303
    assert first.get("/").status == 303 and second.get("/").status == 200
    console.house.accounts.disable("one-auditor")
    assert second.get("/").status == 303
    assert console.visitor().sign_in("one-auditor", "another long password").status == 403


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
