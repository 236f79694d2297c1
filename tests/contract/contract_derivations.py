"""Vectors of everything that both sides derive."""

from __future__ import annotations

import hashlib

import contract_messages as messages
from contract_keys import EVIDENCE_KEY, RESULT_KEYS, UNSEALING_KEYS, seal
from contract_messages import NONCE, PICTURE, REQUEST_ID, SALT, SESSION, Document

from device.wire.envelope import key_id
from device.wire.fields import encode_base64url
from device.wire.light import derive_light
from device.wire.plan import derive_plan, guess_probability
from device.wire.sealing import evidence_context, reference_context
from device.wire.slip import ENTROPY_BYTES, slip_code, slip_digest
from device.wire.update import BundleKind, is_drawn


def derivations() -> list[Document]:
    """derivations.json: key ids, plans, colours, commitments, slips, and what was sealed."""
    made: list[Document] = [
        {
            "derive": "kid",
            "x": encode_base64url(key.private.public_key().public_bytes_raw()),
            "expect": key_id(key.private.public_key()),
        }
        for key in RESULT_KEYS.values()
    ]
    sets: list[tuple[list[str], int]] = [
        (messages.ACTIONS, 3),
        (messages.ACTIONS, 8),
        (["turn-left", "turn-right"], 2),
        (["turn-left"], 1),
        (["blink", "look-up", "turn-right"], 4),
        (["blink", "blink-twice", "look-up", "turn-left", "turn-right"], 5),
    ]
    for number, (actions, steps) in enumerate(sets):
        nonce, salt = (
            hashlib.sha512(bytes([number])).digest()[: 16 + 9 * number],
            hashlib.sha256(b"salt" * number).digest(),
        )
        inputs = {"nonce": nonce, "salt": salt, "session": f"session-{number}", "terminal": f"shop-{number}"}
        plan = derive_plan(**inputs, actions=actions, steps=steps)
        code = derive_light(**inputs)
        shown = inputs | {"nonce": encode_base64url(nonce), "salt": encode_base64url(salt)}
        made += [
            {
                "derive": "plan",
                **shown,
                "actions": actions[::-1],
                "steps": steps,
                "expect": {
                    "plan": plan.actions,
                    "pauses_s": plan.pauses_s,
                    "guess_probability": guess_probability(actions, steps),
                },
            },
            {"derive": "light", **shown, "expect": {"colours": code.colours, "starts_s": code.starts_s}},
            {
                "derive": "commitment",
                "nonce": encode_base64url(nonce),
                "picture": encode_base64url(PICTURE[number:]),
                "expect": messages.commitment(nonce, PICTURE[number:]),
            },
        ]
    return made + _slips() + _drawn() + _sealed()


def _slips() -> list[Document]:
    codes = ["7GQ2M0XK94TD", "000000000000", "ZZZZZZZZZZZZ", slip_code(SALT[:ENTROPY_BYTES])]
    return [{"derive": "slip", "code": code, "expect": slip_digest(code)} for code in codes]


def _drawn() -> list[Document]:
    drawn = [
        {"kind": kind.value, "number": 7, "terminal": f"shop-{shop}", "permille": permille}
        for kind in BundleKind
        for shop, permille in ((1, 1), (1, 500), (1, 1000), (2, 300), (3, 700))
    ]
    return [{"derive": "drawn", **one, "expect": is_drawn(**one | {"kind": BundleKind(one["kind"])})} for one in drawn]


def _sealed() -> list[Document]:
    reference = ["reference", REQUEST_ID, "shop-1", "sim-registration", "to-terminal"]
    evidence = ["evidence", SESSION, "shop-1", "sim-registration", "to-central"]
    good = reference_context(request=REQUEST_ID, terminal="shop-1", purpose="sim-registration").info()
    back = evidence_context(result=SESSION, terminal="shop-1", purpose="sim-registration").info()
    raw = seal(PICTURE, UNSEALING_KEYS["shop-1"].public_key(), good, "derivation")
    own = seal(SALT + NONCE, EVIDENCE_KEY.public_key(), back, "derivation of evidence")
    cases: list[tuple[str, str, bytes, list[str], bytes | None]] = [
        ("a reference", "shop-1", raw, reference, PICTURE),
        ("evidence", "central", own, evidence, SALT + NONCE),
        ("another terminal's key", "shop-2", raw, reference, None),
        ("another context", "shop-1", raw, [*reference[:3], "payment", reference[4]], None),
        ("the other direction", "shop-1", raw, [*reference[:4], "to-central"], None),
        ("a changed key", "shop-1", bytes([raw[0] ^ 1]) + raw[1:], reference, None),
        ("a changed byte", "shop-1", raw[:40] + bytes([raw[40] ^ 1]) + raw[41:], reference, None),
        ("cut", "shop-1", raw[:-1], reference, None),
        ("a key of zeros", "shop-1", bytes(32) + raw[32:], reference, None),
    ]
    return [
        {
            "derive": "unsealed",
            "name": name,
            "key": key,
            "sealed": encode_base64url(sealed),
            "context": context,
            "expect": None if plain is None else encode_base64url(plain),
        }
        for name, key, sealed, context, plain in cases
    ]
