"""The house that the kill test shakes: broker, workers of central and terminals, each in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml
from broker import Broker

from central.ledger import Ledger
from provisioning.__main__ import free_port
from provisioning.demo import DemoAuthority, create_demo_authority

HERE = Path(__file__).parent
STUCK_S = 300.0
TAKEN = re.compile(r"batch results=(\d+)")


class KillTestError(AssertionError):
    """Something was lost, doubled or broken, or does not go on; the message says what."""


class News:
    """What the processes told, and who waits for more of it: the test goes by events, not by the time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def tell(self, note: Callable[[], None]) -> None:
        """Takes a note, and wakes who waits."""
        with self._changed:
            note()
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Waits; whatever takes this long does not come any more."""
        with self._changed:
            if not self._changed.wait_for(condition, STUCK_S):
                raise KillTestError(f"stuck: {what}")


class Program:
    """A process that may be killed and started again; `took` gets each line that it tells."""

    def __init__(self, name: str, command: list[str], news: News, *, errors: bool) -> None:
        """`errors`: it tells on standard error what others tell on standard output."""
        self.name = name
        self.lines: list[str] = []
        self._command, self._news, self._errors = command, news, errors
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def took(self, line: str) -> None:
        """Notes a line."""

    @property
    def ended(self) -> bool:
        """Whether it ended, without being told to."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Starts it."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE), str(HERE.parents[1])])}
        pipe = {"stderr" if self._errors else "stdout": subprocess.PIPE}
        self._process = process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, text=True, env=environment, **pipe
        )
        self._reader = threading.Thread(target=self._read, args=(process.stderr if self._errors else process.stdout,))
        self._reader.start()

    def say(self, line: str) -> None:
        """Writes a line to its standard input."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kills it, or asks it to end; what it had told until then is read."""
        if self._process is not None:
            self._process.send_signal(number)
            self.join()

    def join(self) -> int:
        """Waits until it has ended; returns the exit status."""
        try:
            status = self._process.wait(STUCK_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise KillTestError(f"stuck: {self.name} does not end") from None
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._process = None
        return status

    def _read(self, stream: Iterator[str]) -> None:
        for line in stream:
            if line.endswith("\n"):  # what was being written when it was killed was not told
                self._news.tell(partial(self.took, line.rstrip()))
        self._news.tell(lambda: None)


class Shop(Program):
    """A terminal: what it made, and what its outbox refused."""

    def __init__(self, keys: Path, outbox: Path, port: int, seed: str, news: News) -> None:
        command = [sys.executable, str(HERE / "kill_terminal.py"), str(keys), str(outbox), str(port), seed]
        super().__init__(keys.name, command, news, errors=False)
        self.keys, self.outbox = keys, outbox
        self.made: list[str] = []
        self.evidence: set[str] = set()
        self.refused: list[str] = []

    def took(self, line: str) -> None:
        word, value, *more = line.split()
        (self.made if word == "made" else self.refused).append(value)
        if more:
            self.evidence.add(value)


class Worker(Program):
    """A worker of central: how many envelopes it took, known ones too, as far as it lived to tell."""

    def __init__(self, number: int, config: Path, news: News) -> None:
        command = [sys.executable, "-m", "central", "run", "--config", str(config), "--worker", str(number)]
        super().__init__(f"central-{number}", command, news, errors=True)
        self.taken = 0

    def took(self, line: str) -> None:
        found = TAKEN.search(line)
        self.taken += int(found[1]) if found else 0
        if not line.startswith("INFO"):
            self.lines = [*self.lines[-19:], line]


class House:
    """Everything of one kill test.

    Attributes:
        places: where the outboxes and the embedded ledger lie: `outbox/NAME/` and `ledger/`.
        ledger: the place of the ledger.
    """

    def __init__(self, folder: Path, *, terminals: int, workers: int, seed: int, ledger: str | None = None) -> None:
        names = [f"shop-{number}" for number in range(1, terminals + 1)]
        self.news, self.folder = News(), folder
        self.made = create_demo_authority(folder / "keys", names, port=free_port(), workers=workers)
        self.ledger = ledger or str(folder / "ledger" / "ledger.sqlite")
        (folder / "ledger").mkdir(parents=True, exist_ok=True)
        _place_ledger(self.made, self.ledger)
        self.broker = Broker(self.made)
        self.workers = [Worker(number, self.made.central, self.news) for number in range(1, workers + 1)]
        self.shops: list[Shop] = []
        for name in names:
            outbox = folder / "outbox" / name / "outbox.sqlite"
            outbox.parent.mkdir(parents=True, exist_ok=True)
            keys = self.made.terminals[name]
            self.shops.append(Shop(keys, outbox, self.made.port, f"{seed} {name}", self.news))

    @property
    def embedded(self) -> bool:
        """Whether the ledger is a file."""
        return not self.ledger.startswith("postgres")

    def total(self) -> int:
        """How many results were told so far."""
        return sum(len(shop.made) for shop in self.shops)

    def start(self) -> None:
        """Starts everything."""
        self.broker.start()
        for program in (*self.workers, *self.shops):
            program.start()

    def work(self, results: int) -> None:
        """Waits until so many further results were made; whoever ended by itself meanwhile is a fault."""
        goal = self.total() + results
        self.news.wait_for(lambda: self.total() >= goal or any(self.gone()), f"{results} further results")
        for program in self.gone():
            raise KillTestError(f"{program.name} ended by itself: {program.lines[-3:]}")

    def gone(self) -> list[Program]:
        """Who ended by itself."""
        return [program for program in (*self.workers, *self.shops) if program.ended]

    def drain(self) -> None:
        """Lets every terminal end once its last result is receipted, and then central and the broker."""
        for shop in self.shops:
            shop.say("drain")
        programs: list[tuple[Program, int]] = [(shop, shop.join()) for shop in self.shops]
        for worker in self.workers:
            worker._process.terminate()
        programs += [(worker, worker.join()) for worker in self.workers]
        self.broker.stop()
        for program, status in programs:
            if status != 0:
                raise KillTestError(f"{program.name} ended with {status}: {program.lines}")

    @contextmanager
    def opened_ledger(self) -> Iterator[Ledger]:
        """The ledger, to be read."""
        ledger = Ledger(Path(self.ledger) if self.embedded else self.ledger, create=False)
        try:
            yield ledger
        finally:
            ledger.close()

    def close(self) -> None:
        """Ends whatever still runs."""
        for program in (*self.shops, *self.workers):
            program.kill()
        self.broker.stop()


def _place_ledger(made: DemoAuthority, ledger: str) -> None:
    settings = yaml.safe_load(made.central.read_text())
    made.central.write_text(yaml.safe_dump(settings | {"ledger": ledger}))
