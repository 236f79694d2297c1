"""The pages of the public page. No cookie, no account: who holds a code and its number may read, and object."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from central.database import LedgerError
from central.disputes import MAX_PER_RESULT, Dispute, DisputeError, Objection
from central.public.house import House, Typed
from central.public.languages import CATALOGUES, Catalogue, choose
from central.public.registration import Registration
from central.web.attempts import Refusal
from central.web.forms import Sent, read_form, static_files
from central.web.guard import Guard
from central.web.writing import templates_of

LOG = logging.getLogger(__name__)
MAX_BODY_BYTES = 16 * 1024
MAX_TYPED, MAX_NOTE = 60, 500
JOINERS = "\u200c\u200d"
"""Marks that are not seen and belong to writing all the same, as in Hindi."""
TEMPLATES = templates_of("central.public")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser."""

    house: House
    request: Request
    form: dict[str, str]

    @property
    def language(self) -> Catalogue:
        """What the page is written in."""
        asked = self.form.get("lang", "") or self.request.query_params.get("lang", "")
        return choose(asked, self.request.headers.get("accept-language", ""))

    @property
    def typed(self) -> Typed:
        """Code and number of the form."""
        return Typed(self.form.get("code", "")[:MAX_TYPED], self.form.get("number", "")[:MAX_TYPED])

    @property
    def address(self) -> str:
        """Where the browser is."""
        return self.request.client.host if self.request.client else "unknown"

    def page(self, template: str, status: int = HTTPStatus.OK, **values: Any) -> Response:
        """A page in the visitor's language."""
        language = self.language
        values |= {"t": language.text, "language": language, "languages": [*CATALOGUES.values()]}
        values |= {"zone": self.house.zone, "typed": self.typed, "rehearsal": self.house.settings.rehearsal}
        return HTMLResponse(TEMPLATES.get_template(template).render(values), status)


def form(visit: Visit) -> Response:
    """Asks for code and number."""
    return visit.page("form.html", fault="")


def look_up(visit: Visit) -> Response:
    """Shows what a slip stands for."""
    found = visit.house.look_up(visit.typed, visit.address)
    return _shown(visit, found, "") if isinstance(found, Registration) else _nothing(visit, found)


def dispute(visit: Visit) -> Response:
    """Writes down what a customer objects to; code and number are asked for again, so that nobody else can."""
    found = visit.house.look_up(visit.typed, visit.address)
    if not isinstance(found, Registration):
        return _nothing(visit, found)
    word = visit.form.get("objection", "")
    if word not in [*Objection]:
        return _shown(visit, found, visit.language.text("dispute.choose"), HTTPStatus.BAD_REQUEST)
    note = plain(visit.form.get("note", ""))
    made = Dispute(found.number, visit.house.now, Objection(word), note, visit.language.tag)
    try:
        number = visit.house.dispute(made)
    except DisputeError:
        return _shown(visit, found, "", HTTPStatus.CONFLICT)
    return visit.page("recorded.html", number=number)


def plain(note: str) -> str:
    """A customer's words on one line, without what hides or turns what others read."""
    words = "".join(
        mark for mark in note if mark.isspace() or mark in JOINERS or unicodedata.category(mark)[0] not in "CZ"
    )
    return " ".join(words.split())[:MAX_NOTE]


def _shown(visit: Visit, found: Registration, fault: str, status: int = HTTPStatus.OK) -> Response:
    is_full = len(found.disputes) >= MAX_PER_RESULT
    values = {"found": found, "objections": [*Objection], "is_full": is_full, "max_note": MAX_NOTE}
    return visit.page("registration.html", status, fault=fault, most=MAX_PER_RESULT, **values)


def _nothing(visit: Visit, refusal: Refusal | None) -> Response:
    if refusal is None:
        return visit.page("form.html", HTTPStatus.NOT_FOUND, fault=visit.language.text("not-found"))
    minutes = -(-refusal.wait_s // 60)
    answer = visit.page("form.html", HTTPStatus.TOO_MANY_REQUESTS, fault=visit.language.text("wait", minutes=minutes))
    answer.headers["Retry-After"] = str(refusal.wait_s)
    return answer


def site(house: House) -> ASGIApp:
    """The whole application."""
    pages = (("GET", "/", form), ("POST", "/", look_up), ("POST", "/dispute", dispute))
    routes = [Route(path, _endpoint(house, page), methods=[method]) for method, path, page in pages]
    app = Starlette(
        routes=[*routes, Mount("/static", static_files("central.public"))],
        exception_handlers={
            HTTPException: _failed(house, "refused"),
            LedgerError: _failed(house, "busy", HTTPStatus.SERVICE_UNAVAILABLE),
            Exception: _failed(house, "broken", HTTPStatus.INTERNAL_SERVER_ERROR),
        },
    )
    app.router.redirect_slashes = False
    return Guard(app, house.settings.public, MAX_BODY_BYTES)


def _endpoint(house: House, page: Callable[[Visit], Response]) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        sent = await read_form(request, MAX_BODY_BYTES) if request.method == "POST" else Sent()
        return await run_in_threadpool(page, Visit(house, request, sent.fields))

    return endpoint


def _failed(house: House, what: str, status: int = 0) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, LedgerError):
            LOG.error("%s", error)
        said = error.status_code if isinstance(error, HTTPException) else status
        return Visit(house, request, {}).page("error.html", said, what=what)

    return answer
