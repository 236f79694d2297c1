"""Central as a whole over the real broker: workers that share, PostgreSQL, revocation, commands, evidence, reports."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from functools import partial

import pytest
import samples
import yaml
from broker import Broker
from test_requests import central, desk_of
from world import Central, World, until

from central.metrics import Metrics
from device.delivery.commands import CommandDesk, Effect
from device.wire.envelope import Kind, sign
from device.wire.evidence import EvidenceMark
from device.wire.sealing import evidence_context, seal
from device.wire.topics import Leaf
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority

pytestmark = pytest.mark.broker


def change(world: World, **settings) -> None:
    """Changes central's configuration before it starts."""
    document = yaml.safe_load(world.made.central.read_text())
    world.made.central.write_text(yaml.safe_dump(document | settings))
    world.central.__init__(world.made.central)


@contextmanager
def worker(world: World, number: int):
    """`likeness-central run --worker N` as a process, at work."""
    command = [sys.executable, "-m", "central", "run", "--config", str(world.made.central), "--worker", str(number)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        lines, reading = [], threading.Event()

        def read() -> None:
            for line in process.stderr:
                lines.append(line)
                if "broker connected" in line:
                    reading.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert reading.wait(20), lines
        try:
            yield process, lines
        finally:
            process.terminate()
            process.wait(20)
            reader.join()


@pytest.fixture
def shared(tmp_path):
    """A world for two workers."""
    made = create_demo_authority(tmp_path / "keys", ("shop-1", "shop-2"), port=free_port(), workers=2)
    built = World(tmp_path, made, Broker(made), Central(made.central))
    built.broker.start()
    try:
        yield built
    finally:
        built.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_workers_share_and_one_that_is_killed_takes_nothing_along(shared, kind, request):
    if kind == "postgresql":
        change(shared, ledger=request.getfixturevalue("postgresql").address())
    terminals = [shared.terminal("shop-1", receipt_wait_s=0.5), shared.terminal("shop-2", receipt_wait_s=0.5)]
    with worker(shared, 1) as (_, first), worker(shared, 2) as (second, lines):
        for terminal in terminals:
            terminal.connect()
            for _ in range(60):
                terminal.append()
        until(lambda: any("batch" in line for line in first) and any("batch" in line for line in lines), "both work")
        os.kill(second.pid, signal.SIGKILL)
        for terminal in terminals:
            for _ in range(20):
                terminal.append()
            terminal.is_receipted()
        held = shared.central.held()
        assert len(held) == 160 and all(custody.linked and custody.reason is None for custody in held)
        assert [custody.number for custody in held] == list(range(1, 161))


def test_a_worker_that_the_configuration_does_not_name_is_one_line(world):
    done = central(world, "run", "--worker", "2")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "broker.workers names 0: add the certificate and key of worker 2" in done.stderr


def test_a_revocation_counts_for_the_next_result_of_a_live_session(running):
    terminal = running.terminal()
    terminal.connect()
    terminal.append()
    terminal.is_receipted()
    path = running.central.settings.registry
    entries = yaml.safe_load(path.read_text())
    path.write_text("nonsense: [")
    terminal.append()
    terminal.is_receipted()
    entries["terminals"]["shop-1"]["revoked"] = True
    path.write_text(yaml.safe_dump(entries))
    terminal.append()
    terminal.is_receipted()
    assert [custody.reason for custody in running.central.held()] == [None, None, "revoked"]


@contextmanager
def obedient(terminal):
    """What the daemon does with commands, in a thread of the test."""
    desk = CommandDesk(terminal.keys, samples.BOOT, terminal.outbox, terminal.clock)
    stop, obeyed = threading.Event(), []

    def work() -> None:
        while not stop.wait(0.02):
            raw = terminal.commands.get()
            if raw is not None:
                effect = Effect("Done as told.", partial(obeyed.append, raw))
                terminal.link.say(Leaf.COMMAND_REPLY, desk.obey(raw, lambda _, effect=effect: effect))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield obeyed
    finally:
        stop.set()
        thread.join()


def test_a_command_is_obeyed_once_and_its_reply_ends_it(running):
    terminal = running.terminal()
    terminal.connect()
    with obedient(terminal) as obeyed:
        for code in ("identify", "pause"):
            done = central(running, "command", "shop-1", code)
            assert (done.returncode, done.stdout) == (0, "done: Done as told.\n"), done.stderr
        assert len(obeyed) == 2


def test_a_command_that_nobody_answers_is_repeated_until_it_expires(world):
    change(world, repeat_requests_s=0.1)
    world.broker.start()
    world.central.start()
    terminal = world.terminal()
    terminal.connect()
    done = central(world, "command", "shop-1", "restart", "--lifetime", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "no reply: is `likeness-central run` at work, and the terminal on the line?\n"
    assert terminal.commands.get() == terminal.commands.get() is not None


def test_health_evidence_and_reports_from_end_to_end(running):
    terminal = running.terminal()
    terminal.connect()
    terminal.link.report_health()
    done = central(
        running, "request", "--terminal", "shop-1", "--card", "--evidence", "signals", "--evidence", "portrait",
        "--attendant", "+cmd", "--subject", "pseudonym-5",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    desk = desk_of(terminal)
    request = desk.accept(terminal.requests.get(timeout=20), now=None)
    jti = samples.uuid7(samples.NOW * 1000, b"evidence..")
    context = evidence_context(result=jti, terminal="shop-1", purpose=request.echo.purpose)
    sealed = seal(samples.pack().write(), terminal.keys.evidence_recipient, context)
    mark = EvidenceMark(sha256=hashlib.sha256(sealed).hexdigest(), bytes=len(sealed), kinds=("signals", "portrait"))
    told = {"offline": False, "nonce": request.nonce, "request": request.echo, "reference": samples.card()}
    terminal.append(jti=jti, evidence=mark, **told)
    terminal.is_receipted()
    claims = samples.evidence(result=jti, sealed=sealed)
    terminal.link.say(Leaf.EVIDENCE, sign(Kind.EVIDENCE, claims.write(), terminal.keys.result_key).raw)
    out = running.folder / "evidence"
    key = str(running.made.central.parent / "evidence.key")
    until(lambda: central(running, "evidence", jti, "--key", key, "--out", str(out)).returncode == 0, "evidence")
    assert (out / f"{jti}-portrait.jpg").read_bytes() == samples.PORTRAIT
    assert json.loads((out / f"{jti}-signals.json").read_bytes())["yaw_deg"] == [1.5, None]
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    other = central(running, "evidence", jti, "--key", str(running.made.central.parent / "requests.key"), "--out", "x")
    assert other.returncode == 2 and "not an X25519 private key" in other.stderr

    report = json.loads(central(running, "report", "--json").stdout)
    assert report["terminals"][0]["presence"] == "online" and report["terminals"][0]["outbox"] == "ok"
    assert report["gaps"] == [] and "terminals: 2" in central(running, "report").stdout
    path = running.folder / "results.csv"
    assert central(running, "export", "--format", "csv", "--out", str(path)).returncode == 0
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert (row["verdict"], row["attendant"], row["subject"]) == ("accepted", "'+cmd", "pseudonym-5")
    assert path.stat().st_mode & 0o777 == 0o600
    (line,) = central(running, "export").stdout.splitlines()
    assert json.loads(line)["claims"]["evidence"]["sha256"] == mark.sha256


def test_rules_raise_alarms_and_metrics_count_on_loopback(world):
    change(world, rules={"every_s": 0.1, "hot_terminals": {"results": 3, "hours": 1}})
    metrics = Metrics()
    world.central.metrics = metrics
    world.broker.start()
    world.central.start()
    terminal = world.terminal()
    terminal.connect()
    for _ in range(4):
        terminal.append()
    terminal.is_receipted()
    served = metrics.serve(0)
    try:

        def shown() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/metrics", timeout=20) as page:
                return page.read().decode()

        until(lambda: 'likeness_alarms_total{rule="hot-terminals"} 1.0' in shown(), "an alarm")
        assert 'likeness_results_total{verdict="accepted"} 4.0' in shown() and "shop-1" not in shown()
    finally:
        served.close()
    report = json.loads(central(world, "report", "--json").stdout)
    assert [(alarm["rule"], alarm["about"]) for alarm in report["alarms"]] == [("hot-terminals", "shop-1")]
