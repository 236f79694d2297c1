"""The table in docs/security.md: each test that it names exists."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROWS = [
    line.split(" | ") for line in (REPOSITORY / "docs" / "security.md").read_text().splitlines() if "| `tests/" in line
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip("| ")[:40] for row in ROWS])
def test_each_attack_is_played_by_a_test_that_exists(row):
    file = None
    named = re.findall(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`", row[1])
    assert named and row[2].strip(" |")
    for path, name in named:
        file = path or file
        assert f"def {name}(" in (REPOSITORY / file).read_text(), f"{file}::{name}"


def test_every_attack_of_the_design_is_there():
    assert len(ROWS) >= 22
