"""The outbox: what was appended is there, chained and whole, whatever happens to process, disk and file."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.delivery.database import (
    OutboxCorruptError,
    OutboxFullError,
    OutboxMismatchError,
    OutboxReadOnlyError,
    OutboxState,
)
from device.delivery.keys import load_terminal_keys
from device.delivery.outbox import Outbox
from device.delivery.rows import Place, WaitingEnvelope
from device.wire.chain import GENESIS, ChainHead
from device.wire.claims import ResultClaims
from device.wire.envelope import Kind, SigningKey, open_envelope


def assert_whole(outbox: Outbox, key: SigningKey, first: ChainHead = ChainHead(1)) -> int:  # noqa: B008  frozen
    """Checks every waiting result's signature and place; returns how many there are."""
    head = first
    waiting = outbox.waiting(100_000)
    for row in waiting:
        claims = ResultClaims.read(
            open_envelope(row.envelope, Kind.RESULT, {key.kid: key.private.public_key()}).payload
        )
        position = head.next()
        assert (claims.epoch, claims.seq, claims.prev) == (position.epoch, position.seq, position.prev)
        head = head.advanced(row.sha256)
    assert outbox.head() == head
    return len(waiting)


def receipts(waiting: list[WaitingEnvelope]) -> list[tuple[int, int, str]]:
    return [(row.place.epoch, row.place.seq, row.sha256) for row in waiting]


def test_results_are_chained_and_signed(outbox, keys):
    assert outbox.head() == ChainHead(1, 0, GENESIS)
    envelopes = [outbox.append(samples.result) for _ in range(5)]
    assert assert_whole(outbox, keys.result_key) == outbox.depth() == 5
    assert [row.envelope for row in outbox.waiting(9)] == [envelope.raw for envelope in envelopes]
    assert [row.place.seq for row in outbox.waiting(2, after=Place(1, 2))] == [3, 4]


def test_the_database_keeps_what_the_design_asks_for(outbox, tmp_path):
    outbox.head()
    assert stat.S_IMODE((tmp_path / "outbox.sqlite").stat().st_mode) == 0o600
    with outbox._database.reading() as connection:
        settings = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete")
        ]
    assert settings == ["wal", 2, 1]


def test_it_is_all_there_after_a_restart(outbox, keys, tmp_path):
    outbox.append(samples.result, remember={"failures": "1"})
    outbox.use("request", "boot")
    outbox.close()
    again = Outbox(tmp_path / "outbox.sqlite", samples.TERMINAL, keys.result_key)
    again.append(samples.result)
    assert assert_whole(again, keys.result_key) == 2
    assert again.recall("failures", str) == "1" and again.is_used("request") and not again.use("request", "boot")
    again.close()


def test_a_row_leaves_by_its_very_place_and_digest(outbox):
    envelope = outbox.append(samples.result)
    assert outbox.remove([(1, 1, "0" * 64), (1, 2, envelope.sha256), (2, 1, envelope.sha256)]) == []
    assert outbox.remove([(1, 1, envelope.sha256)]) == [Place(1, 1)]
    assert outbox.depth() == 0 and outbox.head() == ChainHead(1, 1, envelope.sha256)


def test_a_failed_build_leaves_no_trace(outbox, keys):
    with pytest.raises(ZeroDivisionError):
        outbox.append(lambda position: samples.result(position, uptime_s=1 / 0), remember={"x": "1"})
    with pytest.raises(ValueError, match="chain position"):
        outbox.append(lambda position: samples.result(position, prev="1" * 64), remember={"x": "1"})
    outbox.append(samples.result)
    assert assert_whole(outbox, keys.result_key) == 1 and outbox.recall("x", str) is None


def test_threads_may_append_together(outbox, keys):
    threads = [threading.Thread(target=lambda: [outbox.append(samples.result) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert assert_whole(outbox, keys.result_key) == 40


def test_used_requests_of_other_boots_are_forgotten(outbox):
    assert outbox.use("a", "boot 1")
    assert outbox.use("b", "boot 2")
    assert outbox.is_used("b") and not outbox.is_used("a")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["append", "remove", "reopen"]), max_size=20))
def test_any_order_of_work_keeps_the_chain(keys, steps):
    with tempfile.TemporaryDirectory() as folder:
        path, removed, first = Path(folder) / "outbox", 0, ChainHead(1)
        outbox = Outbox(path, samples.TERMINAL, keys.result_key)
        for step in steps:
            if step == "append":
                outbox.append(samples.result)
            elif step == "remove" and (oldest := outbox.waiting(1)):
                removed += len(outbox.remove(receipts(oldest)))
                first = ChainHead(1, oldest[0].place.seq, oldest[0].sha256)
            elif step == "reopen":
                outbox.close()
                outbox = Outbox(path, samples.TERMINAL, keys.result_key)
        assert assert_whole(outbox, keys.result_key, first) == steps.count("append") - removed
        outbox.close()


WRITER = """
import sys
from pathlib import Path
import samples
from device.delivery.keys import load_terminal_keys
from device.delivery.outbox import Outbox
keys = load_terminal_keys(Path(sys.argv[1]))
outbox = Outbox(Path(sys.argv[2]), samples.TERMINAL, keys.result_key)
while True:
    envelope = outbox.append(samples.result)
    print(envelope.sha256, flush=True)
"""


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 21, 34])
def test_a_kill_at_any_moment_loses_nothing_that_was_told(made, tmp_path, count):
    folder, path = made.terminals[samples.TERMINAL], tmp_path / "outbox"
    environment = os.environ | {"PYTHONPATH": str(Path(samples.__file__).parent)}
    command = [sys.executable, "-c", WRITER, str(folder), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        told = [process.stdout.readline().strip() for _ in range(count)]
        process.send_signal(signal.SIGKILL)  # it is already at work on the next one
        told += process.stdout.read().split()
    key = load_terminal_keys(folder).result_key
    outbox = Outbox(path, samples.TERMINAL, key)
    assert assert_whole(outbox, key) in (len(told), len(told) + 1)
    assert [row.sha256 for row in outbox.waiting(len(told))] == told
    outbox.append(samples.result)
    assert_whole(outbox, key)
    outbox.close()


def test_a_full_outbox_says_so_and_stays_whole(tmp_path, keys):
    outbox = Outbox(tmp_path / "outbox", samples.TERMINAL, keys.result_key, max_bytes=128 * 1024)
    count = 0
    with pytest.raises(OutboxFullError, match="is full: free space"):
        while True:
            outbox.append(samples.result)
            count += 1
    assert assert_whole(outbox, keys.result_key) == count > 5
    outbox.remove(receipts(outbox.waiting(count)))
    outbox.append(samples.result)
    outbox.close()


@pytest.mark.parametrize("damage", [b"not a database at all" * 400, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_says_so(tmp_path, keys, damage):
    path = tmp_path / "outbox"
    path.write_bytes(damage)
    outbox = Outbox(path, samples.TERMINAL, keys.result_key)
    with pytest.raises(OutboxCorruptError, match="is damaged: keep the file"):
        outbox.append(samples.result)
    assert outbox.check().state is OutboxState.DAMAGED
    assert path.read_bytes() == damage


def test_a_damaged_page_says_so(outbox, keys, tmp_path):
    for _ in range(30):
        outbox.append(samples.result)
    outbox.close()
    path = tmp_path / "outbox.sqlite"
    raw = bytearray(path.read_bytes())
    raw[4096 * 2 :] = b"\xa5" * (len(raw) - 4096 * 2)
    path.write_bytes(raw)
    again = Outbox(path, samples.TERMINAL, keys.result_key)
    with pytest.raises(OutboxCorruptError):
        again.head()


def test_a_file_that_cannot_be_written_says_so(keys):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outbox"
        outbox = Outbox(path, samples.TERMINAL, keys.result_key)
        outbox.head()
        outbox.close()
        with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as probe:
            assert probe.execute("SELECT count(*) FROM head").fetchone() == (1,)
        probe.close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        own = os.geteuid()
        try:
            if own == 0:
                os.seteuid(65534)  # root may write everything
            with pytest.raises(OutboxReadOnlyError, match="cannot be"):
                outbox.append(samples.result)
            assert outbox.check().state is OutboxState.READ_ONLY
        finally:
            os.seteuid(own)
            Path(folder).chmod(0o755)
            path.chmod(0o600)
        assert outbox.check().state is OutboxState.OK
        outbox.append(samples.result)
        outbox.close()


def test_another_terminals_or_keys_outbox_is_refused(outbox, keys, tmp_path):
    path = tmp_path / "outbox.sqlite"
    outbox.append(samples.result)
    for terminal, key in (("shop-2", keys.result_key), (samples.TERMINAL, SigningKey(Ed25519PrivateKey.generate()))):
        other = Outbox(path, terminal, key)
        with pytest.raises(OutboxMismatchError, match="belongs to terminal shop-1"):
            other.head()
        assert other.check().state is OutboxState.MISMATCH


def test_results_are_shown_without_their_bytes(outbox):
    outbox.append(samples.result)
    assert "envelope" not in repr(outbox.waiting(1))
