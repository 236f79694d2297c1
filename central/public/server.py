"""The public page as it runs."""

from __future__ import annotations

import time
from contextlib import ExitStack

from central.config import CentralSettings
from central.public.house import House, Wall
from central.public.site import site
from central.web.server import Serving, listen


class Server:
    """The house, and the server before it."""

    def __init__(self, settings: CentralSettings, wall: Wall = time.time) -> None:
        """Opens everything and takes the port; raises LedgerError, SettingsError and OSError."""
        with ExitStack() as undo:
            self._socket = undo.enter_context(listen(settings.public))
            self.house = House(settings, wall)
            undo.pop_all()
        self._serving = Serving(site(self.house), settings.public)

    def run(self) -> None:
        """Serves until stopped; a signal stops it, too."""
        try:
            self._serving.run(sockets=[self._socket])
        finally:
            self.house.close()
            self._socket.close()

    def stop(self) -> None:
        """Lets `run` return; from any thread."""
        self._serving.stop()
