"""Searches find what matches, newest first, on both databases, a page at a time."""

import re
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from visitor import NOW

from central.config import ConsoleSettings
from central.console.search import MAX_CHARACTERS, PAGE, Search, day_begins, find
from device.wire.receipt import Verdict

UTC_ZONE = ZoneInfo("UTC")


TODAY = datetime.fromtimestamp(NOW, UTC).date()


SEARCHES = [
    Search(),
    Search(outcome="rejected"),
    Search(terminal="shop-08"),
    Search(terminal="shop-08", outcome="cancelled"),
    Search(outlet="outlet-2", outcome="verified"),
    Search(attendant="attendant-15", reason="cancelled", terminal="shop-08"),
    Search(reason="wrong-action"),
    Search(verdict="quarantined"),
    Search(verdict="accepted", terminal="kiosk-2"),
    Search(since=TODAY, until=TODAY),
    Search(until=TODAY - timedelta(1), outcome="inconclusive"),
    Search(outcome="nonsense"),
]


def expected(held, search):
    """The same search, by hand."""
    for one in reversed(held):
        facts, day = one.facts, datetime.fromtimestamp(one.received, UTC).date()
        said = {
            "outcome": facts.outcome, "reason": facts.first_reason, "outlet": facts.outlet,
            "attendant": facts.attendant, "transaction": facts.transaction, "request": facts.request,
            "terminal": one.terminal,
        }  # fmt: skip
        wanted = {name: value for name, value in search.shown().items() if name in said}
        same = all(said[name] == value for name, value in wanted.items())
        same = same and (not search.verdict or (search.verdict == "accepted") == (one.verdict is Verdict.ACCEPTED))
        if same and (search.since or date.min) <= day <= (search.until or date.max):
            yield one.number


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: str(search.shown()))
def test_each_search_finds_what_matches_newest_first(twin, held, search):
    wanted = list(expected(held, search))
    found, before = [], 2**62
    while some := find(twin, search, UTC_ZONE, before, 7):
        found += [one.number for one in some]
        before = found[-1]
    assert found == wanted


def test_a_request_or_transaction_finds_its_results_set_apart_or_not(twin, held):
    for one in held[-20:]:
        if one.facts.request:
            assert one.number in [hit.number for hit in find(twin, Search(request=one.facts.request), UTC_ZONE)]
        if one.facts.transaction:
            search = Search(transaction=one.facts.transaction, terminal=one.terminal)
            assert [hit.number for hit in find(twin, search, UTC_ZONE)] == [one.number]


def test_turning_pages_shows_each_result_once_while_others_come(own_town):
    town, console = own_town()
    visitor, seen, path = console.visitor("viewer"), [], "/results"
    for _ in range(9):
        page = visitor.get(path)
        numbers = [int(number) for number in re.findall(r'<a href="/results/(\d+)">', page.text)]
        assert len(numbers) <= PAGE and numbers == sorted(numbers, reverse=True)
        seen += numbers
        town.session("shop-06", town.now)
        older = re.search(r'href="(/results\?[^"]*before=\d+)">Older', page.text)
        if not older:
            break
        path = older[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) and seen[-1] == 1 and len(seen) == seen[0]


def test_a_day_begins_where_the_outlets_are():
    day = date(2026, 11, 26)
    assert day_begins(day, ZoneInfo("Asia/Kolkata")) == day_begins(day, UTC_ZONE) - 5.5 * 3600
    summer = day_begins(date(2026, 3, 30), ZoneInfo("Europe/Madrid")) - day_begins(
        date(2026, 3, 29), ZoneInfo("Europe/Madrid")
    )
    assert summer == 23 * 3600
    with pytest.raises(ValueError, match="time zone"):
        ConsoleSettings(timezone="../../etc/passwd")


@given(st.dictionaries(st.sampled_from([one.name for one in fields(Search)]), st.text()))
@example({"request": "0" * 63 + " 0"})
def test_any_query_is_a_search_and_its_own_address_is_the_same(query):
    search = Search.read(query)
    assert Search.read(search.shown()) == search
    assert all(len(value) <= MAX_CHARACTERS and "\0" not in value for value in search.shown().values())


@pytest.mark.parametrize("text", ["\0", "\x1b[2J", "'; DROP TABLE gaps; --", "%", "_", "\\", "\u202e", "x" * 9999])
def test_strange_words_find_nothing_and_break_nothing(twin, text):
    for name in ("terminal", "outcome", "reason", "outlet", "attendant", "transaction", "request"):
        assert find(twin, Search.read({name: text}), UTC_ZONE) == []
    assert twin.newest() > 100
