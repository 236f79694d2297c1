"""Fixtures that every room shares."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from postgresql import Cluster

# In CI the same examples each time: a search that finds something new there would blame whoever came last.
# No deadlines: what a test says does not depend on how busy the machine is.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")

MEDIA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def media() -> Path:
    """The evaluation media: real people, never part of the repository; expected beside the checkout."""
    if not (MEDIA / "CATALOGUE.md").is_file():
        message = f"evaluation media are not at {MEDIA}: this test did not run"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return MEDIA


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A private PostgreSQL, started when the first test asks for it."""
    cluster = Cluster()
    yield cluster
    cluster.stop()
