"""What every request passes before a page is made, and what every answer bears."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.config import WebSettings

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
))  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
YEAR_S = 365 * 24 * 3600


class Guard:
    """Refuses other hosts, other origins and large bodies; adds the headers."""

    def __init__(self, app: ASGIApp, settings: WebSettings, max_body_bytes: int) -> None:
        self._app, self._max_body_bytes = app, max_body_bytes
        loopback = {f"http://{name}:{settings.port}" for name in ("127.0.0.1", "localhost")}
        self._origins = {settings.origin, *loopback}
        self._hosts = {urlsplit(origin).netloc for origin in self._origins}
        self._headers = HEADERS | ({"Strict-Transport-Security": f"max-age={YEAR_S}"} if settings.is_secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, unless it is refused."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, taken = Headers(scope=scope), 0

        async def receive_some() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_body_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    added[name] = value
                added.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(headers, scope["method"])
        if refusal:
            await PlainTextResponse(refusal, HTTPStatus.FORBIDDEN)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive_some, send_with_headers)

    def _refusal(self, headers: Headers, method: str) -> str:
        """Why a request is refused before anything looks at it; empty when it is not."""
        if headers.get("host", "") not in self._hosts:
            return "This is served under another address.\n"
        foreign = headers.get("origin", "") not in {"", *self._origins}
        foreign = foreign or headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        return "Sent from another site.\n" if foreign and method not in ("GET", "HEAD") else ""
