"""Printers that are there, and a terminal's keys and outbox."""

import os
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.slip import printer
from device.slip.settings import SlipSettings
from tests.delivery.conftest import keys, made, outbox  # noqa: F401 - fixtures
from tests.slip.receipt_paper import NetworkPrinter

ADDRESS = "https://check.example.org"


@pytest.fixture
def network_printer(monkeypatch) -> Iterator[Callable[..., NetworkPrinter]]:
    started: list[NetworkPrinter] = []

    def start(status: dict[int, int]) -> NetworkPrinter:
        # Whoever will say nothing is not waited for; an answer may take its time on a busy machine.
        monkeypatch.setattr(printer, "STATUS_S", 20.0 if status else 0.05)
        started.append(NetworkPrinter(status))
        return started[-1]

    yield start
    for one in started:
        if one._listener.fileno() >= 0:
            one.stop()


@pytest.fixture
def line(monkeypatch) -> Iterator[tuple[int, Path]]:
    """A character device that says nothing and takes 4 KiB unless its other end is read: that end, and its path."""
    monkeypatch.setattr(printer, "STATUS_S", 0.05)
    other, descriptor = os.openpty()
    tty.setraw(descriptor)
    yield other, Path(os.ttyname(descriptor))
    os.close(other)
    os.close(descriptor)


@pytest.fixture
def sheet(tmp_path) -> Path:
    """A file as a printer: what is written stays."""
    path = tmp_path / "lp0"
    path.touch()
    return path


@pytest.fixture
def configured() -> Callable[..., SlipSettings]:
    def make(**settings) -> SlipSettings:
        return SlipSettings(address=ADDRESS, **settings)

    return make
