"""What a result costs the card: bytes written and fsyncs, from the append to the receipt.

Example: python -m benchmarks.outbox --results 200
Needs strace (apt-get install strace): a child process works on an outbox, and every write of its is counted.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.delivery.outbox import Outbox
from device.wire.envelope import SigningKey

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import samples

CALLS = "write,pwrite64,fsync,fdatasync,ftruncate"
WRITTEN = re.compile(r"(?:pwrite64|write)\(\d+<([^>]*)>.* = (\d+)$")
SYNCED = re.compile(r"f(?:data)?sync\(\d+<([^>]*)>")
EVIDENCE_BYTES = 40_000


def work(path: Path, results: int, batch: int, *, evidence: bool) -> tuple[float, float]:
    """Appends and receipts `results` results, `batch` receipts at a time; returns seconds for both."""
    outbox = Outbox(path, samples.TERMINAL, SigningKey(Ed25519PrivateKey.generate()))
    outbox.head()
    print("begin", file=sys.stderr, flush=True)
    sealed, appending, receipting = bytes(EVIDENCE_BYTES) if evidence else None, 0.0, 0.0
    for done in range(0, results, batch):
        began = perf_counter()
        for _ in range(min(batch, results - done)):
            outbox.append(samples.result, evidence=sealed)
        appended = perf_counter()
        while waiting := outbox.waiting(batch):
            outbox.remove([(row.place.epoch, row.place.seq, row.sha256) for row in waiting])
        appending, receipting = appending + appended - began, receipting + perf_counter() - appended
    print("end", file=sys.stderr, flush=True)
    outbox.close()
    return appending, receipting


def traced(results: int, batch: int, *, evidence: bool, folder: Path) -> tuple[float, float]:
    """Runs `work` under strace; returns bytes written to the outbox's files and fsyncs, each per result."""
    log, path = folder / "strace.log", folder / f"outbox-{batch}-{evidence}"
    command = ["strace", "-f", "-y", "-s", "8", "-e", f"trace={CALLS}", "-o", str(log), sys.executable, "-m"]
    arguments = ["benchmarks.outbox", "--work", str(path), "--results", str(results), "--batch", str(batch)]
    subprocess.run([*command, *arguments, *(["--evidence"] if evidence else [])], check=True, capture_output=True)
    written = synced = 0
    counting = False
    for line in log.read_text().splitlines():
        if '"begin' in line or '"end' in line:
            counting = '"begin' in line
        elif counting and str(path) in line:
            if found := WRITTEN.search(line):
                written += int(found[2])
            synced += SYNCED.search(line) is not None
    return written / results, synced / results


def measure(results: int) -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as temporary:
        folder = Path(temporary)
        columns = ("receipts together", "evidence", "bytes written per result", "fsyncs per result", "appends/s")
        print(f"| {' | '.join(columns)} | receipts/s |")
        print("|---|---|---|---|---|---|")
        for evidence in (False, True):
            for batch in (1, 20, 100):
                written, synced = traced(results, batch, evidence=evidence, folder=folder)
                path = folder / f"timed-{batch}-{evidence}"
                appending, receipting = work(path, results, batch, evidence=evidence)
                rates = f"{results / appending:.0f} | {results / receipting:.0f}"
                kinds = f"{EVIDENCE_BYTES:,} bytes" if evidence else "none"
                print(f"| {batch} | {kinds} | {written:,.0f} | {synced:.2f} | {rates} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=int, default=200, help="how many results (200)")
    parser.add_argument("--batch", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--evidence", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work is not None:
        work(options.work, options.results, options.batch, evidence=options.evidence)
        return 0
    if shutil.which("strace") is None:
        print("benchmarks.outbox: strace is missing: apt-get install strace", file=sys.stderr)
        return 2
    measure(options.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
