"""How fast central takes results into custody, on SQLite and on PostgreSQL: rates, cost by size, many terminals.

Usage: python -m benchmarks.central [rates] [growth] [terminals] [--results N]      (all three parts, 20,000 results)

Starts a mosquitto and a PostgreSQL of its own in temporary folders, both with their disks' fsync, and ends them.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from postgresql import Cluster

from central.connection import Delivery
from central.ledger import Ledger
from central.receiver import Receiver
from central.registry import LiveRegistry, ResultKeyEntry, TerminalEntry, public_key_text, registry_text
from central.verify import judge
from device.wire.chain import ChainHead, Surroundings
from device.wire.envelope import Kind, SigningKey, sign
from device.wire.fields import decode_base64url
from device.wire.receipt import Verdict
from device.wire.topics import Leaf, topic

BATCH = 500
ROUNDS = 3


class Fleet:
    """Terminals that signed results beforehand."""

    def __init__(self, folder: Path, terminals: int):
        self.keys = {f"shop-{number}": SigningKey(Ed25519PrivateKey.generate()) for number in range(terminals)}
        self.heads = dict.fromkeys(self.keys, ChainHead(1))
        self.path = folder / "registry.yaml"
        self.path.write_text(registry_text({name: entry(key) for name, key in self.keys.items()}))
        self.registry = LiveRegistry(self.path)

    def deliveries(self, results: int) -> list[Delivery]:
        """Results of all terminals in turn."""
        made, names = [], list(self.keys)
        for number in range(results):
            name = names[number % len(names)]
            envelope = sign(
                Kind.RESULT, samples.result(self.heads[name].next(), terminal=name).write(), self.keys[name]
            )
            self.heads[name] = self.heads[name].advanced(envelope.sha256)
            made.append(Delivery(topic(name, Leaf.RESULT), envelope.raw, number, 0))
        return made


def entry(key: SigningKey) -> TerminalEntry:
    public = public_key_text(key.private.public_key())
    return TerminalEntry(outlet="o", result_keys=(ResultKeyEntry(public=public),), unsealing_key=public)


class Feed:
    """A connection without a network: gives what it holds, counts receipts and acknowledgements."""

    def __init__(self, deliveries):
        self.left, self.receipts, self.acknowledged = deque(deliveries), 0, 0

    def collect(self, limit, _timeout_s):
        return [self.left.popleft() for _ in range(min(limit, len(self.left)))]

    def publish(self, _topic, _payload):
        self.receipts += 1

    def acknowledge(self, _delivery):
        self.acknowledged += 1


def receiver(connection, place, fleet):
    ledger = Ledger(place)
    key = SigningKey(Ed25519PrivateKey.generate())
    return ledger, Receiver("central", connection, ledger, fleet.registry, key, batch=BATCH, repeat_requests_s=None)


def bare(fleet, deliveries):
    """Nothing but Ed25519 over the same bytes."""
    publics = {name: key.private.public_key() for name, key in fleet.keys.items()}
    for delivery in deliveries:
        signed, _, signature = delivery.payload.rpartition(b".")
        publics[delivery.topic.split("/")[2]].verify(decode_base64url(signature.decode()), signed)


def verification(fleet, deliveries, heads):
    """The receiver's own verification and judgement, with nothing but the chains' heads in memory."""
    _, working = receiver(Feed([]), fleet.path.parent / "unused.sqlite", fleet)
    for start in range(0, len(deliveries), BATCH):
        batch = working.open(deliveries[start : start + BATCH])
        for opened in batch.results:
            head = heads[opened.terminal]
            known = Surroundings(head, before=head.sha256 if head.seq else None, approved=1)
            assert judge(opened, known).verdict is Verdict.ACCEPTED
            heads[opened.terminal] = head.advanced(opened.sha256)


def stored(fleet, deliveries, place):
    """The receiver, fed from memory."""
    feed = Feed(deliveries)
    ledger, working = receiver(feed, place, fleet)
    before = ledger.newest()
    watch = threading.Thread(target=stop_when, args=(lambda: feed.acknowledged == len(deliveries), working))
    watch.start()
    working.run()
    watch.join()
    assert ledger.newest() - before == len(deliveries)
    ledger.close()


def stop_when(condition, working):
    pause = threading.Event()
    while not condition():
        pause.wait(0.002)
    working.stop()


def timed(action, *arguments):
    """Seconds by the clock, and of this process on the processors."""
    began, worked = time.perf_counter(), time.process_time()
    action(*arguments)
    return time.perf_counter() - began, time.process_time() - worked


def rates(folder, cluster, results):
    fleet = Fleet(folder, 20)
    print(f"\n{results} results of 20 terminals, batches of {BATCH}; median of {ROUNDS} rounds, all in one process")
    seconds: dict[str, list[tuple[float, float]]] = {}
    places = {"SQLite": folder / "rates.sqlite", "PostgreSQL": cluster.address()}
    for _ in range(ROUNDS):
        heads = dict(fleet.heads)
        deliveries = fleet.deliveries(results)
        seconds.setdefault("signature alone", []).append(timed(bare, fleet, deliveries))
        seconds.setdefault("verification alone", []).append(timed(verification, fleet, deliveries, heads))
        seconds.setdefault("verify + store, SQLite", []).append(timed(stored, fleet, deliveries, places["SQLite"]))
        seconds.setdefault("verify + store, PostgreSQL", []).append(
            timed(stored, fleet, deliveries, places["PostgreSQL"])
        )
    show(seconds, results)


def show(seconds, results):
    alone = seconds["verification alone"]
    print(f"{'':36} {'per s':>7} {'us each':>8} {'processor':>9}   of verification alone: by clock, processor")
    for name, took in seconds.items():
        clock, worked = (statistics.median(column) / results * 1e6 for column in zip(*took, strict=True))
        shares = [statistics.median(base[i] / mine[i] for base, mine in zip(alone, took, strict=True)) for i in (0, 1)]
        print(f"{name:36} {1e6 / clock:7.0f} {clock:8.1f} {worked:9.1f}   {shares[0]:.0%}, {shares[1]:.0%}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="example: python -m benchmarks.central rates"
    )
    parser.add_argument("parts", nargs="*", choices=["rates", "growth", "terminals", []], metavar="PART")
    parser.add_argument("--results", type=int, default=20_000, metavar="N")
    options = parser.parse_args()
    parts = options.parts or ["rates", "growth", "terminals"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="likeness-benchmark-")))
        cluster = Cluster(durable=True)
        stack.callback(cluster.stop)
        if "rates" in parts:
            rates(folder, cluster, options.results)


if __name__ == "__main__":
    main()
