"""The command desk: each order is obeyed once, answered each time, and refused for one reason at a time."""

from typing import Any

import pytest
import samples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.config import load_central, load_signing_key
from device.delivery.clocks import TerminalClock
from device.delivery.commands import REPLIES_KEPT, CommandDesk, CommandRefusedError, Effect
from device.delivery.outbox import Outbox
from device.wire.command import Command, ReplyClaims
from device.wire.envelope import Kind, SigningKey, open_envelope, sign
from device.wire.fields import uuid7


@pytest.fixture
def signer(made) -> SigningKey:
    return load_signing_key(load_central(made.central).keys.requests)


def clock(unix_s: float = samples.NOW, *, synced: bool = True) -> TerminalClock:
    return TerminalClock(lambda: unix_s, lambda: 100.0, lambda: synced)


class Obeyed:
    """What was obeyed, in order."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def effect_of(self, command: Command) -> Effect:
        return Effect("It is done.", lambda: self.commands.append(command), {"last": command.value})


@pytest.fixture
def obeyed() -> Obeyed:
    return Obeyed()


@pytest.fixture
def desk(keys, outbox) -> CommandDesk:
    return CommandDesk(keys, samples.BOOT, outbox, clock())


def order(signer: SigningKey, number: int = 1, **changes: Any) -> bytes:
    values = {"counter": number, "jti": uuid7(samples.NOW * 1000, number.to_bytes(10, "big"))} | changes
    return sign(Kind.COMMAND, samples.command(**values).write(), signer).raw


def read(reply: bytes, keys: Any) -> ReplyClaims:
    known = {keys.result_key.kid: keys.result_key.private.public_key()}
    return ReplyClaims.read(open_envelope(reply, Kind.REPLY, known).payload)


@pytest.mark.parametrize("command", list(Command))
def test_a_command_is_obeyed_and_answered(desk, signer, keys, outbox, obeyed, command):
    reply = read(desk.obey(order(signer, command=command), obeyed.effect_of), keys)
    assert obeyed.commands == [command] and outbox.recall("last", str) == command
    assert (reply.status, reply.reason, reply.counter, reply.boot) == ("done", None, 1, samples.BOOT)
    assert reply.command == uuid7(samples.NOW * 1000, (1).to_bytes(10, "big"))


def test_the_same_command_gets_the_very_same_reply_and_is_not_obeyed_again(desk, signer, keys, outbox, obeyed):
    orders = [order(signer, number) for number in (1, 2, 3)]
    replies = [desk.obey(raw, obeyed.effect_of) for raw in orders]
    after_a_restart = CommandDesk(keys, samples.BOOT, outbox, clock(samples.NOW + 9))
    assert [after_a_restart.obey(raw, obeyed.effect_of) for raw in orders] == replies
    assert len(obeyed.commands) == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"boot": samples.OTHER_BOOT}, "other-boot"),
        ({"exp": samples.NOW}, "expired"),
        ({"counter": 5}, "replayed"),
        ({"counter": 4}, "replayed"),
        ({"command": "open-the-till"}, "unknown-command"),
    ],
)
def test_each_reason_to_refuse_is_answered(desk, signer, keys, obeyed, changes, reason):
    desk.obey(order(signer, 5), obeyed.effect_of)
    reply = read(desk.obey(order(signer, 6, **changes), obeyed.effect_of), keys)
    assert (reply.status, reply.reason) == ("refused", reason)
    assert reply.sentence.endswith(".")
    assert len(obeyed.commands) == 1
    # What was refused uses up no counter.
    assert read(desk.obey(order(signer, 6), obeyed.effect_of), keys).status == "done"


def test_without_a_clock_to_trust_nothing_expires(keys, outbox, signer, obeyed):
    desk = CommandDesk(keys, samples.BOOT, outbox, clock(synced=False))
    assert read(desk.obey(order(signer, exp=1), obeyed.effect_of), keys).status == "done"


def test_what_is_not_for_us_is_not_answered(desk, signer, keys, obeyed):
    hostile = {
        "other-terminal": order(signer, aud="shop-2"),
        "unknown-key": order(keys.result_key),
        "wrong-type": sign(Kind.REQUEST, samples.command().write(), signer).raw,
        "oversized": b"x" * (Kind.COMMAND.max_bytes + 1),
        "malformed": sign(Kind.COMMAND, b"{}", signer).raw,
        "bad-signature": order(signer)[:-8] + b"AAAAAAAA",
    }
    for reason, raw in hostile.items():
        with pytest.raises(CommandRefusedError, match=reason):
            desk.obey(raw, obeyed.effect_of)
    assert obeyed.commands == []


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300), wrap=st.booleans())
def test_any_bytes_are_refused(desk, signer, obeyed, raw, wrap):
    with pytest.raises(CommandRefusedError):
        desk.obey(sign(Kind.COMMAND, raw, signer).raw if wrap else raw, obeyed.effect_of)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(1, 8), max_size=16))
def test_counters_only_rise_in_whatever_order_commands_come(made, keys, tmp_path_factory, signer, numbers):
    outbox = Outbox(tmp_path_factory.mktemp("outbox") / "o", samples.TERMINAL, keys.result_key)
    desk, obeyed, highest, replies = CommandDesk(keys, samples.BOOT, outbox, clock()), Obeyed(), 0, {}
    for number in numbers:
        reply = desk.obey(order(signer, number), obeyed.effect_of)
        if number in replies:
            assert reply == replies[number]
        elif number > highest:
            assert read(reply, keys).status == "done"
            highest, replies[number] = number, reply
        else:
            assert read(reply, keys).reason == "replayed"
    assert len(obeyed.commands) == len(replies)
    outbox.close()


def test_only_the_newest_replies_are_kept(desk, signer, keys, obeyed):
    for number in range(1, REPLIES_KEPT + 2):
        desk.obey(order(signer, number), obeyed.effect_of)
    assert read(desk.obey(order(signer, 1), obeyed.effect_of), keys).reason == "replayed"
    assert read(desk.obey(order(signer, 2), obeyed.effect_of), keys).status == "done"
    assert len(obeyed.commands) == REPLIES_KEPT + 1


def test_what_cannot_be_written_down_is_not_obeyed(tmp_path, signer, keys, obeyed):
    outbox = Outbox(tmp_path / "none" / "outbox", samples.TERMINAL, keys.result_key)
    desk = CommandDesk(keys, samples.BOOT, outbox, clock())
    reply = read(desk.obey(order(signer), obeyed.effect_of), keys)
    assert (reply.status, reply.reason) == ("failed", "outbox-fault")
    assert obeyed.commands == []
    (tmp_path / "none").mkdir()
    assert read(desk.obey(order(signer), obeyed.effect_of), keys).status == "done"
    outbox.close()
