"""Attempt limits, on a machine's clock that the tests own."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.liveness.limits import (
    MAX_REQUESTS,
    Limits,
    Tally,
    begin_attempt,
    count_failure,
    end_attempt,
    read_tally,
    write_tally,
)

LIMITS = Limits(max_failures=3, window_s=600.0, pause_s=300.0)
FRESH = Tally("boot-1")


def failed(*moments: float, tally: Tally = FRESH) -> Tally:
    for moment in moments:
        tally = count_failure(tally, moment, LIMITS)
    return tally


def test_the_defaults_are_ten_failures_in_ten_minutes_and_five_minutes_pause():
    assert Limits() == Limits(max_failures=10, window_s=600.0, pause_s=300.0)


def test_failures_below_the_limit_pause_nothing():
    assert failed(10, 20).pause_left(20) == 0


def test_the_last_failure_of_too_many_pauses_and_empties_the_count():
    tally = failed(10, 20, 30)
    assert tally.failures == ()
    assert tally.pause_left(30) == 300
    assert tally.pause_left(329.9) == pytest.approx(0.1)
    assert tally.pause_left(330) == 0
    assert tally.pause_left(10_000) == 0


def test_a_failure_is_forgotten_after_the_window():
    assert failed(0, 100, 600).pause_left(600) == 0
    assert failed(0, 100, 599.9).pause_left(600) > 0


def test_after_a_pause_the_count_begins_anew():
    tally = failed(1, 2, 3, 304, 305)
    assert tally.pause_left(305) == 0
    assert failed(306, tally=tally).pause_left(306) == 300


def test_each_session_that_begins_counts_for_its_request():
    tally = FRESH
    for request in ("a", "b", "a"):
        tally = begin_attempt(tally, request)
    assert [tally.attempts_of(request) for request in ("a", "b", "c")] == [2, 1, 0]


def test_the_oldest_requests_are_forgotten_and_a_repeated_one_stays():
    tally = FRESH
    for number in range(MAX_REQUESTS):
        tally = begin_attempt(tally, f"r{number}")
    tally = begin_attempt(begin_attempt(tally, "r0"), "new")
    assert len(tally.attempts) == MAX_REQUESTS
    assert [tally.attempts_of(request) for request in ("r0", "r1", "r2", "new")] == [2, 0, 1, 1]


def test_the_tally_survives_a_restart_of_the_process():
    tally = end_attempt(begin_attempt(failed(10, 20), "request"))
    assert read_tally(write_tally(tally), "boot-1", 25, LIMITS) == tally
    assert failed(30, tally=read_tally(write_tally(tally), "boot-1", 25, LIMITS)).pause_left(30) == 300


def test_pulling_the_plug_neither_ends_a_pause_nor_forgets_failures():
    paused = read_tally(write_tally(failed(10, 20, 30)), "boot-2", 5.0, LIMITS)
    assert paused.boot == "boot-2"
    assert paused.pause_left(5.0) == 300
    counted = read_tally(write_tally(failed(5000, 5010)), "boot-2", 5.0, LIMITS)
    assert counted.pause_left(5.0) == 0
    assert failed(6.0, tally=counted).pause_left(6.0) == 300


def test_attempts_of_a_request_survive_another_boot():
    assert read_tally(write_tally(begin_attempt(FRESH, "request")), "boot-2", 5.0, LIMITS).attempts_of("request") == 1


def test_no_pause_is_longer_than_the_configured_one():
    assert read_tally(write_tally(Tally("boot-1", paused_until=1e9)), "boot-1", 5.0, LIMITS).pause_left(5.0) == 300


def test_a_terminal_that_never_ran_begins_at_once():
    assert read_tally(None, "boot-1", 5.0, LIMITS) == FRESH


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "1",
        '{"boot": "boot-1"}',
        '{"boot": "boot-1", "failures": 1, "paused_until": 0, "attempts": [], "under_way": false}',
        '{"boot": "boot-1", "failures": [], "paused_until": 0, "attempts": [1], "under_way": false}',
        '{"boot": "boot-1", "failures": [], "paused_until": NaN, "attempts": [], "under_way": false}',
        '{"boot": "boot-1", "failures": [Infinity], "paused_until": 0, "attempts": [], "under_way": false}',
        '{"boot": "boot-1", "failures": [-Infinity], "paused_until": 0, "attempts": [], "under_way": false}',
        '{"boot": "boot-1", "failures": [], "paused_until": 0, "attempts": [["a", Infinity]], "under_way": false}',
        '{"boot": "boot-1", "failures": [], "paused_until": 1e999, "attempts": [], "under_way": false}',
        "[" * 100_000,
    ],
)
def test_what_cannot_be_read_pauses(text):
    assert read_tally(text, "boot-1", 5.0, LIMITS) == Tally("boot-1", paused_until=305.0)


tallies = st.builds(
    Tally,
    boot=st.text(),
    failures=st.lists(st.floats(0, 1e9), max_size=5).map(tuple),
    paused_until=st.floats(0, 301),
    attempts=st.dictionaries(st.text(), st.integers(0, 100), max_size=5).map(lambda known: tuple(known.items())),
)


@given(tallies)
def test_any_tally_is_read_as_it_was_written(tally):
    assert read_tally(write_tally(tally), tally.boot, 1.0, LIMITS) == tally


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.text()
    | st.fixed_dictionaries(
        dict.fromkeys(("boot", "failures", "paused_until", "attempts", "under_way"), json_values)
    ).map(json.dumps)
)
def test_no_text_lets_a_terminal_wait_for_ever_or_fail(text):
    tally = read_tally(text, "boot-1", 5.0, LIMITS)
    assert tally.boot == "boot-1"
    assert tally.attempts_of("request") >= 0
    assert count_failure(tally, 6.0, LIMITS).pause_left(6.0) <= LIMITS.pause_s


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=40).map(sorted), st.integers(1, 5))
def test_so_many_failures_in_the_window_always_pause(moments, most):
    limits = Limits(max_failures=most, window_s=600.0, pause_s=300.0)
    tally, paused_at = FRESH, []
    for at in moments:
        tally = count_failure(tally, at, limits)
        assert len(tally.failures) < most
        if tally.pause_left(at) == pytest.approx(limits.pause_s):
            paused_at.append(at)
    for begin, end in zip(moments, moments[most - 1 :], strict=False):
        if end - begin < limits.window_s:
            assert any(begin <= at <= end for at in paused_at)


def test_a_session_that_a_power_cut_or_a_crash_ends_has_failed():
    begun = begin_attempt(FRESH, "request")
    for boot in ("boot-1", "boot-2"):
        assert read_tally(write_tally(begun), boot, 5.0, LIMITS).failures == (5.0,)
    assert read_tally(write_tally(end_attempt(begun)), "boot-2", 5.0, LIMITS).failures == ()


def test_a_pause_that_is_over_does_not_come_back_with_the_next_boot():
    over = end_attempt(begin_attempt(failed(10, 20, 30), "request"))
    assert read_tally(write_tally(over), "boot-2", 5.0, LIMITS).pause_left(5.0) == 0
