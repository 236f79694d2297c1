"""Attacks on what a terminal receives, at every position of it: nothing begins, nothing is freed, each has its name."""

import pytest
import samples

from central.config import load_central, load_signing_key
from device.delivery.clocks import TerminalClock
from device.delivery.commands import CommandDesk, CommandRefusedError
from device.delivery.receipts import ReceiptRefusedError, open_receipt
from device.delivery.requests import PolicyFloor, RequestDesk, RequestRefusedError
from device.wire.envelope import Kind, sign
from device.wire.fields import FalseMatchRate
from device.wire.receipt import ReceiptClaims, ReceiptEntry, Verdict

NAMES = {"bad-signature", "malformed", "wrong-algorithm", "wrong-type", "unknown-key"}


@pytest.fixture
def central_keys(made):
    return load_central(made.central).keys


def changed_everywhere(raw: bytes):
    for position in range(len(raw)):
        yield raw[:position] + bytes([raw[position] ^ 0x01]) + raw[position + 1 :]
        yield raw[:position] + raw[position + 1 :]


def test_no_byte_of_a_receipt_can_be_changed(keys, central_keys):
    entry = ReceiptEntry(epoch=1, seq=1, sha256="a" * 64, verdict=Verdict.ACCEPTED)
    claims = ReceiptClaims(iss="central", aud=samples.TERMINAL, iat=samples.NOW, entries=(entry,))
    raw, names = sign(Kind.RECEIPT, claims.write(), load_signing_key(central_keys.receipts)).raw, set()
    assert open_receipt(raw, samples.TERMINAL, keys.receipt_signers) == (entry,)
    for changed in changed_everywhere(raw):
        with pytest.raises(ReceiptRefusedError) as caught:
            open_receipt(changed, samples.TERMINAL, keys.receipt_signers)
        names.add(str(caught.value))
    assert "bad-signature" in names <= NAMES


def test_no_byte_of_a_request_can_be_changed(keys, outbox, central_keys):
    desk = RequestDesk(keys, samples.BOOT, outbox, PolicyFloor(FalseMatchRate.ONE_IN_1000))
    raw, names = sign(Kind.REQUEST, samples.request().write(), load_signing_key(central_keys.requests)).raw, set()
    for changed in changed_everywhere(raw):
        with pytest.raises(RequestRefusedError) as caught:
            desk.accept(changed, samples.NOW)
        assert not caught.value.believed
        names.add(caught.value.reason)
    assert "bad-signature" in names <= NAMES
    assert desk.accept(raw, samples.NOW).id == samples.request().jti


def test_no_byte_of_a_command_can_be_changed(keys, outbox, central_keys):
    desk, names = CommandDesk(keys, samples.BOOT, outbox, TerminalClock()), set()
    raw = sign(Kind.COMMAND, samples.command().write(), load_signing_key(central_keys.requests)).raw
    for changed in changed_everywhere(raw):
        with pytest.raises(CommandRefusedError) as caught:
            desk.obey(changed, pytest.fail)
        names.add(str(caught.value))
    assert "bad-signature" in names <= NAMES


def test_a_key_of_central_signs_its_own_kind_only(keys, outbox, central_keys):
    """A stolen receipt key orders nothing, and a stolen request key frees nothing."""
    requests, receipts = load_signing_key(central_keys.requests), load_signing_key(central_keys.receipts)
    entry = ReceiptEntry(epoch=1, seq=1, sha256="a" * 64, verdict=Verdict.ACCEPTED)
    claims = ReceiptClaims(iss="central", aud=samples.TERMINAL, iat=samples.NOW, entries=(entry,))
    with pytest.raises(ReceiptRefusedError, match="unknown-key"):
        open_receipt(sign(Kind.RECEIPT, claims.write(), requests).raw, samples.TERMINAL, keys.receipt_signers)
    with pytest.raises(CommandRefusedError, match="unknown-key"):
        raw = sign(Kind.COMMAND, samples.command().write(), receipts).raw
        CommandDesk(keys, samples.BOOT, outbox, TerminalClock()).obey(raw, pytest.fail)
