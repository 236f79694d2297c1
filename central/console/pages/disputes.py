"""Disputes: what customers object to, and what an auditor answers them."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from central.console.notes import CHARACTERS, read_note
from central.console.search import NEWEST, PAGE
from central.console.visit import Visit
from central.disputes import Answer, Disputes, Found
from central.ledger import open_database


def disputes(visit: Visit) -> Response:
    """The newest first, each with the answer that stands."""
    before = visit.number("before", NEWEST)
    with visit.house.readers.lend() as ledger:
        found = ledger.disputes.before(before, PAGE + 1)
    shown = found[:PAGE]
    older = shown[-1].number if len(found) > PAGE else None
    return visit.page("disputes.html", shown=shown, older_number=older, first_page=before == NEWEST)


def answer(visit: Visit) -> Response:
    """Writes an answer down, for the customer to read; the ones before it stay."""
    number, word, note = visit.place(), visit.form.get("decision", ""), read_note(visit.form)
    if word not in [*Found] or not note:
        what = (
            f"Choose what you found and tell the customer, in {CHARACTERS.start} to {CHARACTERS.stop - 1} characters."
        )
        return visit.page("error.html", HTTPStatus.BAD_REQUEST, title="Nothing was answered", text=what)
    # As a decision, by a connection that is opened for this alone.
    database = open_database(visit.house.settings.ledger, create=False)
    try:
        custody = Disputes(database).answer(Answer(number, visit.house.now, visit.account.name, Found(word), note))
    except LookupError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    finally:
        database.close()
    visit.note("answered", f"dispute {number}")
    return visit.again(f"/results/{custody}#disputes")
