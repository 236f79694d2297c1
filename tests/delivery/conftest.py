"""A terminal's keys and outbox, made new for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import samples

from device.delivery.keys import TerminalKeys, load_terminal_keys
from device.delivery.outbox import Outbox
from provisioning.demo import DemoAuthority, create_demo_authority


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return create_demo_authority(tmp_path_factory.mktemp("keys"), (samples.TERMINAL, "shop-2"), port=1)


@pytest.fixture
def keys(made: DemoAuthority) -> TerminalKeys:
    return load_terminal_keys(made.terminals[samples.TERMINAL])


@pytest.fixture
def outbox(tmp_path: Path, keys: TerminalKeys) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "outbox.sqlite", samples.TERMINAL, keys.result_key)
    yield opened
    opened.close()
