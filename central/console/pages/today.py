"""The first page: how the day goes."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from starlette.responses import Response

from central.console.lines import lines
from central.console.plots import OTHER, OUTCOMES, kinds, quantile, stack
from central.console.search import Search, day_begins, find
from central.console.tallies import MAX_SECONDS, Counted
from central.console.visit import Visit

HOUR_S = 3600
DAYS = 14
LATEST = 8
REASONS = 8
LONGEST_S = 30
"""The plot of times ends here; what took longer stands in its last column."""


def today(visit: Visit) -> Response:
    """A day in numbers and plots; today unless another day is asked for."""
    house = visit.house
    this_day = datetime.fromtimestamp(house.now, house.zone).date()
    day = min(_day(visit.query.get("day", "")) or this_day, this_day)
    since, until = day_begins(day, house.zone), day_begins(day + timedelta(1), house.zone)
    counted = house.tallies.between(since, until)
    with house.readers.lend() as ledger:
        latest = lines(find(ledger, Search(until=day), house.zone, limit=LATEST))
        newest = ledger.newest()
        alarms = ledger.alarms.count(since, until)
    states = house.fleet.states(house.registry.current(), house.settings.rules, house.now)
    return visit.page(
        "today.html",
        day=day,
        day_before=day - timedelta(1),
        day_after=day + timedelta(1) if day < this_day else None,
        latest=latest,
        uncounted=max(0, newest - house.watch.counted),
        alarms=alarms,
        states=Counter(state.state for state in states),
        **_plots(counted, since, until),
        **_days(visit, day),
    )


def _days(visit: Visit, last: date) -> dict[str, Any]:
    """The days up to this one: at seven in the morning there is not much of today."""
    zone = visit.house.zone
    days = [last - timedelta(DAYS - 1 - index) for index in range(DAYS)]
    begins = [day_begins(day, zone) for day in days]
    counts: list[Counter[str]] = [Counter() for _ in days]
    for quarter, outcomes in visit.house.tallies.outcomes(begins[0], day_begins(last + timedelta(1), zone)).items():
        counts[bisect_right(begins, quarter) - 1].update(outcomes)
    return {"days": days, "by_day": stack(counts)}


def _plots(counted: Counted, since: int, until: int) -> dict[str, Any]:
    outcomes = kinds(counted.outcomes)
    sessions = sum(outcomes.values()) - outcomes.get("set-apart", 0)
    hours: list[Counter[str]] = [Counter() for _ in range((until - since) // HOUR_S)]
    for quarter, counts in counted.quarters.items():
        hours[min((quarter - since) // HOUR_S, len(hours) - 1)].update(counts)
    seconds = [{"verified": counted.seconds[second]} for second in range(LONGEST_S)]
    seconds.append({"verified": sum(counted.seconds[second] for second in range(LONGEST_S, MAX_SECONDS + 1))})
    reasons = counted.reasons.most_common(REASONS)
    return {
        "outcomes": {kind: outcomes[kind] for kind in (*OUTCOMES, OTHER) if kind in outcomes},
        "sessions": sessions,
        "verified_share": outcomes.get("verified", 0) / sessions if sessions else None,
        "hours": stack(hours),
        "times": stack(seconds),
        "median_s": quantile(counted.seconds, 0.5),
        "slow_s": quantile(counted.seconds, 0.9),
        "reasons": reasons,
        "most": max((count for _, count in reasons), default=1),
        "other_reasons": sum(counted.reasons.values()) - sum(count for _, count in reasons),
    }


def _day(text: str) -> date | None:
    return Search.read({"since": text}).since
