"""Requests over the real broker, from `likeness-central request` to the result that answers them, and the commands."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import samples
from world import Terminal, World, until

from central.connection import Connection
from device.delivery.link_status import LinkState
from device.delivery.requests import AcceptedRequest, PolicyFloor, RequestDesk, RequestRefusedError
from device.wire.envelope import Envelope, Kind
from device.wire.fields import FalseMatchRate
from device.wire.topics import Leaf, topic

pytestmark = pytest.mark.broker


def desk_of(terminal: Terminal, boot: str = samples.BOOT) -> RequestDesk:
    return RequestDesk(terminal.keys, boot, terminal.outbox, PolicyFloor(FalseMatchRate.ONE_IN_1000))


def central(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    name, *others = arguments
    command = [sys.executable, "-m", "central", name, "--config", str(world.made.central), *others]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def portrait(world: World) -> Path:
    path = world.folder / "portrait.jpg"
    path.write_bytes(samples.PORTRAIT)
    return path


def answer(terminal: Terminal, request: AcceptedRequest, **changes) -> Envelope:
    return terminal.append(
        offline=False,
        nonce=request.nonce,
        request=request.echo,
        reference=request.mark,
        **changes,
    )


def asked(world: World, terminal: Terminal) -> tuple[str, bytes]:
    """Asks by the command; returns the id it printed, and what arrived."""
    done = central(world, "request", "--terminal", terminal.name, "--reference", str(portrait(world)))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), terminal.requests.get(timeout=20)


def test_a_request_goes_in_and_its_result_comes_out(running):
    terminal = running.terminal()
    terminal.connect()
    printed, raw = asked(running, terminal)
    request = desk_of(terminal).accept(raw, now=None)
    assert request.id == printed and request.reference == samples.PORTRAIT
    assert "portrait" not in repr(request) and repr(request.nonce) not in repr(request)
    answer(terminal, request)
    terminal.is_receipted()
    (held,) = running.central.held()
    assert (held.verdict, held.reason, held.request) == ("accepted", None, printed)


def test_an_unanswered_request_is_repeated_and_a_used_one_is_refused(world):
    text = world.made.central.read_text()
    world.made.central.write_text(text + "repeat_requests_s: 0.2\n")
    world.central.__init__(world.made.central)
    world.broker.start()
    world.central.start()
    terminal = world.terminal()
    terminal.connect()
    _, raw = asked(world, terminal)
    assert terminal.requests.get(timeout=20) == raw
    request = desk_of(terminal).accept(raw, now=None)
    with pytest.raises(RequestRefusedError, match=r"^used"):
        desk_of(terminal).accept(raw, now=None)
    answer(terminal, request)
    terminal.is_receipted()


def test_hostile_requests_reach_the_desk_only_and_the_link_lives(running):
    terminal = running.terminal()
    terminal.connect()
    terminal.append()
    broker = running.central.settings.broker
    connection = Connection(broker, broker.desk, [], lasting=False)
    connection.connect()
    hostile = [b"", b"\xff" * 100, b"a" * (Kind.REQUEST.max_bytes + 500), b"e30.e30.e30"]
    for raw in hostile:
        connection.publish_and_wait(topic("shop-1", Leaf.REQUEST), raw)
    desk = desk_of(terminal)
    reasons = []
    for _ in hostile:
        with pytest.raises(RequestRefusedError) as caught:
            desk.accept(terminal.requests.get(timeout=20), now=None)
        reasons.append(caught.value.reason)
    assert reasons == ["malformed", "malformed", "oversized", "malformed"]
    connection.close()
    terminal.is_receipted()
    assert terminal.link.status.state is LinkState.CONNECTED


def test_results_against_their_request(running):
    terminal = running.terminal()
    terminal.connect()
    _, raw = asked(running, terminal)
    request = desk_of(terminal).accept(raw, now=None)
    echoes = {
        "contradicts-request": request.echo.model_copy(update={"attendant": "another"}),
        "unknown-request": samples.echo(),
    }
    for echo in echoes.values():
        terminal.append(offline=False, nonce=request.nonce, request=echo, reference=request.mark)
    terminal.append(offline=False, nonce=samples.NONCE, request=request.echo, reference=request.mark)
    for _ in range(4):
        answer(terminal, request)
    terminal.is_receipted()
    reasons = [custody.reason for custody in running.central.held()]
    assert reasons == [*echoes, "contradicts-request", None, None, None, "too-many-results"]


def test_a_terminal_that_is_not_there_is_said_in_one_line(running):
    done = central(running, "request", "--terminal", "shop-2", "--reference", str(portrait(running)), "--wait", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "terminal shop-2 is not on the line: start it, or give it more time with --wait\n"


def test_the_commands_show_what_central_verified(running):
    terminal = running.terminal()
    terminal.connect()
    envelope = terminal.append()
    terminal.is_receipted()
    until(lambda: running.central.held()[0].receipted is not None)
    shown = central(running, "results")
    for part in (
        "VERIFIED  The live person",
        "score      0.610 against threshold 0.400 (false match rate 1e-3): match",
        "guessed once in 32",
        "chain      epoch 1, seq 1",
        "signature  valid",
        "verdict    accepted",
        "receipt    returned",
    ):
        assert part in shown.stdout, shown
    assert "\x1b" not in shown.stdout
    document = json.loads(central(running, "results", "--json").stdout)
    assert document["signature_valid"] and document["claims"]["outcome"] == "verified"
    for raw, code in ((envelope.raw, 0), (envelope.raw + b"\n", 0), (envelope.raw[:-8] + b"AAAAAAAA", 1), (b"", 1)):
        path = running.folder / "envelope.jws"
        path.write_bytes(raw)
        assert central(running, "verify", str(path)).returncode == code


def test_follow_prints_as_results_come_and_ends_with_ctrl_c(running):
    terminal = running.terminal()
    terminal.connect()
    terminal.append()
    command = [sys.executable, "-m", "central", "follow", "--config", str(running.made.central), "--all", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["seq"] == 1
        terminal.append()
        assert json.loads(process.stdout.readline())["seq"] == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr.read() == ""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_run_takes_results_and_ends_cleanly(world, end):
    world.broker.start()
    terminal = world.terminal()
    command = [sys.executable, "-m", "central", "run", "--config", str(world.made.central)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        terminal.connect()
        terminal.append()
        terminal.is_receipted()
        process.send_signal(end)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0 and "Traceback" not in errors and "accepted=1" in errors


def test_central_killed_while_it_works_loses_nothing(world):
    world.broker.start()
    terminal = world.terminal()
    terminal.connect()
    command = [sys.executable, "-m", "central", "run", "--config", str(world.made.central)]
    for round_number in range(2):
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            for _ in range(40):
                terminal.append()
            next(line for line in process.stderr if "accepted=" in line)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate(timeout=20)
        assert len(world.central.held()) <= 40 * (round_number + 1)
    world.central.start()
    terminal.is_receipted()
    held = world.central.held()
    assert sorted(custody.position.seq for custody in held) == list(range(1, 81))
    assert all(custody.verdict == "accepted" for custody in held)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("request", "--terminal", "shop-9", "--reference", "x.jpg"), "there is no terminal 'shop-9'"),
        (("request", "--terminal", "shop-1", "--reference", "none.jpg"), "none.jpg: cannot be read"),
        (("request", "--terminal", "shop-1", "--reference", __file__), "is not a JPEG or PNG"),
        (("results",), "there is no ledger yet"),
        (("verify", "none.jws"), "none.jws: No such file"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(world, arguments, message):
    done = central(world, *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert message in done.stderr and done.stderr.count("\n") == 1
