"""How fast central takes results into custody, on SQLite and on PostgreSQL: rates, cost by size, many terminals.

Usage: python -m benchmarks.central [rates] [growth] [terminals] [--results N]      (all three parts, 20,000 results)

Starts a mosquitto and a PostgreSQL of its own in temporary folders, both with their disks' fsync, and ends them.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import ExitStack, closing
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

import samples
from broker import Broker
from postgresql import Cluster

from benchmarks.fleet import Fleet, Links
from central.config import load_central, load_signing_key
from central.connection import Connection
from central.custody import Custody, Facts
from central.ledger import Ledger
from central.receiver import TOPICS, Receiver
from central.verify import judge
from device.wire.chain import ChainPosition, Surroundings
from device.wire.fields import decode_base64url, uuid7
from device.wire.receipt import Verdict
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority

BATCH = 500
ROUNDS = 3
SIZES = (10_000, 100_000, 1_000_000)


class Feed:
    """A connection without a network: gives what it holds, counts receipts and acknowledgements."""

    def __init__(self, deliveries=()):
        self.left, self.acknowledged = deque(deliveries), 0

    def collect(self, limit, _timeout_s):
        return [self.left.popleft() for _ in range(min(limit, len(self.left)))]

    def publish(self, _topic, _payload):
        pass

    def acknowledge(self, _delivery):
        self.acknowledged += 1


class Counted(Connection):
    """The real connection; counts acknowledgements."""

    acknowledged = 0

    def acknowledge(self, delivery):
        super().acknowledge(delivery)
        self.acknowledged += 1


def receiver(connection, place, fleet):
    ledger = Ledger(place)
    key = load_signing_key(load_central(fleet.made.central).keys.receipts)
    return ledger, Receiver("central", connection, ledger, fleet.registry, key, batch=BATCH, repeat_requests_s=None)


def bare(fleet, deliveries):
    """Nothing but Ed25519 over the same bytes."""
    publics = {name: keys.result_key.private.public_key() for name, keys in fleet.keys.items()}
    for delivery in deliveries:
        signed, _, signature = delivery.payload.rpartition(b".")
        publics[delivery.topic.split("/")[2]].verify(decode_base64url(signature.decode()), signed)


def verification(fleet, deliveries, heads):
    """The receiver's own verification and judgement, with nothing but the chains' heads in memory."""
    ledger, working = receiver(Feed(), fleet.made.folder / "unused.sqlite", fleet)
    for start in range(0, len(deliveries), BATCH):
        for opened in working.open(deliveries[start : start + BATCH]).results:
            head = heads[opened.terminal]
            known = Surroundings(head, before=head.sha256 if head.seq else None, approved=1)
            assert judge(opened, known).verdict is Verdict.ACCEPTED
            heads[opened.terminal] = head.advanced(opened.sha256)
    ledger.close()


def worked_off(fleet, connection, place, results):
    """Runs the receiver until every result is acknowledged; all of them are in the ledger then."""
    ledger, working = receiver(connection, place, fleet)
    before = ledger.newest()
    goal = connection.acknowledged + results

    def watch():
        pause = threading.Event()
        while connection.acknowledged < goal:
            pause.wait(0.002)
        working.stop()

    watcher = threading.Thread(target=watch)
    watcher.start()
    working.run()
    watcher.join()
    added = ledger.newest() - before
    assert added == results and not ledger.gaps(), f"{added} of {results}"
    ledger.close()


def received(fleet, connection, results):
    """Receives, verifies and acknowledges; keeps nothing."""
    ledger, working = receiver(connection, fleet.made.folder / "unused.sqlite", fleet)
    goal = connection.acknowledged + results
    while connection.acknowledged < goal:
        deliveries = connection.collect(BATCH, 1.0)
        working.open(deliveries)
        for delivery in deliveries:
            connection.acknowledge(delivery)
    ledger.close()


def queued(fleet, deliveries):
    """A connection for whose session the broker holds all these results."""
    settings = load_central(fleet.made.central)
    connection = Counted(settings.broker, settings.broker.receiver, TOPICS, lasting=True)
    connection.connect()
    connection.collect(1, 0.5)
    connection.close()
    with closing(Links(fleet)) as links:
        links.publish(deliveries)
        links.turn_until(lambda: links.total("acknowledged") == len(deliveries))
    connection.connect()
    return connection


def timed(action, *arguments):
    """Seconds by the clock, and of this process on the processors."""
    began, worked = time.perf_counter(), time.process_time()
    action(*arguments)
    return time.perf_counter() - began, time.process_time() - worked


def rates(fleet, places, results):
    print(f"\n{results} results of {len(fleet.keys)} terminals, batches of {BATCH}; medians of {ROUNDS} rounds")
    took = {}

    def note(name, action, *arguments):
        took.setdefault(name, []).append(timed(action, *arguments))

    for _ in range(ROUNDS):
        heads = dict(fleet.heads)
        deliveries = fleet.deliveries(results)
        note("signature alone", bare, fleet, deliveries)
        note("verification alone", verification, fleet, deliveries, heads)
        for name, place in places.items():
            note(f"verify + store, {name}", worked_off, fleet, Feed(deliveries), place, results)
        with closing(queued(fleet, deliveries)) as connection:
            note("receive + verify", received, fleet, connection, results)
        deliveries = fleet.deliveries(results)
        for name, place in places.items():
            with closing(queued(fleet, deliveries)) as connection:
                note(f"receive + verify + store, {name}", worked_off, fleet, connection, place, results)
    alone, arriving = took["verification alone"], took["receive + verify"]
    print(f"{'':38} {'a second':>9} {'us each':>8} {'processor':>9}   of verification alone, of receive + verify")
    for name, mine in took.items():
        clock, worked = (statistics.median(column) / results * 1e6 for column in zip(*mine, strict=True))
        shares = ", ".join(share(base, mine) for base in (alone, arriving))
        print(f"{name:38} {1e6 / clock:9.0f} {clock:8.1f} {worked:9.1f}   {shares}")


def share(base, mine):
    """Of the rate of `base`: by the clock, and by processor time of this process."""
    by_clock, by_work = (
        statistics.median(one[i] / other[i] for one, other in zip(base, mine, strict=True)) for i in (0, 1)
    )
    return f"{by_clock:.0%} ({by_work:.0%})"


def settle(ledger):
    """What a database does after so many rows in so short a time, out of the measurement."""
    ledger.database.rows("ANALYZE")
    ledger.database.rows("CHECKPOINT" if "postgresql" in ledger.database.place else "PRAGMA wal_checkpoint(TRUNCATE)")


def growth(made, places):
    print(
        "\nCost of results that answer requests, by rows in the ledger; us each, medians of 8 batches\n"
        f"{'':12} {'rows':>9}   {'storing':>9} {'worst':>7} {'processor':>10}   verifying and storing"
    )
    for name, place in places.items():
        fleet = Fleet(made)
        ledger, working = receiver(Feed(), place, fleet)
        for size in SIZES:
            prefill(ledger, size)
            with ledger.batch():
                deliveries = fleet.deliveries(8 * BATCH, ledger)
            settle(ledger)
            print(f"{name:12} {size:>9}   {grown(working, deliveries)}", flush=True)
        ledger.close()


def grown(working, deliveries):
    """A line: what storing takes, by the clock and of this process's processor time, and what the whole takes."""
    opened, stored = [], []
    for start in range(0, len(deliveries), BATCH):
        batches = []
        part = deliveries[start : start + BATCH]
        opened.append(timed(lambda part=part, batches=batches: batches.append(working.open(part))))
        stored.append(timed(working.store, batches[0]))
    clock, worked = ([seconds / BATCH * 1e6 for seconds in column] for column in zip(*stored, strict=True))
    whole = [(one[0] + other[0]) / BATCH * 1e6 for one, other in zip(opened, stored, strict=True)]
    middle = statistics.median
    return f"{middle(clock):9.1f} {max(clock):7.1f} {middle(worked):10.1f}   {middle(whole):9.1f}"


def prefill(ledger, size):
    """Results of a thousand other terminals, each with a request and a subject of its own."""
    first = ledger.newest() + 1
    envelope = secrets.token_urlsafe(1600).encode()
    for start in range(first, size + 1, 1000):
        rows = [row(number, envelope) for number in range(start, min(start + 1000, size + 1))]
        with ledger.batch():
            ledger.take(rows)
            ledger.note_receipts([(rows[0].number, rows[-1].number)], samples.NOW)


def row(number, envelope):
    request = uuid7(samples.NOW * 1000 + number, secrets.token_bytes(10))
    told = (request, secrets.token_hex(16), f"attendant-{number % 3000}", "outlet", f"transaction-{number}")
    return Custody(
        terminal=f"other-{number % 1000}",
        position=ChainPosition(1, number, "0" * 64),
        sha256=secrets.token_hex(32),
        linked=True,
        verdict=Verdict.ACCEPTED,
        reason=None,
        received=samples.NOW,
        envelope=envelope,
        facts=Facts("verified", "pi-camera", *told),
        number=number,
    )


def terminals(folder, places, count, each):
    """Every terminal on the line with a certificate of its own; each sends results and waits for its receipts."""
    fleet, broker = start(folder / "many", count)
    deliveries = fleet.deliveries(count * each)
    try:
        for name, place in places.items():
            settings = load_central(fleet.made.central)
            connection = Counted(settings.broker, settings.broker.receiver, TOPICS, lasting=True)
            connection.connect()
            working = threading.Thread(target=worked_off, args=(fleet, connection, place, len(deliveries)))
            working.start()
            with closing(Links(fleet)) as links:
                began = time.perf_counter()
                links.publish(deliveries)
                links.turn_until(lambda: links.total("receipted") >= len(deliveries))
                took = time.perf_counter() - began
                working.join()
            connection.close()
            print(
                f"{name}: {count} terminals connected in {links.connected_s:.1f} s; {len(deliveries)} results"
                f" receipted in {took:.1f} s, {len(deliveries) / took:.0f} a second, none lost, none twice",
                flush=True,
            )
    finally:
        broker.stop()


def start(folder, count):
    names = tuple(f"shop-{number}" for number in range(count))
    made = create_demo_authority(folder, names, port=free_port())
    broker = Broker(made)
    broker.start()
    return Fleet(made), broker


def main():
    epilog = "example: python -m benchmarks.central rates --results 5000"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=epilog)
    parser.add_argument("parts", nargs="*", metavar="PART", help="rates, growth, terminals (all)")
    parser.add_argument("--results", type=int, default=20_000, metavar="N", help="results in a round of rates (20,000)")
    options = parser.parse_args()
    parts = options.parts or ["rates", "growth", "terminals"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="likeness-benchmark-")))
        cluster = Cluster(durable=True)
        stack.callback(cluster.stop)

        def places(name):
            return {"SQLite": folder / f"{name}.sqlite", "PostgreSQL": cluster.address()}

        if {"rates", "growth"} & {*parts}:
            fleet, broker = start(folder / "some", 20)
            stack.callback(broker.stop)
            if "rates" in parts:
                rates(fleet, places("rates"), options.results)
            if "growth" in parts:
                growth(fleet.made, places("growth"))
        if "terminals" in parts:
            terminals(folder, places("terminals"), 1000, 5)


if __name__ == "__main__":
    main()
