"""Alarms: what the rules found, and what is off with the terminals now."""

from __future__ import annotations

from starlette.responses import Response

from central.console.accounts import Permission
from central.console.visit import Visit
from central.drift import fleet_alarms

PAGE = 50
OF_SUBJECTS = ("numbers-per-identity", "retry-shopping")


def alarms(visit: Visit) -> Response:
    """The newest first, of one rule or of all."""
    house, page = visit.house, visit.number("page", 0, 10_000)
    with house.readers.lend() as ledger:
        counts = ledger.alarms.rules()
        rule = next((name for name in counts if name == visit.query.get("rule")), "")
        shown = ledger.alarms.page(PAGE + 1, rule=rule, skip=page * PAGE)
        gaps = ledger.gaps()
    now = fleet_alarms(house.fleet.births(), house.fleet.health(), gaps, house.settings.rules, house.now)
    return visit.page(
        "alarms.html",
        shown=shown[:PAGE],
        counts=counts,
        total=sum(counts.values()),
        rule=rule,
        page=page,
        more=len(shown) > PAGE,
        off_now=sorted(now, key=lambda alarm: (alarm.rule, alarm.about)),
        of_subjects=OF_SUBJECTS,
        sees_subjects=visit.may(Permission.EXAMINE),
    )
