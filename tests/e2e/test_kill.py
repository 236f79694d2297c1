"""The kill test, short: `tests/e2e/kill --help` runs the long one."""

import argparse

import pytest
from killing import faulty, killed

pytestmark = pytest.mark.broker
SHORT = {"kills": 10, "seed": 4}


def test_no_kill_loses_doubles_or_unchains_a_result(tmp_path):
    told = killed(argparse.Namespace(**SHORT, terminals=3, workers=2), tmp_path, None)
    assert told.startswith("10 kills") and "0 lost, 0 duplicates, 0 chain breaks" in told


def test_full_disks_and_damaged_files_are_told_and_forge_nothing(tmp_path):
    told = faulty(argparse.Namespace(**SHORT, terminals=2, workers=1), tmp_path, None)
    assert [line.partition(":")[0] for line in told[1:]] == ["outbox damaged", "ledger damaged"]
    if told[0].startswith("SKIPPED"):
        pytest.skip(told[0])
