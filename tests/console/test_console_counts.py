"""What is counted is what the ledger holds, however it was counted; and plots that fit."""

import itertools
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from visitor import NOW

from central.console.plots import OTHER, OUTCOMES, ceiling, quantile, stack
from central.console.store import open_store
from central.console.tallies import Tallies
from central.ledger import Ledger
from device.wire.receipt import Verdict

TODAY = datetime.fromtimestamp(NOW, UTC).date()


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
    store = open_store(tmp_path / "a.sqlite", lambda: NOW)
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
