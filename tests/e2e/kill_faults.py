"""What the kill test does to disks: fills them while everything works, and damages outbox and ledger."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from kill_house import House, KillTestError, Shop

from central.commands.options import TRY_AGAIN
from device.delivery.keys import CHAIN_EPOCH, load_terminal_keys
from device.delivery.outbox import Outbox
from device.wire.anchor import AnchorClaims
from device.wire.fields import decode_base64url

PAGE = 4096
DISK_MIB = {"outbox": 4, "ledger": 16}
REFUSALS = 5


@contextmanager
def small_disks(folder: Path, terminals: int) -> Iterator[bool]:
    """Gives ledger and outboxes small file systems of their own; yields False where nobody may mount them."""
    places = {folder / "ledger": DISK_MIB["ledger"]}
    places |= {folder / "outbox" / f"shop-{n}": DISK_MIB["outbox"] for n in range(1, terminals + 1)}
    mounted: list[Path] = []
    try:
        for place, size in places.items():
            place.mkdir(parents=True, exist_ok=True)
            command = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(place)]
            if subprocess.run(command, check=False, capture_output=True).returncode != 0:
                yield False
                return
            mounted.append(place)
        yield True
    finally:
        for place in mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Takes the last byte of a disk, and gives it back."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(PAGE)):
                pass
        except OSError:
            pass
    yield
    ballast.unlink()


def full_disks(house: House, chance: random.Random) -> str:
    """Fills each disk in turn, kills whoever works on it while it is full, and lets go."""
    for shop in chance.sample(house.shops, len(house.shops)):
        with full(shop.outbox.parent):
            _refuses(house, shop, "full")
            shop.kill()
            shop.start()
            _refuses(house, shop, "full")
        made = len(shop.made)
        house.news.wait_for(lambda shop=shop, made=made: len(shop.made) > made, f"{shop.name} goes on with room again")
    refused = sum(len(shop.refused) for shop in house.shops)
    ended = _full_ledger(house) if house.embedded else 0
    return (
        f"disks full: {refused} results refused by {len(house.shops)} outboxes and told, none lost; "
        f"workers of central ended {ended} times, receipted nothing that they could not write, and went on"
    )


def _full_ledger(house: House) -> int:
    """Central cannot write: it ends with one line, and nothing that it did not write is receipted."""
    ended = 0
    with full(house.folder / "ledger"):
        for worker in house.workers:
            for _ in range(2):  # and again, when systemd starts it on the disk that is still full
                house.news.wait_for(lambda worker=worker: worker.ended, f"{worker.name} ends on a full disk")
                _ended_with_one_line(worker)
                worker.start()
                ended += 1
    for worker in house.workers:
        worker.kill()
        worker.start()
    return ended


def _ended_with_one_line(worker: object) -> None:
    status, lines = worker.join(), worker.lines
    told = "the ledger cannot be used" in lines[-1] and not any("Traceback" in line for line in lines)
    if status != TRY_AGAIN or not told:
        raise KillTestError(f"{worker.name} ended with {status}: {lines}")


def _refuses(house: House, shop: Shop, state: str) -> None:
    goal = len(shop.refused) + REFUSALS
    house.news.wait_for(lambda: len(shop.refused) >= goal or shop.ended, f"{shop.name} refuses, {state}")
    if shop.ended or set(shop.refused[goal - REFUSALS :]) != {state}:
        raise KillTestError(f"{shop.name} does not say {state}: {shop.refused[goal - REFUSALS :]}")


def damaged_outbox(house: House, chance: random.Random) -> str:
    """Damages an outbox in which results wait: it says so and makes nothing; a new epoch goes on, approved."""
    shop = chance.choice(house.shops)
    house.start()
    house.work(20)
    for worker in house.workers:
        worker.kill()
    goal = len(shop.made) + 10
    house.news.wait_for(lambda: len(shop.made) >= goal, "results that wait")
    shop.kill()
    told, waiting = len(shop.made), _waiting(shop, house.folder / "copy")
    _damage(shop.outbox, chance)
    damaged = _digest(shop.outbox)
    shop.start()
    _refuses(house, shop, "damaged")
    shop.kill()
    if len(shop.made) != told or _digest(shop.outbox) != damaged:
        raise KillTestError(f"{shop.name} went on in a damaged outbox, or changed it")
    _begin_epoch(house, shop)
    for program in (*house.workers, shop):
        program.start()
    house.news.wait_for(lambda: len(shop.made) > told, "results in the new epoch")
    house.drain()
    return _what_an_epoch_lost(house, shop, told, waiting)


def _waiting(shop: Shop, copy: Path) -> set[str]:
    """What only the outbox holds."""
    for suffix in ("", "-wal"):
        shutil.copy(f"{shop.outbox}{suffix}", f"{copy}{suffix}")
    keys = load_terminal_keys(shop.keys)
    outbox = Outbox(copy, keys.terminal, keys.result_key)
    try:
        return {row.sha256 for row in outbox.waiting(10_000)}
    finally:
        outbox.close()


def _begin_epoch(house: House, shop: Shop) -> None:
    """What docs/delivery.md tells central's team and the technician to do."""
    for suffix in ("", "-wal", "-shm"):
        path = Path(f"{shop.outbox}{suffix}")
        if path.exists():
            path.rename(f"{shop.outbox}-damaged{suffix}")
    registry = house.made.central.parent / "registry.yaml"
    entries = yaml.safe_load(registry.read_text())
    entries["terminals"][shop.name]["epoch"] = 2
    registry.write_text(yaml.safe_dump(entries))
    (shop.keys / CHAIN_EPOCH).write_text("2\n")


def _what_an_epoch_lost(house: House, shop: Shop, told: int, waiting: set[str]) -> str:
    """Only what waited in the damaged file is missing, and central shows the break."""
    with house.opened_ledger() as ledger:
        query = "SELECT sha256 FROM journal WHERE terminal = ? AND linked AND verdict = 'accepted'"
        held = {sha256 for (sha256,) in ledger.database.rows(query, shop.name)}
        (anchor,) = [custody for custody in ledger.anchors() if custody.terminal == shop.name]
    missing = {sha256 for sha256 in shop.made if sha256 not in held}
    if not missing or not missing <= waiting or not anchor.linked:
        raise KillTestError(f"{shop.name}: {len(missing - waiting)} results are missing, anchor {anchor.verdict}")
    reason = AnchorClaims.read(decode_base64url(anchor.envelope.split(b".")[1].decode())).reason
    return (
        f"outbox damaged: told as damaged, kept as it was, no session; {len(missing)} results waited in it alone, the "
        f"others are held; epoch 2 began with an anchor ({reason}) and {len(shop.made) - told} results, all accepted"
    )


def damaged_ledger(house: House, chance: random.Random) -> str:
    """Damages the ledger: central ends and receipts nothing; from a copy it goes on, and shows what the copy lacks."""
    ledger = Path(house.ledger)
    copy = ledger.read_bytes()
    with house.opened_ledger() as held:
        before = {shop.name: _newest(held, shop.name) for shop in house.shops}
        old_gaps = held.gaps()
    house.start()
    house.work(20)
    house.drain()
    with house.opened_ledger() as held:
        after = {shop.name: _newest(held, shop.name) for shop in house.shops}
    _damage(ledger, chance)
    house.start()
    for worker in house.workers:
        house.news.wait_for(lambda worker=worker: worker.ended, f"{worker.name} ends with a damaged ledger")
        _ended_with_one_line(worker)
    house.work(20)
    _restore(ledger, copy)
    for worker in house.workers:
        worker.start()
    house.drain()
    with house.opened_ledger() as held:
        gaps = {(gap.terminal, gap.epoch, gap.first, gap.last) for gap in held.gaps() if gap not in old_gaps}
    lost = {(n, e, before[n][1] + 1, after[n][1]) for n, (e, _) in after.items() if before[n] != after[n]}
    if gaps != lost:
        raise KillTestError(f"the copy lacks {sorted(lost)}, central shows {sorted(gaps)}")
    count = sum(last - first + 1 for _, _, first, last in lost)
    return (
        f"ledger damaged: central ended with one line and receipted nothing; from a copy it went on, and shows the "
        f"{count} results that the copy lacks as {len(lost)} gaps; what came meanwhile was accepted"
    )


def _newest(ledger: object, terminal: str) -> tuple[int, int]:
    query = "SELECT epoch, seq FROM journal WHERE terminal = ? AND linked ORDER BY epoch DESC, seq DESC LIMIT 1"
    return tuple(ledger.database.rows(query, terminal)[0])


def _damage(path: Path, chance: random.Random) -> None:
    """Overwrites every page but the first, in the file and in its log."""
    for name in (path, Path(f"{path}-wal")):
        if name.exists():
            raw = name.read_bytes()
            name.write_bytes(raw[:PAGE] + chance.randbytes(max(0, len(raw) - PAGE)))


def _restore(path: Path, copy: bytes) -> None:
    for name in (Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)
    path.write_bytes(copy)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
