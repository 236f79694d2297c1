"""What reaches a terminal, and what both sides derive, by the vectors."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from contract_files import public_keys, read
from contract_keys import EVIDENCE_KEY, RESULT_KEYS, UNSEALING_KEYS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.delivery.keys import TerminalKeys, TlsFiles
from device.delivery.outbox import Outbox
from device.delivery.receipts import ReceiptRefusedError, open_receipt
from device.delivery.requests import PolicyFloor, RequestDesk, RequestRefusedError
from device.wire.envelope import Kind, key_id
from device.wire.fields import FalseMatchRate, decode_base64url, encode_base64url
from device.wire.light import derive_light
from device.wire.plan import derive_plan, guess_probability
from device.wire.sealing import SealingContext, SealingError, commitment, unseal

KEYS = public_keys()
NO_TLS = TlsFiles(Path("-"), Path("-"), Path("-"), datetime.now(UTC), datetime.now(UTC))
named = pytest.mark.parametrize


def keys_of(terminal: str) -> TerminalKeys:
    requests, receipts = KEYS[Kind.REQUEST], KEYS[Kind.RECEIPT]
    return TerminalKeys(terminal, RESULT_KEYS[terminal], UNSEALING_KEYS[terminal], requests, receipts, NO_TLS)


@named("vector", read("requests"), ids=lambda vector: vector["name"])
def test_a_request_is_begun_or_refused_for_its_reason(vector, tmp_path):
    state = vector["state"]
    keys = keys_of(state["terminal"])
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
