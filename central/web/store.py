"""What a web application keeps of its own, apart from the ledger: an SQLite file of its owner's alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from central.database import Database, migrate
from central.sqlite import SqliteDatabase


class Store:
    """The file, for any number of threads; one at a time."""

    def __init__(
        self,
        path: Path,
        wall: Callable[[], float],
        steps: Sequence[Sequence[str]],
        append_only: Collection[str] = (),
    ) -> None:
        """Opens the file and brings it up to date; raises LedgerError."""
        self._lock = threading.RLock()
        self._database = SqliteDatabase(path)
        try:
            migrate(self._database, int(wall()), steps, append_only)
        except BaseException:
            self._database.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """Everything inside is written together or not at all."""
        with self._lock, self._database.transaction():
            yield self._database

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()
