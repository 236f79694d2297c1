"""Quarantine: what was set apart, why, and what an auditor decides about it."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from central.console.notes import CHARACTERS, read_note
from central.console.search import NEWEST, PAGE, Search, find
from central.console.visit import Visit
from central.decisions import Decision, Decisions, Judged
from central.ledger import open_database


def quarantine(visit: Visit) -> Response:
    """The newest first, each with the decision that stands."""
    before = visit.number("before", NEWEST)
    with visit.house.readers.lend() as ledger:
        found = find(ledger, Search(verdict="quarantined"), visit.house.zone, before, PAGE + 1)
        standing = ledger.decisions.standing([custody.number for custody in found])
    shown = found[:PAGE]
    return visit.page(
        "quarantine.html",
        shown=shown,
        standing=standing,
        older_number=shown[-1].number if len(found) > PAGE else None,
    )


def decide(visit: Visit) -> Response:
    """Writes a decision down; the ones before it stay."""
    number, word, note = visit.place(), visit.form.get("decision", ""), read_note(visit.form)
    if word not in [*Judged] or not note:
        what = f"Choose a decision and say why, in {CHARACTERS.start} to {CHARACTERS.stop - 1} characters."
        return visit.page("error.html", HTTPStatus.BAD_REQUEST, title="Nothing was decided", text=what)
    # With answers to disputes all that the console writes into the ledger, by a connection opened for this alone.
    database = open_database(visit.house.settings.ledger, create=False)
    try:
        Decisions(database).add(Decision(number, visit.house.now, visit.account.name, Judged(word), note))
    except LookupError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    finally:
        database.close()
    visit.note("decided about", f"result {number}")
    return visit.again(f"/results/{number}")
