"""Messages on their way from the link's thread to the loop."""

from __future__ import annotations

import logging
from queue import Empty, Full, Queue

LOG = logging.getLogger(__name__)
KEPT = 4  # central repeats what is not answered


class Inbox:
    """Envelopes of one kind between the link's thread and the loop. Full is not lost: central repeats."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._waiting: Queue[bytes] = Queue(KEPT)

    def put(self, raw: bytes) -> None:
        """Takes an envelope as it came from the broker."""
        try:
            self._waiting.put_nowait(raw)
        except Full:
            LOG.info("%s dropped, busy; central repeats it", self._kind)

    def get(self) -> bytes | None:
        """Returns the oldest waiting envelope."""
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None
