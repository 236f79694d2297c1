"""Serves the console on loopback until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

import uvicorn

from central.config import CentralSettings
from central.console.guard import is_secure
from central.console.house import House, open_house
from central.console.site import site

LOOPBACK = "127.0.0.1"
PATIENCE_S = 2
"""How long open pages have to let go when the console stops."""


class _Uvicorn(uvicorn.Server):
    """Lets pages that listen for news go first: they would keep it from ending."""

    def __init__(self, config: uvicorn.Config, let_go: Callable[[], None]) -> None:
        super().__init__(config)
        self._let_go = let_go

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends every connection."""
        self._let_go()
        await super().shutdown(sockets)


class Server:
    """The console as it runs: the house, and uvicorn before it."""

    def __init__(self, settings: CentralSettings, open_it: Callable[..., House] = open_house) -> None:
        """Opens everything and takes the port; raises LedgerError, SettingsError and OSError."""
        with ExitStack() as undo:
            self._socket = undo.enter_context(socket.create_server((LOOPBACK, settings.console.port), backlog=64))
            self.house = open_it(settings, on_failure=self.stop)
            undo.pop_all()
        behind_proxy = is_secure(settings.console)
        self._server = _Uvicorn(
            uvicorn.Config(
                site(self.house),
                # Without a proxy nobody may say where he comes from; a proxy on this machine may.
                proxy_headers=behind_proxy,
                forwarded_allow_ips=LOOPBACK,
                access_log=False,
                server_header=False,
                log_config=None,
                lifespan="off",
                limit_concurrency=256,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=PATIENCE_S,
            ),
            self.house.watch.let_go,
        )

    def run(self) -> None:
        """Serves until stopped; a signal stops it, too."""
        try:
            self.house.watch.start()
            self._server.run(sockets=[self._socket])
        finally:
            self.house.close()
            self._socket.close()

    def stop(self) -> None:
        """Lets `run` return; from any thread."""
        self._server.should_exit = True
