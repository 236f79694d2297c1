"""The outbox on a disk that fails: full, read-only, moved away; each is a state, and it comes back by itself."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import samples

from device.admission import CLOCK
from device.delivery.clocks import TerminalClock
from device.delivery.commands import OBEYED, _read_obeyed
from device.delivery.database import (
    DISK_RESERVE_BYTES,
    OutboxCorruptError,
    OutboxFullError,
    OutboxReadOnlyError,
    OutboxState,
)
from device.delivery.keys import TerminalKeys
from device.delivery.outbox import OFFLINE_SESSIONS, Outbox
from device.wire.chain import ChainHead

EVIDENCE = bytes(90_000)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here: this test did not run")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Takes the last byte of a disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return ballast
    raise AssertionError("the disk is not full")


def made_in(folder: Path, keys: TerminalKeys, **options: int) -> Outbox:
    return Outbox(folder / "outbox.sqlite", samples.TERMINAL, keys.result_key, **options)


def test_a_full_disk_is_a_state_and_ends_by_itself(disk, keys):
    outbox = made_in(disk, keys)
    told = [outbox.append(samples.result).sha256]
    assert outbox.check().state is OutboxState.OK
    ballast = fill(disk)
    status = outbox.check()
    assert (status.state, status.waiting) == (OutboxState.FULL, 1)
    assert "free space on the disk" in status.sentence
    with pytest.raises(OutboxFullError):
        for _ in range(1000):
            told.append(outbox.append(samples.result, evidence=EVIDENCE).sha256)
    assert [row.sha256 for row in outbox.waiting(1)] == told[:1]
    assert outbox.head().sha256 == told[-1]
    ballast.unlink()
    assert outbox.check().state is OutboxState.OK
    told.append(outbox.append(samples.result).sha256)
    assert [row.sha256 for row in outbox.waiting(1000)] == told
    outbox.close()


def test_a_small_disk_is_not_filled_by_the_log(disk, keys):
    outbox = made_in(disk, keys)
    for _ in range(250):  # each leaves some 20 kB in the log
        row = outbox.append(samples.result)
        outbox.remove([(1, outbox.head().seq, row.sha256)])
    assert outbox.check().state is OutboxState.OK
    outbox.close()


def test_a_receipt_that_finds_no_room_leaves_the_row_and_works_later(disk, keys):
    outbox = made_in(disk, keys)
    receipts = [(1, seq, outbox.append(samples.result).sha256) for seq in range(1, 21)]
    ballast = fill(disk)
    with pytest.raises(OutboxFullError):
        for receipt in receipts:
            outbox.remove([receipt])
    assert outbox.depth() >= 1
    ballast.unlink()
    outbox.remove(receipts)
    assert (outbox.check().state, outbox.depth()) == (OutboxState.OK, 0)
    outbox.close()


def test_a_disk_that_was_full_at_the_start_is_used_when_there_is_room(disk, keys):
    ballast = fill(disk)
    outbox = made_in(disk, keys)
    assert outbox.check().state is OutboxState.FULL
    ballast.unlink()
    assert outbox.check().state is OutboxState.OK
    outbox.append(samples.result)
    outbox.close()


def test_too_little_room_for_a_session_counts_as_full(disk, keys):
    outbox = made_in(disk, keys)
    outbox.append(samples.result)
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(room - DISK_RESERVE_BYTES + 64 * 1024))
    assert outbox.check().state is OutboxState.FULL
    # ... and a session that began before finds room for its result.
    outbox.append(samples.result, evidence=EVIDENCE)
    outbox.close()


def test_a_disk_that_became_read_only_is_a_state_and_ends_by_itself(disk, keys):
    outbox = made_in(disk, keys)
    outbox.append(samples.result)
    outbox.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert outbox.check().state is OutboxState.READ_ONLY
    with pytest.raises(OutboxReadOnlyError):
        outbox.append(samples.result)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert outbox.check().state is OutboxState.OK
    assert outbox.append(samples.result) and outbox.depth() == 2
    outbox.close()


def test_a_full_share_of_the_disk_is_a_state_that_receipts_end(tmp_path, keys):
    outbox = made_in(tmp_path, keys, max_bytes=512 * 1024)
    assert outbox.check().state is OutboxState.OK
    with pytest.raises(OutboxFullError):
        while True:
            outbox.append(samples.result, evidence=EVIDENCE)
    assert outbox.check().state is OutboxState.FULL
    while outbox.check().waiting:
        outbox.remove((row.place.epoch, row.place.seq, row.sha256) for row in outbox.waiting(10))
    assert outbox.check().state is OutboxState.OK
    outbox.close()


def test_a_file_that_is_moved_away_under_it_is_not_begun_anew(tmp_path, keys):
    outbox, path = made_in(tmp_path, keys), tmp_path / "outbox.sqlite"
    first = outbox.append(samples.result)
    away = tmp_path / "away"
    path.rename(away)
    for _ in range(2):
        with pytest.raises(OutboxCorruptError, match="moved or replaced"):
            outbox.append(samples.result)
    assert not path.exists()
    shutil.copy(away, path)
    assert outbox.check().state is OutboxState.DAMAGED
    away.rename(path)
    assert outbox.check().state is OutboxState.OK
    assert outbox.head() == ChainHead(1, 1, first.sha256)
    outbox.close()


def test_damage_under_way_is_a_state_and_the_file_is_kept(tmp_path, keys):
    outbox, path = made_in(tmp_path, keys), tmp_path / "outbox.sqlite"
    for _ in range(30):
        outbox.append(samples.result)
    outbox.close()
    good = path.read_bytes()
    path.write_bytes(good[:8192] + b"\xa5" * (len(good) - 8192))
    assert outbox.check().state is OutboxState.DAMAGED
    path.write_bytes(good)
    assert outbox.check() == made_in(tmp_path, keys).check()
    outbox.close()


def test_an_outbox_in_a_folder_that_is_not_there_is_told(tmp_path, keys):
    status = made_in(tmp_path / "none", keys).check()
    assert status.state is OutboxState.READ_ONLY and "No such file" in status.sentence
    assert status.waiting is None


def test_the_status_tells_how_much_waits_and_since_when(tmp_path, keys):
    outbox = made_in(tmp_path, keys)
    assert (outbox.check().waiting, outbox.check().oldest) == (0, None)
    outbox.append(samples.result)
    outbox.append(lambda position: samples.result(position, iat=samples.NOW + 9))
    status = outbox.check()
    assert (status.waiting, status.oldest) == (2, samples.NOW)
    assert status.sentence == "2 results wait for a receipt"
    used, free = outbox.sizes()
    assert used > 8192 and free > DISK_RESERVE_BYTES
    outbox.close()


@pytest.mark.parametrize("value", ["", "x", "[", "[1]", "[1, 2]", "null", '[1, [["a"]]]', "[" * 5000])
def test_what_was_remembered_and_cannot_be_read_is_damage(outbox, value):
    outbox.remember({OBEYED: value, CLOCK: value, OFFLINE_SESSIONS: value})
    for name, read in (
        (OBEYED, _read_obeyed),
        (CLOCK, partial(TerminalClock().resume, boot="b")),
        (OFFLINE_SESSIONS, int),
    ):
        with pytest.raises(OutboxCorruptError, match="is damaged"):
            outbox.recall(name, read)


def test_an_envelope_with_other_bytes_in_a_sound_page_is_damage(outbox):
    outbox.append(samples.result)
    assert outbox.check().state is OutboxState.OK
    with outbox._database.transaction() as database:
        database.execute("UPDATE results SET envelope = zeroblob(length(envelope))")
    assert outbox.check().state is OutboxState.DAMAGED
