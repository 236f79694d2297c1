"""Attacks through the real broker, with the certificates and keys that an attacker may have got hold of."""

import logging
import shutil

import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from world import LIMIT_S, Terminal, until

from central.connection import Connection
from central.ledger import Ledger
from device.wire.envelope import Kind, SigningKey, sign
from device.wire.keys import parse_signing_key
from device.wire.receipt import ReceiptClaims, ReceiptEntry, Verdict
from device.wire.topics import Leaf, topic

pytestmark = pytest.mark.broker


def alarms(world) -> list[str]:
    ledger = Ledger(world.central.settings.ledger)
    try:
        return [f"{alarm.rule} {alarm.about}: {alarm.sentence}" for alarm in ledger.alarms.since(0)]
    finally:
        ledger.close()


def receipt(envelope, key, terminal="shop-1", central="central", **changes):
    entry = {"epoch": 1, "seq": 1, "sha256": envelope.sha256, "verdict": Verdict.ACCEPTED} | changes
    claims = ReceiptClaims(iss=central, aud=terminal, iat=samples.NOW, entries=(ReceiptEntry(**entry),))
    return sign(Kind.RECEIPT, claims.write(), key).raw


def test_every_receipt_that_is_not_to_be_believed_is_named_in_the_log(running, caplog):
    caplog.set_level(logging.INFO)
    running.central.stop()
    terminal, settings = running.terminal(), running.central.settings
    terminal.connect()
    first, second = terminal.append(), terminal.append()
    key = parse_signing_key(settings.keys.receipts.read_bytes())
    other_central = SigningKey(Ed25519PrivateKey.generate())
    genuine = receipt(first, key)
    attacks = {
        "receipt refused reason=unknown-key": receipt(second, other_central, central="central-of-others"),
        "receipt refused reason=other-terminal": receipt(second, key, terminal="shop-2"),
        "receipt refused reason=bad-signature": receipt(second, key)[:-8] + b"AAAAAAAA",
        "receipt refused reason=wrong-type": sign(Kind.COMMAND, samples.command().write(), key).raw,
        "receipt refused reason=malformed": sign(Kind.RECEIPT, b"{}", key).raw,
        "receipt refused reason=oversized": b"A" * (Kind.RECEIPT.max_bytes + 1),
        "receipts for what does not wait: 1": genuine,
    }
    connection = Connection(settings.broker, settings.broker.receiver, [], lasting=False)
    connection.connect()
    for raw in (genuine, *attacks.values()):
        connection.publish_and_wait(topic("shop-1", Leaf.RECEIPT), raw)
    connection.publish_and_wait(topic("shop-1", Leaf.REQUEST), b"marks the end")
    assert terminal.requests.get(timeout=LIMIT_S) == b"marks the end"
    until(lambda: all(name in caplog.text for name in attacks), "every attack in the log")
    assert [row.sha256 for row in terminal.outbox.waiting(9)] == [second.sha256]
    connection.close()


def test_a_cloned_terminal_is_two_chains_and_an_alarm(running):
    """The card is copied at seq 1; both copies go on, one after the other."""
    original = running.terminal()
    original.connect()
    original.append()
    original.is_receipted()
    original.link.stop()
    original.outbox.close()
    (running.folder / "clone").mkdir()
    shutil.copy(running.folder / "shop-1.sqlite", running.folder / "clone" / "shop-1.sqlite")
    again, clone = running.terminal(), Terminal(running.made, running.folder / "clone", "shop-1")
    running.terminals.append(clone)
    again.connect()
    again.append()
    again.is_receipted()
    again.link.stop()
    clone.append(iat=samples.NOW + 5)
    clone.connect()
    clone.is_receipted()
    assert [held.reason for held in running.central.held()] == [None, None, "fork"]
    until(lambda: any("chains shop-1" in told and "a clone" in told for told in alarms(running)), "an alarm")


def test_results_taken_out_of_an_outbox_are_missed_at_the_next_birth(running):
    """Somebody deletes what waits, while the terminal is off: the chain is cut at its end."""
    running.central.stop()
    terminal = running.terminal()
    terminal.append()
    terminal.append()
    with terminal.outbox._database.transaction() as database:
        database.execute("DELETE FROM results WHERE seq = 2")
    running.central.start()
    terminal.connect()
    terminal.is_receipted()
    terminal.link.stop()
    running.central.holds(1)
    told = "chains shop-1: epoch 1, seq 2: 1 results before it are neither in the chain that is held nor in its outbox"
    until(lambda: told in alarms(running), "an alarm")
    assert len(alarms(running)) == 1
