"""Follows the ledger in a thread of its own: counts what is new, keeps the terminals' state, tells open pages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from central.console.fleet import FleetView
from central.console.tallies import Tallies
from central.database import LedgerError
from central.registry import LiveRegistry
from central.web.readers import Readers

LOG = logging.getLogger(__name__)
LOOK_S = 1.0
AFTER_FAULT_S = 5.0


class Watch:
    """One thread; `version` rises whenever a page may look otherwise than before."""

    def __init__(
        self,
        readers: Readers,
        tallies: Tallies,
        fleet: FleetView,
        registry: LiveRegistry,
        *,
        on_failure: Callable[[], None],
        look_s: float = LOOK_S,
    ) -> None:
        self._readers, self._tallies, self._fleet, self._registry = readers, tallies, fleet, registry
        self._on_failure, self._look_s = on_failure, look_s
        self._stopping = threading.Event()
        self._alarms, self._disputes = 0, (0, 0, 0)
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.version = 0
        self.counted = 0

    @property
    def open_disputes(self) -> int:
        """How many customers wait for an answer."""
        return self._disputes[2]

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def let_go(self) -> None:
        """Lets open pages go, before the thread ends."""
        self._stopping.set()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def stopping(self) -> bool:
        """Whether open pages are to let go."""
        return self._stopping.is_set()

    def look(self) -> bool:
        """Takes in some of what is new; returns whether there is more. Raises LedgerError."""
        with self._readers.lend() as ledger:
            counted = self._tallies.advance(ledger)
            changed = self._fleet.refresh(ledger, self._registry.current())
            alarms = int(ledger.database.rows("SELECT count(*) FROM alarms")[0][0])
            disputes = ledger.disputes.state()
            self.counted = self._tallies.progress(ledger)
        if counted or changed or (alarms, disputes) != (self._alarms, self._disputes):
            self._alarms, self._disputes = alarms, disputes
            self.version += 1
        return counted > 0

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._stopping.wait(self._look_patiently())
        except Exception:  # whatever it was: a page that silently stays old is worse than a console that ends
            LOG.exception("the console ends")
            self._on_failure()

    def _look_patiently(self) -> float:
        """Looks; returns how long to wait until the next time."""
        try:
            return 0.0 if self.look() else self._look_s
        except LedgerError as error:
            LOG.error("%s", error)
            return AFTER_FAULT_S
