"""systemd notifications over a real socket, and log lines that cannot be forged."""

import logging
import socket

import pytest

from device.service import JournalFormatter, Service


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path):
    """The receiving end, and the address as systemd writes it into the environment."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        if request.param == "path":
            address = str(tmp_path / "notify")
            receiver.bind(address)
        else:
            receiver.bind("")  # the kernel chooses an abstract name
            address = "@" + receiver.getsockname()[1:].decode()
        receiver.settimeout(5.0)
        yield receiver, address


def test_each_notification_is_one_datagram(systemd):
    receiver, address = systemd
    service = Service({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000"})
    service.ready()
    service.status("waiting\nfor a request")
    service.alive()
    service.stopping()
    received = [receiver.recv(256).decode() for _ in range(4)]
    assert received == ["READY=1", "STATUS=waiting for a request", "WATCHDOG=1", "STOPPING=1"]
    assert service.watchdog_s == 3.0


def test_the_watchdog_is_petted_only_where_one_watches(systemd):
    receiver, address = systemd
    service = Service({"NOTIFY_SOCKET": address})
    service.alive()
    service.ready()
    assert receiver.recv(256) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nonexistent/notify"}, {"NOTIFY_SOCKET": "@gone"}])
def test_without_systemd_nothing_happens(environ):
    service = Service({**environ, "WATCHDOG_USEC": "none"})
    service.ready()
    assert service.watchdog_s is None


def record(level: int, message: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = (type(error), error, None) if error else None
    return logging.LogRecord("device.app", level, __file__, 1, message, values, exc_info)


def test_a_log_line_has_a_priority_and_stays_one_line():
    line = JournalFormatter().format(record(logging.WARNING, "request refused id=%s", "a\n<0>forged: b"))
    assert line == "<4>device.app: request refused id=a\\n<0>forged: b"


def test_an_exception_stays_on_the_same_line():
    line = JournalFormatter().format(record(logging.ERROR, "failed", error=ValueError("x\ny")))
    assert "\n" not in line
    assert line.startswith("<3>device.app: failed exception=ValueError: x")


@pytest.mark.parametrize(("level", "priority"), [(10, 7), (20, 6), (30, 4), (40, 3), (50, 2), (5, 7)])
def test_levels_become_priorities(level, priority):
    assert JournalFormatter().format(record(level, "x")).startswith(f"<{priority}>")
