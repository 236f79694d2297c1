"""The way in and out: signing in, one-time links, signing out."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from central.console.accounts import Account, AccountError
from central.console.house import House
from central.console.sign_ins import about_account, limits
from central.console.visit import Visit, own_path

WRONG = "Name or password is wrong."


def sign_in_form(visit: Visit) -> Response:
    """Asks for name and password."""
    if visit.sign_in is not None:
        return visit.again("/")
    return visit.page("sign_in.html", fault="", wanted=own_path(visit.query.get("wanted", "/")), name="")


def sign_in(visit: Visit) -> Response:
    """Lets in whoever knows the password, under a token that is new."""
    house, name, wanted = visit.house, visit.form.get("name", "").strip(), own_path(visit.form.get("wanted", "/"))
    refusal = house.attempts.admit(limits(visit.address, name))
    if refusal:
        answer = _again(visit, wanted, f"Too many attempts: wait {-(-refusal.wait_s // 60)} minutes.", 429)
        answer.headers["Retry-After"] = str(refusal.wait_s)
        return answer
    account = house.accounts.check(name, visit.form.get("password", ""))
    if account is None:
        house.acts.note("", visit.address, "could not sign in as", name[:40])
        return _again(visit, wanted, WRONG, HTTPStatus.FORBIDDEN)
    house.attempts.forget(about_account(name))
    return signed_in(visit, account, wanted)


def sign_out(visit: Visit) -> Response:
    """Ends the sign-in, here and in the store."""
    if visit.sign_in is not None:
        visit.house.sign_ins.end(visit.sign_in.token)
        visit.note("signed out")
    answer = visit.again("/sign-in")
    answer.delete_cookie(cookie_name(visit.house), path="/")
    return answer


def welcome_form(visit: Visit) -> Response:
    """Asks the owner of a one-time link for a password; looking at it does not use it."""
    account = visit.house.accounts.invited(visit.request.path_params["token"])
    if account is None:
        return _void(visit)
    return visit.page("welcome.html", name=account.name, fault="")


def welcome(visit: Visit) -> Response:
    """Uses a one-time link: sets the password and signs in."""
    house, token = visit.house, visit.request.path_params["token"]
    if house.attempts.admit(limits(visit.address)):
        return _void(visit, HTTPStatus.TOO_MANY_REQUESTS)
    invited = house.accounts.invited(token)
    try:
        account = house.accounts.accept(token, visit.form.get("password", ""))
    except AccountError as error:
        name = invited.name if invited else ""
        return visit.page("welcome.html", HTTPStatus.BAD_REQUEST, name=name, fault=f"{error}.")
    return signed_in(visit, account, "/") if account else _void(visit)


def signed_in(visit: Visit, account: Account, path: str) -> Response:
    """Begins a new sign-in, ends the one of before and goes on."""
    house = visit.house
    if visit.sign_in is not None:
        house.sign_ins.end(visit.sign_in.token)
    begun = house.sign_ins.begin(account)
    house.acts.note(account.name, visit.address, "signed in")
    answer = visit.again(path)
    _keep(house, answer, begun.token)
    return answer


def keep_entry(house: House, answer: Response, entry: str) -> None:
    """Lets a browser in which nobody is signed in hold what ties its forms to it."""
    _keep(house, answer, entry)


def cookie_name(house: House) -> str:
    """`__Host-` lets browsers take the cookie by TLS and from this host only."""
    return "__Host-console" if house.settings.console.is_secure else "console"


def _keep(house: House, answer: Response, token: str) -> None:
    secure = house.settings.console.is_secure
    answer.set_cookie(cookie_name(house), token, path="/", secure=secure, httponly=True, samesite="strict")


def _again(visit: Visit, wanted: str, fault: str, status: int) -> Response:
    return visit.page("sign_in.html", status, fault=fault, wanted=wanted, name=visit.form.get("name", "")[:40])


def _void(visit: Visit, status: int = HTTPStatus.NOT_FOUND) -> Response:
    text = "It was used, is older than a day, or there is a newer one. Ask an administrator for another."
    return visit.page("error.html", status, title="This link no longer counts", text=text)
