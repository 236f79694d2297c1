"""The kill test: whatever is killed, and whenever, no result is lost, doubled or out of its chain.

Terminals make results without a pause; terminals, workers of central and the broker are killed at random moments,
which are counted in results and not in seconds, and started again. At the end every result that was made has one row
in the ledger, accepted and linked. `--seed` repeats who is killed when; what the processes do meanwhile is their own.

Example: tests/e2e/kill --kills 300 --faults --postgresql
"""

from __future__ import annotations

import argparse
import hashlib
import random
import secrets
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from kill_faults import damaged_ledger, damaged_outbox, full_disks, small_disks
from kill_house import House, KillTestError
from postgresql import Cluster

from central.heads import RULE
from central.ledger import Ledger
from device.delivery.keys import load_terminal_keys
from device.delivery.outbox import Outbox
from device.wire.chain import ChainHead
from device.wire.claims import ResultClaims
from device.wire.fields import decode_base64url

MEAN_RESULTS_BETWEEN = 20
MEAN_RESULTS_DOWN = 8
LEDGER_PAGE = 1000


@dataclass
class Tally:
    """What a run came to."""

    kills: Counter[str] = field(default_factory=Counter)
    made: int = 0
    evidence: int = 0
    rows: int = 0
    received: int = 0
    refused_by_outbox: int = 0

    def __str__(self) -> str:
        killed = ", ".join(f"{count} x {what}" for what, count in sorted(self.kills.items()))
        return (
            f"{sum(self.kills.values())} kills ({killed}): {self.made} results made, {self.rows} rows in the ledger, "
            f"{self.evidence} with evidence; 0 lost, 0 duplicates, 0 chain breaks; at least "
            f"{self.received - self.rows - self.evidence} redeliveries absorbed"
        )


def shake(house: House, kills: int, chance: random.Random) -> Tally:
    """Kills so many times; what is killed stays down while others go on, and may be joined by the next."""
    tally = Tally()
    for _ in range(kills):
        house.work(chance.randrange(2 * MEAN_RESULTS_BETWEEN))
        what, kill, start = _victim(house, chance)
        tally.kills[what] += 1
        kill()
        house.work(chance.randrange(2 * MEAN_RESULTS_DOWN))
        start()
    return tally


def _victim(house: House, chance: random.Random) -> tuple[str, Callable[[], None], Callable[[], None]]:
    kind = chance.choice(("terminal", "central", "broker"))
    if kind == "broker":
        by_force = chance.random() < 0.5
        name = "broker SIGKILL" if by_force else "broker SIGTERM"
        return name, lambda: house.broker.stop(kill=by_force), house.broker.start
    program = chance.choice(house.shops if kind == "terminal" else house.workers)
    return f"{kind} SIGKILL", lambda: program.kill(signal.SIGKILL), program.start


def check(house: House, tally: Tally) -> Tally:
    """Holds what was made against the ledger; raises KillTestError for the first difference."""
    with house.opened_ledger() as ledger:
        for shop in house.shops:
            head = _head(shop.keys, shop.outbox)
            tally.made += head.seq
            tally.refused_by_outbox += len(shop.refused)
            tally.rows += _check_chain(ledger, shop.name, head, set(shop.made))
            tally.evidence += _check_evidence(ledger, shop.name, shop.evidence)
        (journal,) = ledger.database.rows("SELECT count(*) FROM journal")[0]
        for what, found in (
            ("rows of nobody's", journal - tally.rows),
            ("gaps", ledger.gaps()),
            ("messages refused", ledger.refusals()),
            ("alarms about chains", [alarm.sentence for alarm in ledger.alarms.since(0) if alarm.rule == RULE]),
        ):
            if found:
                raise KillTestError(f"{what}: {found}")
    tally.received = sum(worker.taken for worker in house.workers)
    return tally


def _head(keys: Path, path: Path) -> ChainHead:
    loaded = load_terminal_keys(keys)
    outbox = Outbox(path, loaded.terminal, loaded.result_key, epoch=loaded.epoch)
    try:
        if outbox.depth():
            raise KillTestError(f"{loaded.terminal}: {outbox.depth()} envelopes without a receipt")
        return outbox.head()
    finally:
        outbox.close()


def _check_chain(ledger: Ledger, terminal: str, head: ChainHead, told: set[str]) -> int:
    """Every place of the chain once, each row naming the one before, the last one being the outbox's head."""
    query = """SELECT seq, sha256, prev, linked, verdict, envelope FROM journal
        JOIN results ON results.number = journal.number WHERE terminal = ? ORDER BY seq"""
    rows, before, digests = ledger.database.rows(query, terminal), ChainHead(1), set()
    for seq, sha256, prev, linked, verdict, envelope in rows:
        claims = ResultClaims.read(decode_base64url(bytes(envelope).split(b".")[1].decode()))
        stated = (claims.seq, claims.prev, hashlib.sha256(envelope).hexdigest())
        if (seq, prev) != (before.seq + 1, before.sha256) or stated != (seq, prev, sha256):
            raise KillTestError(f"{terminal}: the chain breaks at {seq}, after {before.seq}")
        if not linked or verdict != "accepted":
            raise KillTestError(f"{terminal}: {seq} is {verdict}")
        before = ChainHead(1, seq, sha256)
        digests.add(sha256)
    if before != head:
        raise KillTestError(f"{terminal}: made {head.seq} results, the ledger has {before.seq}")
    if told - digests:
        raise KillTestError(f"{terminal}: {len(told - digests)} results were told and are lost")
    return len(rows)


def _check_evidence(ledger: Ledger, terminal: str, told: set[str]) -> int:
    query = """SELECT j.sha256, evidence.verdict FROM evidence
        LEFT JOIN journal AS j ON j.terminal = evidence.terminal AND j.epoch = evidence.epoch AND j.seq = evidence.seq
        WHERE evidence.terminal = ?"""
    held = ledger.database.rows(query, terminal)
    results = {sha256 for sha256, _ in held}
    if len(results) != len(held) or any(verdict != "accepted" for _, verdict in held) or told - results:
        raise KillTestError(f"{terminal}: evidence of {len(told)} results was told, {len(held)} rows: {held[:3]}")
    return len(held)


def killed(options: argparse.Namespace, folder: Path, ledger: str | None) -> str:
    """Kills; returns what is to be told."""
    with _house(options, folder, ledger) as house:
        began = monotonic()
        house.start()
        tally = shake(house, options.kills, random.Random(options.seed))
        house.drain()
        return f"{check(house, tally)}; {monotonic() - began:.0f} s"


def faulty(options: argparse.Namespace, folder: Path, ledger: str | None) -> list[str]:
    """Fills and damages; returns what is to be told."""
    chance, told = random.Random(options.seed), []
    with small_disks(folder, options.terminals) as small, _house(options, folder, ledger) as house:
        house.start()
        house.work(MEAN_RESULTS_BETWEEN)
        told.append(full_disks(house, chance) if small else "SKIPPED, no disk was filled: only root may mount one")
        house.drain()
        check(house, Tally())
        told.append(damaged_outbox(house, chance))
        if house.embedded:
            told.append(damaged_ledger(house, chance))
    return told


@contextmanager
def _house(options: argparse.Namespace, folder: Path, ledger: str | None) -> Iterator[House]:
    house = House(folder, terminals=options.terminals, workers=options.workers, seed=options.seed, ledger=ledger)
    try:
        yield house
    finally:
        house.close()


def main() -> int:
    """Runs the test; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="tests/e2e/kill", description=__doc__.partition("\n")[0], epilog=__doc__.rpartition("\n\n")[2]
    )
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="how many (20)")
    parser.add_argument("--terminals", type=int, default=3, metavar="N", help="how many (3)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes of central (2)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), metavar="N", help="repeats a run")
    parser.add_argument("--faults", action="store_true", help="then fill the disks, and damage outbox and ledger")
    parser.add_argument("--postgresql", action="store_true", help="the ledger in a PostgreSQL of its own")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="likeness-kill-")))
        cluster = Cluster(durable=True) if options.postgresql else None
        if cluster:
            stack.callback(cluster.stop)
        try:
            print(killed(options, folder / "kills", cluster and cluster.address()), flush=True)
            if options.faults:
                print("\n".join(faulty(options, folder / "faults", cluster and cluster.address())))
        except KillTestError as error:
            print(f"FAILED: {error}; again with --seed {options.seed}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
