"""Accounts: for administrators, and everybody's own."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from central.console.accounts import LINK_S, AccountError, Role
from central.console.entrance import signed_in
from central.console.sign_ins import about_account, limits
from central.console.visit import Visit

PAGE = 50
NEWEST = 2**62


def accounts(visit: Visit, link: str = "", of: str = "") -> Response:
    """Every account, and what people did."""
    acts = visit.house.acts.before(visit.number("before", NEWEST), PAGE + 1)
    return visit.page(
        "accounts.html",
        accounts=visit.house.accounts.all(),
        roles=[*Role],
        acts=acts[:PAGE],
        older_number=acts[PAGE - 1].number if len(acts) > PAGE else None,
        link=link,
        of=of,
        hours=LINK_S // 3600,
    )


def change(visit: Visit) -> Response:
    """Adds an account, gives a one-time link, disables or enables."""
    known, name, act = visit.house.accounts, visit.form.get("name", ""), visit.form.get("act", "")
    link = ""
    try:
        if act == "add":
            known.add(name, _role(visit.form.get("role", "")))
        elif act in ("disable", "enable"):
            known.disable(name, disabled=act == "disable")
        if act in ("add", "link"):
            link = f"{visit.house.settings.console.origin}/welcome/{known.invite(name)}"
    except AccountError as error:
        return visit.page("error.html", HTTPStatus.BAD_REQUEST, title="Nothing was changed", text=str(error))
    visit.note(
        {"add": "added", "link": "gave a link to", "disable": "disabled", "enable": "enabled"}.get(act, ""), name
    )
    return accounts(visit, link, name) if link else visit.again("/accounts")


def own(visit: Visit) -> Response:
    """Everybody's own account."""
    return visit.page("own.html", fault="")


def change_own(visit: Visit) -> Response:
    """A new password, which ends every other sign-in of the account."""
    known, name = visit.house.accounts, visit.account.name
    refusal = visit.house.attempts.admit(limits(visit.address, name))
    if refusal:
        fault = f"Too many attempts: wait {refusal.wait_s} s."
        return visit.page("own.html", HTTPStatus.TOO_MANY_REQUESTS, fault=fault)
    if known.check(name, visit.form.get("password", "")) is None:
        return visit.page("own.html", HTTPStatus.FORBIDDEN, fault="This is not your password of now.")
    try:
        known.set_password(name, visit.form.get("new", ""))
    except AccountError as error:
        return visit.page("own.html", HTTPStatus.BAD_REQUEST, fault=f"{error}.")
    visit.house.attempts.forget(about_account(name))
    visit.note("changed the password of", name)
    return signed_in(visit, known.get(name), "/")


def _role(text: str) -> Role:
    if text not in [*Role]:
        raise AccountError("choose a role")
    return Role(text)
