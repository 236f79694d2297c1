"""The daemon and systemd: notifications over the service's socket, and log lines that journald files well."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import socket
import sys
from collections.abc import Mapping

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7))

_PR_SET_DUMPABLE = 4  # prctl(2)


def keep_memory_to_ourselves() -> None:
    """Faces are in memory only: a crash writes no core, and no other process of the same user may look in."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A core that is piped to a program, as systemd-coredump does it, does not ask for the limit.
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the process cannot be made undumpable")


class Service:
    """Tells systemd how the daemon is (sd_notify(3)); does nothing when systemd did not start it."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        """Takes NOTIFY_SOCKET and WATCHDOG_USEC from the environment."""
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        limit_us = environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(limit_us) / 1e6 if limit_us.isdecimal() and int(limit_us) > 0 else None
        """Seconds between two signs of life at most; None when systemd does not watch."""

    def ready(self) -> None:
        """Start-up is done."""
        self._notify("READY=1")

    def alive(self) -> None:
        """A sign of life; to be called only when the loop really did its work."""
        if self.watchdog_s is not None:
            self._notify("WATCHDOG=1")

    def status(self, sentence: str) -> None:
        """One line for `systemctl status`."""
        self._notify("STATUS=" + " ".join(sentence.split()))

    def stopping(self) -> None:
        """Shut-down has begun."""
        self._notify("STOPPING=1")

    def _notify(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            try:
                channel.sendto(message.encode(), self._address)
            except OSError as error:  # a lost notification must not end a session: the watchdog decides
                logging.getLogger(__name__).debug("systemd was not told errno=%s", error.errno)


class JournalFormatter(logging.Formatter):
    """One line a record: `<priority>module: message`, as sd-daemon(3) has it.

    Messages are written as `what happened key=value key=value`; line breaks in them are escaped, so that no value can
    forge a line of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line; an exception follows on the same one."""
        priority = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
        message = record.getMessage()
        if record.exc_info:
            message += " exception=" + self.formatException(record.exc_info)
        escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
        return f"<{priority}>{record.name}: {escaped}"


def log_to_journal(level: int = logging.INFO) -> None:
    """Sends all log records to standard error in journald's form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
