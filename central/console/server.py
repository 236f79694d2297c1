"""The console as it runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from central.config import CentralSettings
from central.console.house import House, open_house
from central.console.site import site
from central.web.server import Serving, listen


class Server:
    """The house, and the server before it."""

    def __init__(self, settings: CentralSettings, open_it: Callable[..., House] = open_house) -> None:
        """Opens everything and takes the port; raises LedgerError, SettingsError and OSError."""
        with ExitStack() as undo:
            self._socket = undo.enter_context(listen(settings.console))
            self.house = open_it(settings, on_failure=self.stop)
            undo.pop_all()
        self._serving = Serving(site(self.house), settings.console, self.house.watch.let_go)

    def run(self) -> None:
        """Serves until stopped; a signal stops it, too."""
        try:
            self.house.watch.start()
            self._serving.run(sockets=[self._socket])
        finally:
            self.house.close()
            self._socket.close()

    def stop(self) -> None:
        """Lets `run` return; from any thread."""
        self._serving.stop()
