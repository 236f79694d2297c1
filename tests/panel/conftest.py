"""A real panel on gpiozero's mock pins."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from gpiozero.pins.mock import MockFactory

from device.panel.gpio import Panel, PinMap, PinReader, mock_factory


@dataclass
class Desk:
    """A panel, what reads its pins, and the pins."""

    pins: PinMap
    factory: MockFactory
    panel: Panel
    reader: PinReader


@pytest.fixture(params=[True, False], ids=["active-high", "active-low"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    pins, factory = PinMap(active_high=request.param), mock_factory()
    panel = Panel(pins, factory)
    yield Desk(pins, factory, panel, PinReader(pins, factory))
    panel.close()
    factory.close()
