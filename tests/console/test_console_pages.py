"""What the pages say is what the ledger holds, on both databases; and what the console may write."""

import itertools
import re
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from visitor import NOW, Console

from central.config import ConsoleSettings
from central.console import live
from central.console.plots import OTHER, OUTCOMES, ceiling, quantile, stack
from central.console.search import PAGE, Search, day_begins, find
from central.console.store import Store
from central.console.tallies import Tallies
from central.database import LedgerError, migrate
from central.ledger import Ledger, open_database
from central.migrations import MIGRATIONS
from central.registry import load_registry, registry_text
from device.wire.receipt import Verdict

UTC_ZONE = ZoneInfo("UTC")
TODAY = datetime.fromtimestamp(NOW, UTC).date()


@pytest.fixture(scope="module")
def held(filled):
    """Everything in the town's ledger."""
    ledger = Ledger(filled.central.parent / "ledger.sqlite", read_only=True)
    yield ledger.latest(10_000)
    ledger.close()


def of_day(held, day):
    return [one for one in held if datetime.fromtimestamp(one.received, UTC).date() == day]


def test_the_day_s_numbers_are_those_of_the_ledger(shared, held):
    for day in (TODAY, TODAY - timedelta(1)):
        words = shared.visitor("viewer").get(f"/?day={day}").words
        taken = [one for one in of_day(held, day) if one.position.seq]
        counts = Counter(one.facts.outcome if one.verdict is Verdict.ACCEPTED else "set apart" for one in taken)
        sessions = sum(counts.values()) - counts["set apart"]
        assert (
            f"Sessions {sessions} " in words
            and f"Verified {counts['verified'] / sessions:.0%}".replace("%", " %") in words
        )
        for word, count in counts.items():
            assert f"{word} {count} {word}" in words
        reasons = Counter(one.facts.first_reason for one in taken if one.facts.outcome not in ("", "verified"))
        for reason, count in reasons.items():
            assert f"{reason.replace('-', ' ')} {count} " in words


def test_counts_do_not_depend_on_how_they_were_made(filled, tmp_path, held):
    """In one go, bit by bit, by two at once: each envelope counts once."""
    ledger = Ledger(filled.central.parent / "ledger.sqlite", read_only=True)
    store = Store(tmp_path / "a.sqlite", lambda: NOW)
    tallies = [Tallies(store), Tallies(store)]
    others = Ledger(filled.central.parent / "ledger.sqlite", read_only=True)
    threads = [
        threading.Thread(target=lambda one=one, at=at: [None for _ in iter(lambda: one.advance(at), 0)])
        for one, at in zip(tallies, (ledger, others), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = tallies[0].between(0, 2**40)
    assert sum(counted.outcomes.values()) == len([one for one in held if one.position.seq])
    assert tallies[0].progress(ledger) == held[-1].number
    assert counted.quarters == dict(tallies[0].outcomes(0, 2**40))
    for one in (ledger, others, store):
        one.close()


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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def twin(request, filled):
    """The town's ledger in each of the two databases."""
    if request.param == "sqlite":
        ledger = Ledger(filled.central.parent / "ledger.sqlite", read_only=True)
    else:
        address = request.getfixturevalue("postgresql").address()
        copy_ledger(filled.central.parent / "ledger.sqlite", address)
        ledger = Ledger(address, read_only=True)
    yield ledger
    ledger.close()


def copy_ledger(source, address):
    """The same rows in another database."""
    old, new = Ledger(source, read_only=True), Ledger(address)
    with new.batch():
        new.take(old.latest(10_000))
        new.change_gaps([], old.gaps())
        for alarm in old.alarms.since(0):
            new.alarms.raise_once(alarm, alarm.raised)
        for table in ("births", "health"):
            for terminal, received, raw in old.database.rows(f"SELECT * FROM {table}"):
                (new.fleet.set_births if table == "births" else new.fleet.set_health)({terminal: raw}, received)
    old.close()
    new.close()


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


def test_a_decision_is_written_beside_and_never_over(own_town):
    town, console = own_town()
    (fork,) = [one for one in town.ledger.quarantined(0) if one.reason == "fork"]
    visitor = console.visitor("auditor")
    path, place = f"/quarantine/{fork.number}", f"/results/{fork.number}"
    assert "Nobody has decided" in visitor.get(place).text
    assert visitor.post(path, {"decision": "investigating", "note": "asked the\n outlet <b>"}).status == 303
    assert visitor.post(path, {"decision": "upheld", "note": "the card was copied"}).status == 303
    assert visitor.post(path, {"decision": "trusted", "note": "abc"}).status == 400
    for wrong in (" x ", "", "abc\u202edef", "x" * 501):
        assert visitor.post(path, {"decision": "upheld", "note": wrong}).status == 400
    assert visitor.post("/quarantine/1", {"decision": "upheld", "note": "it was accepted"}).status == 404
    decisions = town.ledger.decisions.of(fork.number)
    assert [(one.decision, one.note, one.account) for one in decisions] == [
        ("investigating", "asked the outlet <b>", "one-auditor"), ("upheld", "the card was copied", "one-auditor"),
    ]  # fmt: skip
    assert "upheld by one-auditor" in visitor.get("/quarantine").words
    with pytest.raises(LedgerError, match="append-only"):
        town.ledger.database.rows("DELETE FROM decisions")
    (after,) = [one for one in town.ledger.quarantined(0) if one.number == fork.number]
    assert after == fork


def test_an_envelope_is_verified_on_its_own(shared, held):
    visitor = shared.visitor("viewer")
    visitor.get("/chain")
    good = next(one for one in reversed(held) if one.verdict is Verdict.ACCEPTED and one.position.seq)
    raw = good.envelope.decode()
    assert "It holds." in visitor.post("/chain", {"envelope": f"  {raw}\n"}).words
    middle = len(raw) // 2
    changed = raw[:middle] + ("A" if raw[middle] != "A" else "B") + raw[middle + 1 :]
    assert "It does not hold." in visitor.post("/chain", {"envelope": changed}).words
    revoked = next(one for one in held if one.reason == "revoked")
    assert "It does not hold." in visitor.post("/chain", {"envelope": revoked.envelope.decode()}).words
    body = (
        f'--b\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{visitor.form_token}\r\n--b\r\n'
        f'Content-Disposition: form-data; name="file"; filename="../../x.jws"\r\n\r\n{raw}\r\n--b--\r\n'
    )
    answer = visitor.send("POST", "/chain", body.encode(), {"Content-Type": "multipart/form-data; boundary=b"})
    assert "It holds." in answer.words
    assert "Paste an envelope" in visitor.post("/chain").words


def test_terminals_show_what_somebody_has_to_see_to(shared):
    visitor = shared.visitor("viewer")
    words = visitor.get("/terminals").words
    for told in ("shop-01 silent", "shop-11 lost", "shop-04 online differs: firmware, models", "kiosk-2 revoked",
                 "shop-08 online locked after failures", "shop-10 online clock", "shop-12 online hot"):  # fmt: skip
        assert told in words
    assert words.index("shop-01") < words.index("shop-08") < words.index("shop-06")
    assert "shop-06" not in visitor.get("/terminals?state=silent").words
    words = visitor.get("/terminals/shop-08").words
    assert "Lockout for another 2 min" in words and "Temperature 60.1 °C" in words
    assert "shop-01 : nothing came since 2026-09-21" in visitor.get("/alarms").words


def test_a_revoked_key_changes_what_is_shown_at_once(own_town):
    town, console = own_town()
    path = town.settings.registry
    entries = dict(load_registry(path).terminals)
    entries["shop-06"] = entries["shop-06"].model_copy(update={"revoked": True})
    path.write_text(registry_text(entries))
    console.house.watch.look()
    assert "shop-06 revoked" in console.visitor("viewer").get("/terminals").words


def test_a_result_is_verified_again_while_its_page_is_made(own_town):
    """Whoever can write into the database cannot make a page say `verified`."""
    town, console = own_town()
    number, now = town.ledger.newest() + 1, town.now
    forged = town.ledger.latest(1)[0].envelope
    forged = forged[:-8] + (b"AAAAAAAA" if forged[-8:] != b"AAAAAAAA" else b"BBBBBBBB")
    with town.ledger.batch():
        town.ledger.database.rows(
            "INSERT INTO journal VALUES (?, 'shop-06', 1, 999999, 'x', 'x', true, 'accepted', NULL, ?)", number, now
        )
        town.ledger.database.rows(
            "INSERT INTO results (number, outcome, source, envelope) VALUES (?, 'verified', 'pi-camera', ?)",
            number,
            forged,
        )
    page = console.visitor("viewer").get(f"/results/{number}")
    assert "The signature does not hold" in page.text and "kind-verified" not in page.text


def test_live_tells_of_a_new_result_and_ends_with_the_sign_in(own_town, monkeypatch):
    monkeypatch.setattr(live, "LOOK_S", 0.02)
    monkeypatch.setattr(live, "CHECK_S", 0.1)
    town, console = own_town()
    visitor = console.visitor("viewer")
    url = f"{console.url}/live"
    with urlopen(Request(url, headers={"Cookie": f"console={visitor.cookies['console']}"}), timeout=20) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert next(stream) == b"retry: 5000\n"
        assert any(line == b"event: hello\n" for line in stream)
        assert next(stream).startswith(b"data: ")
        town.session("shop-06", town.now)
        assert any(line.startswith(b"data: ") for line in stream)
        console.house.sign_ins.end(visitor.cookies["console"])
        assert not any(line.startswith(b"event: hello") for line in stream)


def test_the_connection_for_pages_cannot_write(twin):
    for statement in ("DELETE FROM gaps", "INSERT INTO progress VALUES ('x', 1)", "CREATE TABLE x (a BIGINT)"):
        with pytest.raises(LedgerError, match=r"readonly|read-only"):
            twin.database.rows(statement)


def test_a_role_that_reads_and_decides_is_enough_on_postgresql(filled, tmp_path, postgresql):
    """PostgreSQL itself keeps the console from everything else."""
    address = postgresql.address()
    copy_ledger(filled.central.parent / "ledger.sqlite", address)
    schema = address.rpartition("%3D")[2]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS console")
        connection.execute("CREATE ROLE console LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO console")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO console")
        connection.execute("GRANT INSERT ON decisions TO console")
    console = Console(filled, tmp_path, NOW, ledger=address.replace("ledger@", "console@"))
    try:
        visitor = console.visitor("auditor")
        for path in (
            "/",
            "/terminals",
            "/terminals/shop-08",
            "/results",
            "/results/1",
            "/chain",
            "/quarantine",
            "/alarms",
        ):
            assert visitor.get(path).status == 200, path
        with console.house.readers.lend() as ledger:
            number = ledger.quarantined(0)[0].number
        visitor.get("/account")
        assert visitor.post(f"/quarantine/{number}", {"decision": "upheld", "note": "a clone"}).status == 303
        assert "upheld" in visitor.get("/quarantine").words
        lines = visitor.post("/export", {"format": "csv"}).text.splitlines()
        assert len(lines) > 200
        with psycopg.connect(address.replace("ledger@", "console@")) as connection, pytest.raises(psycopg.Error):
            connection.execute("INSERT INTO gaps VALUES ('x', 1, 1, 1, 1)")
    finally:
        console.stop()


def test_a_database_that_goes_away_is_one_page_and_comes_back(filled, tmp_path, postgresql):
    address = postgresql.address()
    copy_ledger(filled.central.parent / "ledger.sqlite", address)
    console = Console(filled, tmp_path, NOW, ledger=address)
    try:
        visitor = console.visitor("viewer")
        with psycopg.connect(postgresql.host, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'likeness-central'"
            )
        answers = [visitor.get("/results").status for _ in range(4)]
        assert set(answers) <= {200, 503} and answers[-1] == 200
    finally:
        console.stop()


def test_a_ledger_that_is_missing_or_older_is_told_in_one_line(tmp_path):
    with pytest.raises(LedgerError, match="there is no ledger yet"):
        Ledger(tmp_path / "none", read_only=True)
    database = open_database(tmp_path / "old.sqlite")
    migrate(database, 1, MIGRATIONS[:3])
    database.close()
    with pytest.raises(LedgerError, match="is older: start `likeness-central run`"):
        Ledger(tmp_path / "old.sqlite", read_only=True)


@given(st.lists(st.dictionaries(st.sampled_from([*OUTCOMES, "<x>", "verified "]), st.integers(0, 10**9)), max_size=30))
def test_a_stack_fits_its_plot_and_loses_nobody(columns):
    plot = stack(columns)
    for bar in plot.bars:
        assert (
            bar.kind in (*OUTCOMES, OTHER)
            and 0 <= bar.x <= plot.width
            and bar.y >= -1e-6
            and bar.y + bar.height <= 100.001
        )
    for column, shown in itertools.zip_longest(columns, plot.columns):
        assert sum(column.values()) == sum(shown.values())


@given(st.integers(0, 10**12))
def test_scales_are_round_and_high_enough(count):
    assert count <= ceiling(count) <= max(2, 2.5 * count)


@given(st.dictionaries(st.integers(0, 60), st.integers(1, 50), min_size=1))
def test_quantiles_are_those_of_the_list(counts):
    values = sorted(value for value, count in counts.items() for _ in range(count))
    for share in (0.5, 0.9):
        assert quantile(counts, share) == next(v for i, v in enumerate(values, 1) if i >= share * len(values))
    assert quantile({}, 0.5) is None
