"""Which pages there are, and who may ask for them: nothing answers that does not stand in this table."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from central.console import entrance, live
from central.console.accounts import Permission
from central.console.house import House
from central.console.pages import accounts, alarms, chain, disputes, export, quarantine, results, terminals, today
from central.console.sign_ins import is_form_token
from central.console.visit import RENEWS_ITSELF, Visit, path_and_query
from central.database import LedgerError
from central.web.forms import Sent, read_form, static_files
from central.web.guard import Guard

LOG = logging.getLogger(__name__)


class Access(Enum):
    """Who may ask for a page that needs no permission."""

    ANYBODY = auto()
    SIGNED_IN = auto()


@dataclass(frozen=True, slots=True)
class Page:
    """One page or action."""

    method: str
    path: str
    action: Callable[[Visit], Response]
    needs: Permission | Access


PAGES = (
    Page("GET", "/", today.today, Permission.READ),
    Page("GET", "/live", live.live, Permission.READ),
    Page("GET", "/terminals", terminals.terminals, Permission.READ),
    Page("GET", "/terminals/{name}", terminals.terminal, Permission.READ),
    Page("GET", "/results", results.results, Permission.READ),
    Page("GET", "/results/{number}", results.result, Permission.READ),
    Page("GET", "/chain", chain.chain, Permission.READ),
    Page("POST", "/chain", chain.chain, Permission.READ),
    Page("GET", "/quarantine", quarantine.quarantine, Permission.READ),
    Page("POST", "/quarantine/{number}", quarantine.decide, Permission.DECIDE),
    Page("GET", "/disputes", disputes.disputes, Permission.READ),
    Page("POST", "/disputes/{number}", disputes.answer, Permission.DECIDE),
    Page("GET", "/alarms", alarms.alarms, Permission.READ),
    Page("GET", "/export", export.form, Permission.EXAMINE),
    Page("POST", "/export", export.export, Permission.EXAMINE),
    Page("GET", "/accounts", accounts.accounts, Permission.ADMINISTER),
    Page("POST", "/accounts", accounts.change, Permission.ADMINISTER),
    Page("GET", "/account", accounts.own, Access.SIGNED_IN),
    Page("POST", "/account", accounts.change_own, Access.SIGNED_IN),
    Page("POST", "/sign-out", entrance.sign_out, Access.SIGNED_IN),
    Page("GET", "/sign-in", entrance.sign_in_form, Access.ANYBODY),
    Page("POST", "/sign-in", entrance.sign_in, Access.ANYBODY),
    Page("GET", "/welcome/{token}", entrance.welcome_form, Access.ANYBODY),
    Page("POST", "/welcome/{token}", entrance.welcome, Access.ANYBODY),
)
MAX_BODY_BYTES = 256 * 1024


def site(house: House) -> ASGIApp:
    """The whole application."""
    routes = [Route(page.path, _endpoint(house, page), methods=[page.method]) for page in PAGES]
    app = Starlette(
        routes=[*routes, Mount("/static", static_files("central.console"))],
        exception_handlers={
            HTTPException: _refused(house),
            LedgerError: _no_ledger(house),
            Exception: _broken(house),
        },
    )
    app.router.redirect_slashes = False  # an address is right or is none
    return Guard(app, house.settings.console, MAX_BODY_BYTES)


def _endpoint(house: House, page: Page) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        sent = await read_form(request, MAX_BODY_BYTES, max_files=1) if request.method == "POST" else Sent()
        return await run_in_threadpool(_answer, house, page, request, sent)

    return endpoint


def _answer(house: House, page: Page, request: Request, sent: Sent) -> Response:
    """Asks who it is, whether they may, and whether they meant it, in this order; only then makes the page."""
    version = house.watch.version
    token = request.cookies.get(entrance.cookie_name(house), "")
    sign_in = house.sign_ins.find(token, touch=RENEWS_ITSELF not in request.headers) if token else None
    if page.needs is not Access.ANYBODY and sign_in is None:
        return _to_the_entrance(request)
    if isinstance(page.needs, Permission) and not (sign_in and sign_in.account.may(page.needs)):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    if request.method == "POST" and not (token and is_form_token(sent.fields.get("form_token", ""), token)):
        raise HTTPException(HTTPStatus.FORBIDDEN, "form")
    if sign_in is not None or request.method == "POST":
        return page.action(Visit(house, request, sign_in, sent.fields, sent.upload, token, version))
    entry = token or secrets.token_urlsafe(32)
    answer = page.action(Visit(house, request, entry=entry))
    if not token:
        entrance.keep_entry(house, answer, entry)
    return answer


def _to_the_entrance(request: Request) -> Response:
    if request.method != "GET" or RENEWS_ITSELF in request.headers or request.url.path == "/live":
        raise HTTPException(HTTPStatus.UNAUTHORIZED)
    wanted = request.url.replace(path="/sign-in", query="", fragment="").include_query_params(
        wanted=path_and_query(request.url)
    )
    return RedirectResponse(path_and_query(wanted), HTTPStatus.SEE_OTHER)


SAID = {
    401: ("Please sign in", "Your sign-in has ended."),
    403: ("Not for this account", "Your role does not allow it. Ask an administrator for another."),
    404: ("There is nothing here", "It may have another number, or never have been there."),
    413: ("Too large", f"No more than {MAX_BODY_BYTES // 1024} KiB can be sent."),
}
OLD_FORM = (
    "Please send it again",
    "The form was older than your sign-in. Go back, load the page anew and send it again.",
)


def _refused(house: House) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        form = isinstance(error, HTTPException) and error.detail == "form"
        title, text = OLD_FORM if form else SAID.get(status, ("This cannot be done", HTTPStatus(status).phrase + "."))
        return Visit(house, request).page("error.html", status, title=title, text=text)

    return answer


def _no_ledger(house: House) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        LOG.error("%s", error)
        text = "The database does not answer. Nothing is lost; try again in a moment."
        return Visit(house, request).page("error.html", 503, title="The ledger cannot be read", text=text)

    return answer


def _broken(house: House) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, _error: Exception) -> Response:
        text = "The fault is ours and stands in the console's log."
        return Visit(house, request).page("error.html", 500, title="This page failed", text=text)

    return answer
