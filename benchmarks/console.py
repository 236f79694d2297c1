"""How long the pages of auditors and of customers take on a large ledger, on both databases, with their queries' plans.

Usage: python -m benchmarks.console [--results N] [--rounds N] [--plans] [--database SQLite|PostgreSQL]

Starts a PostgreSQL of its own in a temporary folder and ends it. The ledger holds a thousand terminals' results of 90
days; the envelopes are some hundred real ones, again and again.
"""

import argparse
import contextlib
import random
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / part) for part in ("tests", "tests/console")]

import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from customer import KNOWN, NUMBER, UNKNOWN, Public
from postgresql import Cluster
from town import NAMES, Town
from visitor import Console

from central.alarms import Alarm
from central.config import load_central
from central.console import search
from central.console.search import Search
from central.console.tallies import claims_of
from central.console.watch import LOOK_S
from central.custody import Custody, Facts
from central.database import insert
from central.disputes import Answer, Dispute, DisputeError, Found, Objection
from central.ledger import Ledger
from central.public.house import PER_CODE
from central.registry import ResultKeyEntry, TerminalEntry, load_registry, public_key_text, registry_text
from central.slips import SHARING, SLIP_QUERY
from device.wire.chain import ChainPosition
from device.wire.envelope import Kind, SigningKey, sign
from device.wire.receipt import Verdict
from provisioning.demo import create_demo_authority

NOW = 1_790_000_000 + 50_000
DAYS, TERMINALS, DISPUTES, LIMIT_MS = 90, 1000, 5000, 300
REQUESTS = dict.fromkeys(("id", "terminal", "boot"), "text") | {
    "expires": "bigint", "asked": "text", "customer_number": "text",
}  # fmt: skip
OUTLETS, ATTENDANTS = 400, 3000


def fleet(made):
    """A thousand more terminals in the registry, each with a key, a birth and a health."""
    path = load_central(made.central).registry
    entries = dict(load_registry(path).terminals)
    unsealing = next(iter(entries.values())).unsealing_key
    births, health = {}, {}
    for number in range(TERMINALS):
        name, key = f"other-{number:03}", SigningKey(Ed25519PrivateKey.generate())
        result = ResultKeyEntry(public=public_key_text(key.private.public_key()))
        entries[name] = TerminalEntry(
            outlet=f"outlet-{number % OUTLETS}", result_keys=(result,), unsealing_key=unsealing
        )
        births[name] = sign(Kind.BIRTH, samples.birth(iss=name, iat=NOW - 500).write(), key).raw
        health[name] = sign(Kind.HEALTH, samples.health(iss=name, iat=NOW - 30).write(), key).raw
    path.write_text(registry_text(entries))
    return births, health


def fill(ledger, templates, count, births, health):
    """Results in the order of time, more by day than by night; some thousand alarms, decisions and forks."""
    chance = random.Random(1)
    seconds = DAYS * 86_400 / count
    for start in range(1, count + 1, 1000):
        rows = [
            _row(number, templates, NOW - int((count - number) * seconds), chance)
            for number in range(start, min(start + 1000, count + 1))
        ]
        with ledger.batch():
            ledger.take(rows)
            asked = [(row.facts.request, row.terminal, "-", 1, "{}", chance.randbytes(32).hex()) for row in rows]
            insert(ledger.database, "requests", REQUESTS, asked)
            ledger.note_receipts([(rows[0].number, rows[-1].number)], rows[-1].received + 1)
    with ledger.batch():
        ledger.fleet.set_births(births, NOW - 500)
        ledger.fleet.set_health(health, NOW - 30)
        for number in range(20_000):
            rule = chance.choice(("numbers-per-identity", "retry-shopping", "hot-terminals", "set-apart", "clocks"))
            about, rows = f"other-{number % TERMINALS:03}", tuple(chance.randrange(1, count) for _ in range(5))
            ledger.alarms.raise_once(Alarm(rule, about, str(number), "what happened", rows), NOW - number * 300)
    for number in range(1, DISPUTES + 1):
        dispute = Dispute(chance.randrange(1, count), NOW - 9000 + number, Objection.NOT_THERE, f"note {number}", "hi")
        with contextlib.suppress(DisputeError):
            made = ledger.disputes.add(dispute)
            if number % 20:
                ledger.disputes.answer(Answer(made, NOW, "anna", Found.UNFOUNDED, "nothing was found"))


def give_slip(ledger, template):
    """The one slip that is known: of the last result, asked for by a number."""
    row = _row(ledger.newest() + 1, [template], NOW, random.Random(3))
    with ledger.batch():
        ledger.take([replace(row, verdict=Verdict.ACCEPTED, reason=None, linked=True, facts=template.facts)])


def _row(number, templates, received, chance):
    template = templates[number % len(templates)]
    terminal = f"other-{chance.randrange(TERMINALS):03}"
    apart = chance.random() < 0.002
    facts = template.facts
    facts = Facts(
        facts.outcome, facts.source, f"{received:012x}-{number:020x}", chance.randbytes(16).hex(),
        f"attendant-{chance.randrange(ATTENDANTS)}", f"outlet-{chance.randrange(OUTLETS)}", f"sim-{number}",
        facts.first_reason, chance.randbytes(32).hex(),
    )  # fmt: skip
    return Custody(
        terminal=terminal,
        position=ChainPosition(1, number, "0" * 64),
        sha256=chance.randbytes(32).hex(),
        linked=not apart,
        verdict=Verdict.QUARANTINED if apart else Verdict.ACCEPTED,
        reason="fork" if apart else None,
        received=received,
        envelope=template.envelope,
        facts=facts,
        number=number,
    )


def templates(folder):
    """Some hundred results of a town, signed and accepted."""
    made = create_demo_authority(folder / "town", NAMES, port=1)
    with Town(made, NOW) as town:
        town.fill(days=2, each_day=150)
        some = [one for one in town.ledger.latest(1000) if one.verdict is Verdict.ACCEPTED and one.position.seq]
        envelope = town.slip("shop-06", NOW, KNOWN, NUMBER).raw
        given = replace(town.ledger.latest(1)[0], facts=Facts.of(claims_of(envelope)))
        asked = town.ledger.database.rows("SELECT * FROM requests WHERE id = ?", given.facts.request)
        return made, some, given, asked


def settle(ledger):
    ledger.database.rows("ANALYZE")
    if "postgresql" in ledger.database.place:
        ledger.database.rows("VACUUM")
        ledger.database.rows("CHECKPOINT")
    else:
        ledger.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")


def pages(count):
    """Addresses, each with what changes from one round to the next."""
    chance = random.Random(2)

    def day():
        return time.strftime("%Y-%m-%d", time.gmtime(NOW - chance.randrange(DAYS) * 86_400))

    def terminal():
        return f"other-{chance.randrange(TERMINALS):03}"

    def outlet():
        return f"outlet-{chance.randrange(OUTLETS)}"

    def attendant():
        return f"attendant-{chance.randrange(ATTENDANTS)}"

    return {
        "today": lambda: "/",
        "another day": lambda: f"/?day={day()}",
        "terminals": lambda: "/terminals",
        "one terminal": lambda: f"/terminals/{terminal()}",
        "results": lambda: "/results",
        "results, deep": lambda: f"/results?before={chance.randrange(100, count)}",
        "results, outcome": lambda: "/results?outcome=fault",
        "results, outcome and day": lambda: f"/results?outcome=rejected&since={day()}&until={day()}",
        "results, terminal and outcome": lambda: f"/results?terminal={terminal()}&outcome=rejected",
        "results, outlet and outcome": lambda: f"/results?outlet={outlet()}&outcome=fault",
        "results, attendant and reason": lambda: f"/results?attendant={attendant()}&reason=flat-face",
        "results, terminal and outlet": lambda: f"/results?terminal={terminal()}&outlet={outlet()}",
        "results, reason that is none": lambda: "/results?reason=nothing-of-the-kind",
        "results, transaction": lambda: f"/results?transaction=sim-{chance.randrange(count)}",
        "results, set apart": lambda: "/results?verdict=quarantined",
        "one result": lambda: f"/results/{chance.randrange(1, count)}",
        "chain": lambda: "/chain",
        "quarantine": lambda: "/quarantine",
        "quarantine, deep": lambda: f"/quarantine?before={chance.randrange(1000, count)}",
        "disputes": lambda: "/disputes",
        "disputes, deep": lambda: f"/disputes?before={chance.randrange(100, DISPUTES)}",
        "alarms": lambda: "/alarms",
        "alarms, one rule, deep": lambda: "/alarms?rule=clocks&page=60",
    }  # fmt: skip


def measure(console, addresses, rounds):
    """Milliseconds of each page: median and worst, as a browser sees it."""
    visitor = console.visitor("auditor")
    took = {}
    for _ in range(rounds):
        for name, address in addresses.items():
            began = time.perf_counter()
            answer = visitor.get(address())
            took.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            assert answer.status == 200, (name, answer.status, answer.words)
    return took


def measure_slips(made, folder, place, rounds):
    """The same for a customer who looks up a slip, and for whoever has none; never more than an address may."""
    folder.mkdir()
    public, took = Public(made, folder, ledger=place), {}
    try:
        customer = public.customer()
        customer.look_up(KNOWN)
        for code, name, status in ((KNOWN, "public page: a slip", 200), (UNKNOWN, "public page: no slip", 404)):
            for _ in range(min(rounds, PER_CODE)):
                began = time.perf_counter()
                assert customer.look_up(code).status == status
                took.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    finally:
        public.stop()
    return took


def plans(ledger):
    """The plan of each search, and of a slip's, as the database tells it."""
    explain = "EXPLAIN " if "postgresql" in ledger.database.place else "EXPLAIN QUERY PLAN "
    print(f"\n{ledger.database.place.rpartition('/')[2]}: a slip\n  {SLIP_QUERY}")
    for row in ledger.database.rows(explain + SLIP_QUERY, 7, 7, "x", SHARING):
        print(f"    {row[-1]}")
    searches = (
        Search(), Search(outcome="fault"), Search(terminal="other-001", outcome="rejected"),
        Search(outlet="outlet-1", outcome="fault"), Search(attendant="attendant-7", reason="flat-face"),
        Search(terminal="other-001", outlet="outlet-1"), Search(reason="nothing"), Search(transaction="sim-7"),
        Search(verdict="quarantined"), Search(request="x"),
    )  # fmt: skip
    for wanted in searches:
        query, values = search._query(wanted)
        print(f"\n{ledger.database.place.rpartition('/')[2]}: {wanted.shown() or 'everything'}\n  {query}")
        for row in ledger.database.rows(explain + query, *values, 1, 2**62, 51):
            print(f"    {row[-1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=int, default=1_000_000, metavar="N", help="(1,000,000)")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="(15)")
    parser.add_argument("--database", choices=["SQLite", "PostgreSQL"], help="(both)")
    parser.add_argument("--plans", action="store_true", help="print the plans of the searches, too")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="likeness-benchmark-")))
        made, some, given, asked = templates(folder)
        births, health = fleet(made)
        places = {}
        if options.database != "PostgreSQL":
            places["SQLite"] = str(folder / "large.sqlite")
        if options.database != "SQLite":
            cluster = Cluster()
            stack.callback(cluster.stop)
            places["PostgreSQL"] = cluster.address()
        took = {}
        for name, place in places.items():
            began = time.perf_counter()
            ledger = Ledger(place)
            if name == "SQLite":
                ledger.database.rows("PRAGMA synchronous = OFF")
            fill(ledger, some, options.results, births, health)
            insert(ledger.database, "requests", REQUESTS, asked)
            give_slip(ledger, given)
            settle(ledger)
            print(f"{name}: filled in {time.perf_counter() - began:.0f} s", flush=True)
            if options.plans:
                plans(ledger)
            ledger.close()
            began = time.perf_counter()
            store = folder / name
            store.mkdir()
            console = Console(made, store, NOW, ledger=place, look_s=LOOK_S)
            print(f"{name}: everything counted in {time.perf_counter() - began:.0f} s", flush=True)
            try:
                took[name] = measure(console, pages(options.results), options.rounds)
            finally:
                console.stop()
            took[name] |= measure_slips(made, folder / f"{name} slips", place, options.rounds)
    return report(took, options)


def report(took, options):
    print(f"\n{options.results:,} results of {TERMINALS} terminals, {options.rounds} rounds; ms as a browser sees it")
    print("Median, worst\n")
    print(f"| page | {' | '.join(took)} |\n|---|{'---|' * len(took)}")
    slow = []
    for page in next(iter(took.values())):
        cells = [f"{statistics.median(column[page]):.0f}, {max(column[page]):.0f}" for column in took.values()]
        slow += [page for column in took.values() if statistics.median(column[page]) > LIMIT_MS]
        print(f"| {page} | {' | '.join(cells)} |")
    print(f"\nabove {LIMIT_MS} ms at the median: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
