"""One request of a browser: who asks, what they brought along, and how a page is made for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from central.console.accounts import Account, Permission
from central.console.house import House
from central.console.sign_ins import SignIn, form_token
from central.console.writing import TEMPLATES

RENEWS_ITSELF = "x-renews-itself"
"""A header of our script: the page asks by itself, nobody is before it."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request.

    Attributes:
        sign_in: who is signed in; None where nobody has to be.
        form: the fields of a form that was sent, its token checked.
        upload: a file that was sent with it.
        entry: what a browser holds in which nobody is signed in yet.
        version: what the watch had seen before the page was begun: whatever comes later is news to it.
    """

    house: House
    request: Request
    sign_in: SignIn | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    upload: bytes = field(default=b"", repr=False)
    entry: str = field(default="", repr=False)
    version: int = 0

    @property
    def account(self) -> Account:
        """Who asks; only for pages that need somebody."""
        if self.sign_in is None:
            raise HTTPException(HTTPStatus.FORBIDDEN)
        return self.sign_in.account

    @property
    def address(self) -> str:
        """Where the browser is."""
        return self.request.client.host if self.request.client else "unknown"

    @property
    def query(self) -> Mapping[str, str]:
        """The query of the address."""
        return self.request.query_params

    @property
    def renews_itself(self) -> bool:
        """Whether the page asks by itself."""
        return RENEWS_ITSELF in self.request.headers

    def may(self, permission: Permission) -> bool:
        """Whether whoever asks may do so."""
        return self.sign_in is not None and self.sign_in.account.may(permission)

    def number(self, name: str, default: int, highest: int = 2**62) -> int:
        """A whole number of the query, within bounds."""
        text = self.query.get(name, "")
        return min(int(text), highest) if text.isascii() and text.isdecimal() and len(text) < 20 else default

    def place(self) -> int:
        """The number of the journal that the address names; raises HTTPException."""
        text = str(self.request.path_params["number"])
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return int(text)

    def note(self, act: str, about: str = "") -> None:
        """Writes down what somebody did."""
        name = self.sign_in.account.name if self.sign_in else ""
        self.house.acts.note(name, self.address, act, about)

    def page(self, template: str, status: int = HTTPStatus.OK, **values: Any) -> Response:
        """A page for whoever asks."""
        account = self.sign_in.account if self.sign_in else None
        held = self.sign_in.token if self.sign_in else self.entry
        text = TEMPLATES.get_template(template).render(
            values
            | {
                "account": account,
                "permissions": {permission.value for permission in account.role.permissions} if account else set(),
                "form_token": form_token(held) if held else "",
                "here": self.request.url.path,
                "zone": self.house.zone,
                "now": self.house.now,
                "version": self.version,
                "open_disputes": self.house.watch.open_disputes,
                "rehearsal": self.house.settings.rehearsal,
            }
        )
        return HTMLResponse(text, status)

    def again(self, path: str, **query: object) -> Response:
        """Sends the browser to a page of ours, after something was done."""
        return RedirectResponse(path + ("?" + urlencode(query) if query else ""), HTTPStatus.SEE_OTHER)


def own_path(text: str) -> str:
    """A path of this console to go on to; the first page when it could be anything else."""
    parts = urlsplit(text)
    local = not (parts.scheme or parts.netloc) and text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if local and text.isascii() and text.isprintable() and "\\" not in text else "/"


def path_and_query(url: URL) -> str:
    """Where a browser wanted to go."""
    return url.path + (f"?{url.query}" if url.query else "")
