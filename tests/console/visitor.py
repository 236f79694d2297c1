"""The console in a thread of the test, and a browser of few words: cookies, forms, no scripts."""

import functools
import html
import http.client
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from argon2 import PasswordHasher

from central.config import CentralSettings, load_central
from central.console.accounts import Role
from central.console.house import open_house
from central.console.server import Server
from provisioning.__main__ import free_port
from provisioning.demo import DemoAuthority

NOW = 1_790_002_800 + 4 * 3600
"""A Monday, 19:00 UTC: a day of business is almost over."""
PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
LIMIT_S = 20
COUNTING_S = 900
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


def until(condition: Callable[[], bool]) -> None:
    """Waits for what another thread brings about."""
    pause, deadline = threading.Event(), time.monotonic() + COUNTING_S
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.01)


class Clock:
    """Seconds since 1970, as the test says."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Served:
    """Pages in a thread of the test, on a port of loopback."""

    def __init__(self, server, port: int) -> None:
        self.server, self.house, self.port = server, server.house, port
        self._thread = threading.Thread(target=server.run)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(LIMIT_S)
        assert not self._thread.is_alive()

    close = stop


class Console(Served):
    """`likeness-central console`, on a free port of loopback, with cheap passwords, and a clock of the test or none."""

    def __init__(
        self,
        made: DemoAuthority,
        folder: Path,
        now: float | None,
        *,
        ledger: str | None = None,
        look_s: float = 0.05,
        **changes: object,
    ) -> None:
        settings = load_central(made.central)
        if ledger is not None:
            settings = settings.model_copy(update={"ledger": ledger})
        store = folder / "console.sqlite"
        console = settings.console.model_copy(update={"port": free_port(), "store": store} | changes)
        self.settings: CentralSettings = settings.model_copy(update={"console": console})
        self.clock = time.time if now is None else Clock(now)
        house = functools.partial(open_house, wall=self.clock, hasher=CHEAP, look_s=look_s)
        super().__init__(Server(self.settings, house), console.port)
        with self.house.readers.lend() as held:
            newest = held.newest()
        until(lambda: (self.house.watch.counted >= newest and self.house.watch.version > 0) or not newest)

    def account(self, role: str, name: str | None = None) -> str:
        """An account with PASSWORD; returns its name."""
        name = name or f"one-{role}"
        if name not in [account.name for account in self.house.accounts.all()]:
            self.house.accounts.add(name, Role(role))
            self.house.accounts.set_password(name, PASSWORD)
        return name

    def visitor(self, role: str | None = None) -> "Visitor":
        """Somebody before a browser; signed in when they have a role."""
        visitor = Visitor(self)
        if role is not None:
            token = self.house.sign_ins.begin(self.house.accounts.get(self.account(role))).token
            visitor.cookies["console"] = token
        return visitor


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def words(self) -> str:
        """What a person reads."""
        reader = Reader()
        reader.feed(self.text)
        return " ".join(" ".join(reader.texts).split())

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


class Reader(HTMLParser):
    """Every element, attribute and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


class Visitor:
    def __init__(self, console: Console) -> None:
        self.console = console
        self.cookies: dict[str, str] = {}
        self.form_token = ""

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        """A form with the token of the page that was seen last, unless the form brings its own."""
        fields = {"form_token": self.form_token} | (form or {})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urlencode(fields).encode(), kind | headers)

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.console.port, timeout=LIMIT_S)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = ({"Cookie": cookie} if cookie else {}) | {
            name.replace("_", "-"): value for name, value in (headers or {}).items()
        }
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        for value in answer.headers.get_all("set-cookie") or []:
            for name, morsel in SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        found = TOKEN.search(answer.body.decode(errors="replace"))
        if found:
            self.form_token = html.unescape(found[1])
        return answer

    def sign_in(self, name: str, password: str = PASSWORD, wanted: str = "/") -> Answer:
        self.get("/sign-in")
        return self.post("/sign-in", {"name": name, "password": password, "wanted": wanted})
