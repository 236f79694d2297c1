"""Central without a broker, new for each test, on each of the two databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a ledger may be made."""
    if request.param == "sqlite":
        return tmp_path / "ledger.sqlite"
    return request.getfixturevalue("postgresql").address()


@pytest.fixture
def bench(tmp_path: Path, place: Path | str) -> Iterator[Bench]:
    made = Bench(tmp_path, place)
    yield made
    made.ledger.close()
