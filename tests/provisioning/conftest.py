"""The shop that most tests here begin with, and a folder in which a thousand fsyncs take no minute."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.provisioning.shop import open_shop

MEMORY = Path("/dev/shm")


@pytest.fixture
def quick(tmp_path):
    """A folder in memory where there is one: what is tested is the order of changes, not the disk."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(dir=MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def shop(quick):
    opened = open_shop(quick)
    yield opened
    opened.records.close()
