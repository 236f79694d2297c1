"""Results: the list with its filters, and one result with its challenge as a picture."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from central.assessment import contradiction
from central.console.accounts import Permission
from central.console.lines import lines
from central.console.picture import picture
from central.console.search import NEWEST, PAGE, Search, find
from central.console.tallies import decision_s
from central.console.visit import Visit
from central.custody import Custody
from central.decisions import Judged
from central.disputes import Found
from central.evidence import EvidenceError, open_evidence
from central.ledger import Ledger
from central.shown import opened
from device.wire.claims import Outcome, ResultClaims
from device.wire.evidence import EvidenceKind, EvidenceSignals
from device.wire.receipt import Verdict

OTHERS = 50


def results(visit: Visit) -> Response:
    """The newest that match."""
    search, before = Search.read(visit.query), visit.number("before", NEWEST)
    with visit.house.readers.lend() as ledger:
        found = find(ledger, search, visit.house.zone, before, PAGE + 1)
    shown = lines(found[:PAGE])
    return visit.page(
        "results.html",
        search=search,
        words_of_outcomes=[*Outcome],
        shown=shown,
        first_page=before == NEWEST,
        older_number=shown[-1].number if len(found) > PAGE else None,
    )


def result(visit: Visit) -> Response:
    """One result, verified again while the page is made."""
    house, number = visit.house, visit.place()
    registry = house.registry.current()
    with house.readers.lend() as ledger:
        custody = next(iter(ledger.numbered([number])), None)
        if custody is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        again = opened(custody.envelope, registry)
        signals, sealed = _signals(visit, ledger, custody, again.claims)
        others = _others(ledger, custody) if visit.may(Permission.EXAMINE) else []
        decisions, disputes = ledger.decisions.of(number), ledger.disputes.of(number)
    claims = again.claims
    return visit.page(
        "result.html",
        custody=custody,
        again=again,
        claims=claims,
        owner=registry.owners.get(again.kid),
        against=contradiction(claims) if claims else None,
        trusted=not again.fault and custody.verdict is Verdict.ACCEPTED,
        seconds=decision_s(claims.capture.frames, claims.capture.fps) if claims else None,
        picture=picture(claims.challenge, signals) if claims and claims.challenge else None,
        signals=signals,
        sealed=sealed,
        others=lines(others),
        decisions=decisions,
        judged=[*Judged],
        disputes=disputes,
        findings=[*Found],
    )


def _signals(
    visit: Visit, ledger: Ledger, custody: Custody, claims: ResultClaims | None
) -> tuple[EvidenceSignals | None, str]:
    """What was measured, for those who may see it; or why it is not shown."""
    key = visit.house.evidence_key
    if claims is None or claims.evidence is None or EvidenceKind.SIGNALS not in claims.evidence.kinds:
        return None, ""
    if key is None or not visit.may(Permission.EXAMINE):
        return None, "no-key" if key is None else "not-allowed"
    for terminal, evidence, signed in ledger.evidence.of(claims.jti):
        if (terminal, signed.jti, signed.seq) != (custody.terminal, claims.jti, claims.seq):
            continue
        try:
            pack = open_evidence(terminal, evidence, signed, key)
        except EvidenceError:
            return None, "cannot-be-opened"
        if not visit.renews_itself:
            visit.note("saw the signals of", f"result {custody.number}")
        return pack.signals, ""
    return None, "did-not-come"


def _others(ledger: Ledger, custody: Custody) -> list[Custody]:
    """Other results of the same person, newest first; those of nobody are everybody's."""
    facts = custody.facts
    if facts.subject is None or facts.subject == "unknown":
        return []
    query = """SELECT number FROM results WHERE subject_key = ? AND subject = ? AND number <> ?
        ORDER BY number DESC LIMIT ?"""
    rows = ledger.database.rows(query, facts.subject_key, facts.subject, custody.number, OTHERS)
    return ledger.numbered([number for (number,) in rows])
