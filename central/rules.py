"""The rules: look at what is new in the ledger, and raise alarms with the rows that show why.

Each rule reads what it needs through an index, so that its cost depends on what is new and not on what is held.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from central.alarms import DISPUTES, GUESSING, Alarm
from central.custody import subject_key
from central.drift import fleet_alarms
from central.ledger import Ledger
from central.registry import Registry
from central.rule_settings import RuleSettings
from device.wire.claims import Outcome

LOG = logging.getLogger(__name__)
MAX_NEW = 5000
"""How many new rows are looked at in one go; the rest has its turn."""
NOBODY = "unknown"
"""What `likeness-central request` says when nobody named a subject or an attendant."""
FAILURES = (Outcome.REJECTED, Outcome.INCONCLUSIVE)
REGISTERED = (Outcome.VERIFIED, Outcome.WITNESSED)
DAY_S, HOUR_S = 86_400, 3600
SET_APART = ("fork", "stale-epoch", "unanchored-epoch", "revoked", "plan-mismatch", "contradicts-request")


@dataclass(frozen=True, slots=True)
class _Row:
    about: str
    number: int
    outcome: str
    terminal: str
    received: int


class Rules:
    """Applies the rules to a ledger."""

    def __init__(self, ledger: Ledger, settings: RuleSettings) -> None:
        self._ledger, self._settings = ledger, settings

    def apply(self, registry: Registry, now: int) -> list[Alarm]:
        """Looks at what is new; returns the alarms that it raised, which are on the disk then."""
        with self._ledger.batch():
            first = self._ledger.alarms.progress() + 1
            last = min(self._ledger.newest(), first + MAX_NEW - 1)
            found = [*self._of_results(first, last, now), *self._of_fleet(registry, now), *self._of_public(now)]
            raised = [alarm for alarm in found if self._ledger.alarms.raise_once(alarm, now)]
            self._ledger.alarms.advance(last)
        for alarm in raised:
            # A pseudonym does not belong into a log.
            about = "subject" if alarm.rule in ("numbers-per-identity", "retry-shopping") else alarm.about
            LOG.warning("alarm rule=%s about=%s", alarm.rule, about)
        return raised

    def _of_fleet(self, registry: Registry, now: int) -> Iterator[Alarm]:
        fleet = self._ledger.fleet
        return fleet_alarms(fleet.births(registry), fleet.health(registry), self._ledger.gaps(), self._settings, now)

    def _of_results(self, first: int, last: int, now: int) -> Iterator[Alarm]:
        if first > last:
            return
        yield from self._subjects(first, last, now)
        yield from self._attendants(first, last, now)
        yield from self._witnessed(first, last, now)
        yield from self._hot(first, last, now)
        yield from self._apart(first, last)

    def _subjects(self, first: int, last: int, now: int) -> Iterator[Alarm]:
        numbers, shopping = self._settings.numbers_per_identity, self._settings.retry_shopping
        window_s = max(numbers.days * DAY_S if numbers else 0, shopping.hours * HOUR_S if shopping else 0)
        for subject, rows in self._rows("subject", first, last, now - window_s).items():
            if numbers is not None:
                verified = _since(rows, now - numbers.days * DAY_S, REGISTERED)
                if len(verified) > numbers.verified:
                    what = f"{len(verified)} verified or witnessed results within {numbers.days:g} days"
                    yield _alarm("numbers-per-identity", subject, what, verified, numbers.days * DAY_S)
            if shopping is not None:
                failed = _since(rows, now - shopping.hours * HOUR_S, FAILURES)
                places = {row.terminal for row in failed}
                if len(failed) >= shopping.failures and len(places) >= shopping.terminals:
                    what = f"failed {len(failed)} times at {len(places)} terminals within {shopping.hours:g} hours"
                    yield _alarm("retry-shopping", subject, what, failed, shopping.hours * HOUR_S)

    def _attendants(self, first: int, last: int, now: int) -> Iterator[Alarm]:
        rule = self._settings.cancelling_attendants
        if rule is None:
            return
        window_s = rule.hours * HOUR_S
        for attendant, rows in self._rows("attendant", first, last, now - window_s).items():
            cancelled = _since(rows, now - window_s, (Outcome.CANCELLED,))
            if len(cancelled) >= max(rule.cancelled, rule.share * len(_since(rows, now - window_s))):
                what = f"{len(cancelled)} of {len(rows)} sessions within {rule.hours:g} hours were cancelled"
                yield _alarm("cancelling-attendants", attendant, what, cancelled, window_s)

    def _witnessed(self, first: int, last: int, now: int) -> Iterator[Alarm]:
        rule = self._settings.witnessed_sessions
        if rule is None:
            return
        since = now - rule.hours * HOUR_S
        for column in ("attendant", "outlet"):
            for about, rows in self._rows(column, first, last, since, Outcome.WITNESSED).items():
                witnessed, every = _since(rows, since, (Outcome.WITNESSED,)), _since(rows, since)
                if len(witnessed) >= max(rule.witnessed, rule.share * len(every)):
                    what = f"{column}: {len(witnessed)} of {len(every)} sessions in {rule.hours:g} hours were witnessed"
                    yield _alarm("witnessed-sessions", about, what, witnessed, rule.hours * HOUR_S)

    def _hot(self, first: int, last: int, now: int) -> Iterator[Alarm]:
        rule = self._settings.hot_terminals
        if rule is None:
            return
        query = "SELECT DISTINCT terminal FROM journal WHERE number BETWEEN ? AND ? AND linked"
        newest = """SELECT number, received FROM journal WHERE terminal = ? AND linked
            ORDER BY epoch DESC, seq DESC LIMIT ?"""
        for (terminal,) in self._ledger.database.rows(query, first, last):
            rows = self._ledger.database.rows(newest, terminal, rule.results + 1)
            if len(rows) > rule.results and rows[-1][1] > now - rule.hours * HOUR_S:
                what = f"more than {rule.results} results within {rule.hours:g} hours"
                shown = [_Row(terminal, number, "", terminal, received) for number, received in reversed(rows)]
                yield _alarm("hot-terminals", terminal, what, shown, rule.hours * HOUR_S)

    def _apart(self, first: int, last: int) -> Iterator[Alarm]:
        """Quarantine that no honest terminal causes: always told."""
        query = """SELECT terminal, reason, number FROM journal
            WHERE number BETWEEN ? AND ? AND verdict <> 'accepted' ORDER BY number"""
        by_terminal: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for terminal, reason, number in self._ledger.database.rows(query, first, last):
            if reason in SET_APART:
                by_terminal[terminal, reason].append(number)
        for (terminal, reason), numbers in by_terminal.items():
            what = f"{len(numbers)} results were set apart: {reason}"
            yield Alarm("set-apart", terminal, f"{reason} {numbers[0]}", what, tuple(numbers[:100]))

    def _of_public(self, now: int) -> Iterator[Alarm]:
        """What customers object to, and who guesses at their slips: always told."""
        alarms = self._ledger.alarms
        for dispute in self._ledger.disputes.since(alarms.progress(DISPUTES)):
            held = self._ledger.numbered([dispute.custody])
            what = f"dispute {dispute.number}, {dispute.objection}: a customer objects to result {dispute.custody}"
            yield Alarm("disputed", held[0].terminal if held else NOBODY, str(dispute.number), what, (dispute.custody,))
            alarms.advance(dispute.number, DISPUTES)
        for noticed, failed in self._ledger.slips.guessing_since(alarms.progress(GUESSING)):
            what = f"everybody had to wait: {failed} slips were looked up within minutes that are none"
            yield Alarm("slip-guessing", "public-page", str(noticed), what, quiet_s=HOUR_S)
            alarms.advance(min(noticed, now), GUESSING)

    def _rows(
        self, column: str, first: int, last: int, since: float, outcome: Outcome | None = None
    ) -> dict[str, list[_Row]]:
        """Every accepted result, since a time, of those who have a new one, or a new one of this outcome."""
        query = f"""SELECT DISTINCT {column} FROM results WHERE number BETWEEN ? AND ?
            AND {column} IS NOT NULL AND {column} <> ? AND coalesce(?, outcome) = outcome"""  # noqa: S608
        new = self._ledger.database.rows(query, first, last, NOBODY, outcome and outcome.value)
        found = (
            "r.subject_key = given.key AND r.subject = given.about"
            if column == "subject"
            else f"r.{column} = given.about"
        )
        theirs = f"""SELECT given.about, r.number, r.outcome, j.terminal, j.received FROM given
            JOIN results AS r ON {found} JOIN journal AS j ON j.number = r.number
            WHERE r.number BETWEEN ? AND ? ORDER BY r.number"""  # noqa: S608
        keyed = [(about, subject_key(about)) for (about,) in new]
        oldest = self._ledger.number_since(int(since))
        grouped: defaultdict[str, list[_Row]] = defaultdict(list)
        for row in self._ledger.database.rows_given({"about": "text", "key": "bigint"}, keyed, theirs, oldest, last):
            grouped[row[0]].append(_Row(*row))
        return grouped


def _since(rows: Sequence[_Row], received: float, outcomes: Sequence[str] = ()) -> list[_Row]:
    return [row for row in rows if row.received > received and (not outcomes or row.outcome in outcomes)]


def _alarm(rule: str, about: str, what: str, rows: Sequence[_Row], window_s: float) -> Alarm:
    numbers = tuple(row.number for row in rows)
    return Alarm(rule, about, str(numbers[-1]), what, numbers[-100:], quiet_s=int(window_s))
