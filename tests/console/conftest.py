"""The console as it runs, on loopback, and somebody who visits it."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "e2e"))  # whole worlds, for the console over real sessions

from customer import Public, give_slips
from rehearsed import Rehearsed
from town import NAMES, Town
from visitor import NOW, Console

from central.console.tallies import claims_of
from central.custody import Facts
from central.ledger import Ledger
from provisioning.__main__ import free_port
from provisioning.demo import DemoAuthority, create_demo_authority


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process for all of them: the town is filled once."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("console"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", action="store_true", help="writes docs/console/*.png")


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    """An authority whose ledger holds three days of a town; only to be read."""
    made = create_demo_authority(tmp_path_factory.mktemp("town"), NAMES, port=1)
    with Town(made, NOW) as town:
        town.fill(days=2, each_day=110)
    return made


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    """Real sessions in a real ledger; broker, central and a terminal still run."""
    made = Rehearsed(tmp_path_factory.mktemp("rehearsed"))
    try:
        made.open()
        made.fill()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def real(rehearsed: Rehearsed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console on the ledger of the real sessions, with the clock of this machine."""
    started = Console(rehearsed.world.made, tmp_path_factory.mktemp("real"), None)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def real_public(rehearsed: Rehearsed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Public]:
    """The public page on the same ledger."""
    started = Public(rehearsed.world.made, tmp_path_factory.mktemp("real-public"))
    started.clock.now = time.time()
    yield started
    started.stop()


@pytest.fixture
def console(filled: DemoAuthority, tmp_path: Path) -> Iterator[Console]:
    """A console on the town's ledger, with a store of its own; nobody has an account."""
    started = Console(filled, tmp_path, NOW)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def shared(filled: DemoAuthority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One for tests that change nothing."""
    started = Console(filled, tmp_path_factory.mktemp("shared"), NOW)
    yield started
    started.stop()


@pytest.fixture
def own_town(filled: DemoAuthority, tmp_path: Path) -> Iterator[Callable[[], tuple[Town, Console]]]:
    """A copy of the town that a test may change, with a console."""
    opened: list[Town | Console] = []

    def make() -> tuple[Town, Console]:
        made = copy_town(filled, tmp_path / "own")
        town = Town(made, NOW).resumed()
        console = Console(made, tmp_path, NOW)
        opened.extend((console, town))
        return town, console

    yield make
    for one in opened:
        one.close()


def copy_town(filled: DemoAuthority, folder: Path) -> DemoAuthority:
    shutil.copytree(filled.folder, folder)
    return DemoAuthority(
        folder,
        free_port(),
        folder / "broker" / "mosquitto.conf",
        folder / "central" / "central.yaml",
        {name: folder / "terminals" / name for name in NAMES},
        filled.authority,
    )


@pytest.fixture(scope="session")
def slips(filled: DemoAuthority, tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    """A copy of the town in which customers went away with slips; only to be read."""
    made = copy_town(filled, tmp_path_factory.mktemp("slips") / "town")
    with Town(made, NOW) as town:
        give_slips(town.resumed())
    return made


@pytest.fixture
def public(slips: DemoAuthority, tmp_path: Path) -> Iterator[Public]:
    """The public page on it, with a store of its own."""
    started = Public(slips, tmp_path)
    yield started
    started.stop()


@pytest.fixture
def own_public(own_town, tmp_path: Path) -> Iterator[Callable[[], tuple[Town, Console, Public]]]:
    """A town with slips that a test may change, with a console and a public page."""
    opened: list[Public] = []

    def make() -> tuple[Town, Console, Public]:
        town, console = own_town()
        give_slips(town)
        opened.append(Public(town.made, tmp_path))
        return town, console, opened[0]

    yield make
    for one in opened:
        one.stop()


@pytest.fixture(scope="session")
def held(filled):
    """Everything in the town's ledger."""
    ledger = Ledger(filled.central.parent / "ledger.sqlite", read_only=True)
    yield ledger.latest(10_000)
    ledger.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def twin(request, filled):
    """The town's ledger in each of the two databases."""
    if request.param == "sqlite":
        ledger = Ledger(filled.central.parent / "ledger.sqlite", read_only=True)
    else:
        address = request.getfixturevalue("postgresql").address()
        copy_ledger(filled.central.parent / "ledger.sqlite", address)
        ledger = Ledger(address, read_only=True)
    yield ledger
    ledger.close()


@pytest.fixture
def address(filled, postgresql):
    """The town's ledger in PostgreSQL, for a test that changes it."""
    made = postgresql.address()
    copy_ledger(filled.central.parent / "ledger.sqlite", made)
    return made


@pytest.fixture
def slips_address(slips, postgresql):
    """The town with slips in PostgreSQL, for a test that changes it."""
    made = postgresql.address()
    copy_ledger(slips.central.parent / "ledger.sqlite", made)
    return made


def copy_ledger(source, address):
    """The same rows in another database."""
    old, new = Ledger(source, read_only=True), Ledger(address)
    with new.batch():
        new.take([replace(one, facts=Facts.of(claims_of(one.envelope))) for one in old.latest(10_000)])
        for row in old.database.rows("SELECT * FROM requests"):
            new.database.rows("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?)", *row)
        new.change_gaps([], old.gaps())
        for alarm in old.alarms.since(0):
            new.alarms.raise_once(alarm, alarm.raised)
        for table in ("births", "health"):
            for terminal, received, raw in old.database.rows(f"SELECT * FROM {table}"):
                (new.fleet.set_births if table == "births" else new.fleet.set_health)({terminal: raw}, received)
    old.close()
    new.close()
