"""Serves a web application on loopback until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from central.config import WebSettings

LOOPBACK = "127.0.0.1"
PATIENCE_S = 2
"""How long open pages have to let go when the application stops."""


def listen(settings: WebSettings) -> socket.socket:
    """Takes the port; raises OSError."""
    return socket.create_server((LOOPBACK, settings.port), backlog=64)


class Serving(uvicorn.Server):
    """uvicorn before an application; lets pages that listen for news go first: they would keep it from ending."""

    def __init__(self, app: ASGIApp, settings: WebSettings, let_go: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                # Without a proxy nobody may say where he comes from; a proxy on this machine may.
                proxy_headers=settings.is_secure,
                forwarded_allow_ips=LOOPBACK,
                access_log=False,
                server_header=False,
                log_config=None,
                lifespan="off",
                limit_concurrency=256,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=PATIENCE_S,
            )
        )
        self._let_go = let_go

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends every connection."""
        self._let_go()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Lets `run` return; from any thread."""
        self.should_exit = True
