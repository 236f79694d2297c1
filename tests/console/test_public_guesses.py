"""Enumeration of slips: counted by address and together, before anything is looked at, in a store that stays."""

import threading

import pytest
from customer import KNOWN, Public

from central.public import house as public_house
from central.public.house import PER_ADDRESS, PER_CODE
from central.rules import Rules
from central.web.attempts import WINDOW_S
from device.wire.slip import slip_code

GUESSES = iter(slip_code(number.to_bytes(8)) for number in range(10**6))
"""Codes of nobody."""


def test_guesses_are_limited_by_address_and_a_slip_that_is_one_is_no_guess(public):
    customer = public.customer()
    for _ in range(PER_ADDRESS - 1):
        assert customer.look_up(next(GUESSES)).status == 404
    for _ in range(5):
        assert customer.look_up(KNOWN).status == 200
    assert customer.look_up(KNOWN, "+91 98765 43211").status == 404
    answer = customer.look_up(KNOWN)
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= WINDOW_S
    assert "Too many attempts. Please wait 15 min" in answer.words
    assert customer.object_to(KNOWN).status == 429
    public.clock.now += WINDOW_S + 1
    assert customer.look_up(KNOWN).status == 200


def test_numbers_are_not_tried_on_a_slip_that_was_found(slips, tmp_path):
    """From however many addresses; and nobody learns by it whether a code is one."""
    public = Public(slips, tmp_path, address="https://slip.example")
    proxied = {"X_Forwarded_Proto": "https", "Host": "slip.example", "Origin": "https://slip.example"}
    try:
        for code in (KNOWN, next(GUESSES), "no code"):
            statuses = [
                public.customer()
                .look_up(code, f"+91 98765 4{number:04}", X_Forwarded_For=f"203.0.113.{number}", **proxied)
                .status
                for number in range(PER_CODE + 1)
            ]
            assert statuses == [404] * PER_CODE + [429]
        assert public.customer().look_up(KNOWN, **proxied, X_Forwarded_For="198.51.100.1").status == 429
        public.clock.now += WINDOW_S + 1
        assert public.customer().look_up(KNOWN, **proxied, X_Forwarded_For="198.51.100.1").status == 200
    finally:
        public.stop()


def test_the_limit_holds_across_processes_and_restarts(slips, public, tmp_path):
    for _ in range(PER_ADDRESS // 2):
        public.customer().look_up(next(GUESSES))
    other = Public(slips, tmp_path)
    try:
        for _ in range(PER_ADDRESS // 2):
            assert other.customer().look_up(next(GUESSES)).status == 404
        assert other.customer().look_up(KNOWN).status == 429 == public.customer().look_up(KNOWN).status
    finally:
        other.stop()
    again = Public(slips, tmp_path)
    assert again.customer().look_up(KNOWN).status == 429
    again.stop()


def test_guesses_at_once_do_not_slip_through(public):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(public.customer().look_up(next(GUESSES)).status))
        for _ in range(PER_ADDRESS + 6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [404] * PER_ADDRESS + [429] * 6


def test_nobody_says_himself_where_he_comes_from(public):
    answers = [
        public.customer()
        .look_up(next(GUESSES), X_Forwarded_For=f"10.0.0.{number}", Forwarded=f"for=10.1.1.{number}")
        .status
        for number in range(PER_ADDRESS + 1)
    ]
    assert answers == [404] * PER_ADDRESS + [429]


def test_guesses_from_everywhere_stop_everybody_and_raise_an_alarm(own_public, monkeypatch, tmp_path):
    """Behind a proxy, which says where each comes from: a network of many machines."""
    monkeypatch.setattr(public_house, "TOGETHER", 12)
    town, console, _ = own_public()
    store = tmp_path / "proxied.sqlite"
    public = Public(town.made, tmp_path, address="https://slip.example", store=store)
    proxied = {"X_Forwarded_Proto": "https", "Host": "slip.example", "Origin": "https://slip.example"}
    try:
        for number in range(12):
            there = {"X_Forwarded_For": f"203.0.113.{number}"}
            assert public.customer().look_up(next(GUESSES), **proxied, **there).status == 404
        for number in range(3):
            there = {"X_Forwarded_For": f"198.51.100.{number}"}
            answer = public.customer().look_up(KNOWN, **proxied, **there)
            assert answer.status == 429 and "Retry-After" in answer.headers
    finally:
        public.stop()
    rules = Rules(town.ledger, town.settings.rules)
    alarms = [alarm for alarm in rules.apply(town.registry, town.now) if alarm.rule == "slip-guessing"]
    assert [(one.about, one.sentence[:24]) for one in alarms] == [("public-page", "everybody had to wait: 1")]
    assert not [alarm for alarm in rules.apply(town.registry, town.now + 60) if alarm.rule == "slip-guessing"]
    assert "everybody had to wait" in console.visitor("viewer").get("/alarms?rule=slip-guessing").words


@pytest.mark.parametrize("number", ["+91" + "9" * 5000, "ext. " * 50, "+" * 100, "\u0661" * 30])
def test_numbers_that_are_none_cost_nothing_more(public, number):
    assert public.customer().look_up(KNOWN, number).status == 404
