"""Connections that only read the ledger, lent to whoever makes a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue

from central.database import LedgerError
from central.ledger import Ledger


class Readers:
    """As many connections as are needed at once; the database itself refuses to write on them."""

    def __init__(self, place: Path | str) -> None:
        """Opens a first one; raises LedgerError."""
        self._place = place
        self._idle: LifoQueue[Ledger] = LifoQueue()
        self._idle.put(Ledger(place, read_only=True))

    @contextmanager
    def lend(self) -> Iterator[Ledger]:
        """A ledger for one thread; raises LedgerError."""
        try:
            ledger = self._idle.get_nowait()
        except Empty:
            ledger = Ledger(self._place, read_only=True)
        try:
            yield ledger
        except LedgerError:  # perhaps the connections are gone: whoever comes next begins anew
            ledger.close()
            self.close()
            raise
        except BaseException:
            self._idle.put(ledger)
            raise
        self._idle.put(ledger)

    def close(self) -> None:
        """Closes those that nobody uses."""
        while not self._idle.empty():
            self._idle.get().close()
