"""A whole world for each test, stopped at its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from broker import Broker
from world import Central, World

from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority
from tests.slip.conftest import network_printer  # noqa: F401 - a fixture
from tests.voice.conftest import folder, speaking  # noqa: F401 - fixtures


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = create_demo_authority(tmp_path / "keys", ("shop-1", "shop-2"), port=free_port())
    built = World(tmp_path, made, Broker(made), Central(made.central))
    try:
        yield built
    finally:
        built.close()


@pytest.fixture
def running(world: World) -> World:
    """The world with broker and central running."""
    world.broker.start()
    world.central.start()
    return world


@pytest.fixture
def rehearsing(tmp_path: Path) -> Iterator[World]:
    """A running world of one terminal, in which results of rehearsals count."""
    made = create_demo_authority(tmp_path / "keys", ("shop-1",), port=free_port(), rehearsal=True)
    built = World(tmp_path, made, Broker(made), Central(made.central))
    built.broker.start()
    built.central.start()
    try:
        yield built
    finally:
        built.close()
