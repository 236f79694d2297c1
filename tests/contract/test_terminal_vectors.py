"""What reaches a terminal, and what both sides derive, by the vectors."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import contract_messages as messages
import pytest
from contract_envelopes import signed
from contract_files import public_keys, read
from contract_keys import EVIDENCE_KEY, RESULT_KEYS, UNSEALING_KEYS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.delivery.clocks import TerminalClock
from device.delivery.commands import CommandDesk, CommandRefusedError, Effect
from device.delivery.keys import TerminalKeys, TlsFiles
from device.delivery.outbox import Outbox
from device.delivery.receipts import ReceiptRefusedError, open_receipt
from device.delivery.requests import PolicyFloor, RequestDesk, RequestRefusedError
from device.wire.command import ReplyClaims
from device.wire.envelope import Kind, key_id, open_envelope
from device.wire.fields import FalseMatchRate, decode_base64url, encode_base64url
from device.wire.light import derive_light
from device.wire.plan import derive_plan, guess_probability
from device.wire.sealing import SealingContext, SealingError, commitment, unseal
from device.wire.slip import slip_digest
from device.wire.update import BundleKind, is_drawn

KEYS = public_keys()
NO_TLS = TlsFiles(Path("-"), Path("-"), Path("-"), datetime.now(UTC), datetime.now(UTC))
named = pytest.mark.parametrize


def keys_of(terminal: str) -> TerminalKeys:
    requests, receipts = KEYS[Kind.REQUEST], KEYS[Kind.RECEIPT]
    return TerminalKeys(terminal, RESULT_KEYS[terminal], UNSEALING_KEYS[terminal], requests, receipts, NO_TLS)


def clock(now: float | None) -> TerminalClock:
    """A clock that stands still, and is not to be trusted when it shows no time."""
    return TerminalClock(lambda: now or 0.0, lambda: 100.0, lambda: now is not None)


@named("vector", read("requests"), ids=lambda vector: vector["name"])
def test_a_request_is_begun_or_refused_for_its_reason(vector, tmp_path):
    state = vector["state"]
    keys = keys_of(state["terminal"])
    if state["evidence_key"]:
        keys = replace(keys, evidence_recipient=EVIDENCE_KEY.public_key())
    outbox = Outbox(tmp_path / "outbox.sqlite", state["terminal"], keys.result_key)
    try:
        for used in state["used"]:
            outbox.use(used, state["boot"])
        floor = PolicyFloor(FalseMatchRate(state["fmr"]), state["guess_probability"])
        desk = RequestDesk(keys, state["boot"], outbox, floor)
        try:
            desk.accept(vector["envelope"].encode(), state["now"])
            answer = "accepted"
        except RequestRefusedError as error:
            answer = error.reason
    finally:
        outbox.close()
    assert answer == vector["expect"]


def obey(vector, outbox: Outbox) -> str:
    state = vector["state"]
    if (last := state["obeyed"]) is not None:
        before = signed(Kind.COMMAND, messages.command(aud=state["terminal"], **last))
        earlier = CommandDesk(keys_of(state["terminal"]), messages.BOOT, outbox, clock(messages.NOW))
        first_reply = earlier.obey(before, lambda command: Effect("Done.", lambda: None))
    obeyed = []
    desk = CommandDesk(keys_of(state["terminal"]), state["boot"], outbox, clock(state["now"]))
    try:
        raw = desk.obey(
            vector["envelope"].encode(), lambda command: Effect("Done.", lambda: obeyed.append(command.value))
        )
    except CommandRefusedError as error:
        return f"ignored: {error}"
    reply = ReplyClaims.read(open_envelope(raw, Kind.REPLY, KEYS[Kind.REPLY]).payload)
    if reply.status == "done":
        assert (obeyed == []) == (last is not None and raw == first_reply)
        return "obeyed" if obeyed else "answered again"
    assert obeyed == []
    return f"{reply.status}: {reply.reason}"


@named("vector", read("commands"), ids=lambda vector: vector["name"])
def test_a_command_is_obeyed_once_or_refused_for_its_reason(vector, tmp_path):
    terminal = vector["state"]["terminal"]
    outbox = Outbox(tmp_path / "outbox.sqlite", terminal, RESULT_KEYS[terminal])
    try:
        assert obey(vector, outbox) == vector["expect"]
    finally:
        outbox.close()


@named("vector", read("receipts"), ids=lambda vector: vector["name"])
def test_a_receipt_frees_what_it_names(vector):
    try:
        entries = {
            (entry.epoch, entry.seq, entry.sha256)
            for entry in open_receipt(vector["envelope"].encode(), "shop-1", KEYS[Kind.RECEIPT])
        }
    except ReceiptRefusedError as error:
        assert vector["expect"] == f"refused: {error}"
        return
    waiting = [tuple(row.values()) for row in vector["waiting"]]
    assert [index for index, row in enumerate(waiting) if row in entries] == vector["expect"]


def derived(vector):
    match vector["derive"]:
        case "kid":
            return key_id(Ed25519PublicKey.from_public_bytes(decode_base64url(vector["x"])))
        case "drawn":
            return is_drawn(BundleKind(vector["kind"]), vector["number"], vector["terminal"], vector["permille"])
        case "slip":
            return slip_digest(vector["code"])
        case "commitment":
            return commitment(decode_base64url(vector["picture"]), decode_base64url(vector["nonce"]))
        case "unsealed":
            key = EVIDENCE_KEY if vector["key"] == "central" else UNSEALING_KEYS[vector["key"]]
            try:
                return encode_base64url(
                    unseal(decode_base64url(vector["sealed"]), key, SealingContext(*vector["context"]))
                )
            except SealingError:
                return None
    inputs = {name: decode_base64url(vector[name]) for name in ("nonce", "salt")}
    inputs |= {name: vector[name] for name in ("session", "terminal")}
    if vector["derive"] == "light":
        code = derive_light(**inputs)
        return {"colours": list(code.colours), "starts_s": list(code.starts_s)}
    plan = derive_plan(**inputs, actions=vector["actions"], steps=vector["steps"])
    guess = guess_probability(vector["actions"], vector["steps"])
    return {"plan": list(plan.actions), "pauses_s": list(plan.pauses_s), "guess_probability": guess}


@named("vector", read("derivations"), ids=lambda vector: f"{vector['derive']} {vector.get('name', '')}")
def test_both_sides_derive_the_same(vector):
    assert derived(vector) == vector["expect"]
