"""Terminals: how each one is, those that need somebody first."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from central.console.fleet import TerminalState
from central.console.lines import lines
from central.console.search import Search, find
from central.console.visit import Visit
from device.wire.update import UpdateState

PAGE = 100
RESULTS = 20
ALARMS = 20
ORDER = ("silent", "lost", "unknown", "online", "stopped", "never-seen", "revoked")
HOT_C = 75.0


def terminals(visit: Visit) -> Response:
    """The list, of one state or of all."""
    house = visit.house
    states = house.fleet.states(house.registry.current(), house.settings.rules, house.now)
    clock_s = _clock_s(visit)
    counts, wanted = Counter(state.state for state in states), visit.query.get("state", "")
    wanted = wanted if wanted in ORDER else ""
    chosen = (state for state in states if wanted in ("", state.state))
    shown = sorted(chosen, key=lambda one: (ORDER.index(one.state), not troubles(one, clock_s), one.name))
    page = visit.number("page", 0, max(0, (len(shown) - 1) // PAGE))
    return visit.page(
        "terminals.html",
        counts=[(state, counts[state]) for state in ORDER if counts[state]],
        total=len(states),
        wanted=wanted,
        shown=[(state, troubles(state, clock_s)) for state in shown[page * PAGE : (page + 1) * PAGE]],
        page=page,
        more=len(shown) > (page + 1) * PAGE,
    )


def terminal(visit: Visit) -> Response:
    """One terminal."""
    house, name = visit.house, visit.request.path_params["name"]
    registry = house.registry.current()
    if name not in registry.terminals:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    (state,) = (state for state in house.fleet.states(registry, house.settings.rules, house.now) if state.name == name)
    with house.readers.lend() as ledger:
        return visit.page(
            "terminal.html",
            state=state,
            troubles=troubles(state, _clock_s(visit)),
            latest=lines(find(ledger, Search(terminal=name), house.zone, limit=RESULTS)),
            gaps=[gap for gap in ledger.gaps() if gap.terminal == name],
            alarms=ledger.alarms.page(ALARMS, about=name),
        )


def troubles(state: TerminalState, clock_s: float) -> list[str]:
    """What somebody should see to, in words of ours; a clock may be off by `clock_s`."""
    health, found = state.health, []
    if health is not None:
        if health.lockout_s:
            found.append("locked after failures")
        if health.paused:
            found.append("paused by central")
        for part, said, good in (("outbox", health.outbox, "ok"), ("camera", health.camera, "ok")):
            if said != good:
                found.append(part)
        if any(update.state == UpdateState.FAILED for update in health.updates or ()):
            found.append("update given back")
        if health.throttled or (health.temperature_c or 0) >= HOT_C:
            found.append("hot")
    if state.strange:
        found.append("differs: " + ", ".join(state.strange))
    if state.clock_off_s is not None and abs(state.clock_off_s) > clock_s:
        found.append("clock")
    return found


def _clock_s(visit: Visit) -> float:
    rule = visit.house.settings.rules.clocks
    return rule.seconds if rule else float("inf")
