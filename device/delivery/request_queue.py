"""Requests on their way from the link's thread to the loop."""

from __future__ import annotations

import logging
from queue import Empty, Full, Queue

LOG = logging.getLogger(__name__)
REQUESTS_KEPT = 4  # central repeats what is not answered


class RequestQueue:
    """Requests between the link's thread and the loop. Full is not lost: central repeats."""

    def __init__(self) -> None:
        self._waiting: Queue[bytes] = Queue(REQUESTS_KEPT)

    def put(self, raw: bytes) -> None:
        """Takes an envelope as it came from the broker."""
        try:
            self._waiting.put_nowait(raw)
        except Full:
            LOG.info("request dropped, busy; central repeats it")

    def get(self) -> bytes | None:
        """Returns the oldest waiting envelope."""
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None
