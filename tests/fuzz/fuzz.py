"""Throws inputs at every parser; ends with 1 when one of them crashes, is slow, or takes memory that it keeps.

They are mutations of what each parser understands; with atheris (pip install atheris), half of them, and coverage
guides the others. Each parser runs in a process of its own with a limit on its memory.

Example: tests/fuzz/run --inputs 1000000 --seed 1
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import random
import resource
import secrets
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

from mutations import mutated
from parsers import Parser, parsers

GUIDED = importlib.util.find_spec("atheris") is not None
MEMORY_LIMIT = 2 * 1024**3
KEPT_LIMIT = 4 * 1024**2
SLOW_S = 2.0
LONGEST_INPUT = 20_000


class CrashError(Exception):
    """A parser raised what it may not, or took too long; the message names the input."""


def tried(name: str, parser: Parser, raw: bytes) -> None:
    """Gives one input to a parser; raises CrashError."""
    began = process_time()
    try:
        parser.parse(raw)
    except parser.errors:
        pass
    except Exception as error:
        raise CrashError(f"{name}: {type(error).__name__}: {error!s:.200} for {raw[:400]!r}") from error
    if (took := process_time() - began) > SLOW_S:
        raise CrashError(f"{name}: took {took:.1f} s of the processor for {raw[:200]!r}")


def work(name: str, inputs: int, seed: str) -> dict[str, object]:
    """Tries so many inputs; returns what they came to."""
    parser = parsers()[name]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    for raw in parser.corpus:
        parser.parse(raw) if len(parser.corpus) == 1 else tried(name, parser, raw)
    began = perf_counter()
    chance = random.Random(seed)
    for _ in range(inputs):
        tried(name, parser, mutated(chance.choice(parser.corpus), parser.corpus, chance, LONGEST_INPUT))
    seconds, kept = perf_counter() - began, _kept(lambda raw: tried(name, parser, raw), parser, seed)
    if kept > KEPT_LIMIT:
        raise CrashError(f"{name}: 500 inputs left {kept} bytes behind")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"parser": name, "inputs": inputs, "seconds": round(seconds, 1), "peak_mib": peak, "kept_bytes": kept}


def _kept(give: Callable[[bytes], None], parser: Parser, seed: str) -> int:
    """Bytes that stay behind after 500 inputs, when as many went before to fill every cache."""
    chance = random.Random(f"{seed} kept")
    held = []
    for _ in range(2):
        for _ in range(500):
            give(mutated(chance.choice(parser.corpus), parser.corpus, chance, LONGEST_INPUT))
        tracemalloc.start() if not tracemalloc.is_tracing() else None
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return held[1] - held[0]


def _child(name: str, inputs: int, seed: str, report: str) -> None:
    try:
        told: dict[str, object] = work(name, inputs, seed)
    except CrashError as error:
        told = {"parser": name, "crash": str(error)}
    Path(report).write_text(json.dumps(told))


def main() -> int:
    """Runs everything; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tests/fuzz/run", description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000, metavar="N", help="in all (100000)")
    parser.add_argument("--seed", default=str(secrets.randbelow(10**6)), help="repeats a run")
    parser.add_argument("--only", default="", metavar="WORDS", help="parsers whose name holds these words")
    options = parser.parse_args()
    chosen = {name: one for name, one in parsers().items() if options.only in name}
    whole, crashes, done = sum(one.share for one in chosen.values()), [], 0
    print(f"seed {options.seed}, {len(chosen)} parsers, atheris {GUIDED}", flush=True)
    for name, one in chosen.items():
        inputs = max(1, round(options.inputs * one.share / whole / (2 if GUIDED else 1)))
        told = _run(name, inputs, f"{options.seed} {name}")
        crashes += [told["crash"]] if "crash" in told else []
        done += 2 * inputs if GUIDED else inputs
        print(json.dumps(told), flush=True)
    print(f"{done} inputs, {len(crashes)} crashes")
    return 1 if crashes else 0


def _run(name: str, inputs: int, seed: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        process = multiprocessing.get_context("spawn").Process(target=_child, args=(name, inputs, seed, str(report)))
        process.start()
        process.join()
        if not report.is_file():
            return {"parser": name, "crash": f"{name}: the process ended with {process.exitcode}"}
        told = dict(json.loads(report.read_text()))
        if GUIDED and "crash" not in told:
            command = [sys.executable, str(Path(__file__).with_name("guided.py")), name, str(inputs), seed, folder]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode != 0:
                told["crash"] = f"{name}: guided by coverage: {done.stderr[-2000:]}"
    return told


if __name__ == "__main__":
    sys.exit(main())
