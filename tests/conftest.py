"""Fixtures that every room shares."""

import os
from pathlib import Path

import pytest

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
