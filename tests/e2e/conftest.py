"""A whole world for each test, stopped at its end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from broker import Broker
from counter import Counter
from world import Central, World

from device.vision.assembly import Vision, load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
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


@pytest.fixture(scope="session")
def vision() -> Vision:
    return load_vision(default_directory(), preferred_runtime())


@pytest.fixture
def counter(rehearsing: World, vision: Vision) -> Iterator[Callable[..., Counter]]:
    """Makes terminals on counters of `rehearsing`; takes what `Counter` takes after world and vision."""
    made: list[Counter] = []

    def make(*arguments, **settings) -> Counter:
        made.append(Counter(rehearsing, vision, *arguments, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
