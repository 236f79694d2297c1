"""Vectors of what reaches a terminal: requests, commands, receipts."""

from __future__ import annotations

from typing import Any

import contract_messages as messages
from contract_envelopes import signed
from contract_keys import RECEIPT_KEY, REQUEST_KEY, RESULT_KEYS, STRANGER
from contract_messages import (
    BOOT,
    COMMAND_ID,
    NOW,
    REQUEST_ID,
    Document,
    changed,
    without,
)

from device.wire.envelope import Kind
from device.wire.fields import encode_base64url

OTHER_ID = REQUEST_ID[:-2] + "bb"
OTHER_BOOT = BOOT.replace("1", "2")


def requests() -> list[Document]:
    """requests.json: what becomes of a request, for a terminal in this state; `now` is null without a trusted clock."""
    state: Document = {
        "terminal": "shop-1",
        "boot": BOOT,
        "now": NOW + 1,
        "fmr": "1e-3",
        "guess_probability": 0.1,
        "evidence_key": True,
        "used": [],
    }
    good = messages.request()
    card = without(changed(good, "policy.grades", ["card"]), "reference")
    witness, blinks = changed(card, "policy.grades", ["witnessed"]), {"actions": ["blink"], "steps": 8}
    sealed_for = {
        "another terminal": messages.sealed("shop-2"),
        "another request": messages.sealed(request=OTHER_ID),
        "another purpose": messages.sealed(purpose="payment"),
    }
    tampered = messages.sealed()[:-1] + bytes([messages.sealed()[-1] ^ 1])
    cases: list[tuple[str, Document, Document, str]] = [
        ("as it should be", {}, good, "accepted"),
        ("without a trusted clock", {"now": None}, changed(good, "exp", NOW), "accepted"),
        ("in its last second", {"now": NOW + 599}, good, "accepted"),
        ("for the printed card", {}, card, "accepted"),
        ("for a witness", {}, witness, "accepted"),
        ("for a witness, with a reference", {}, changed(good, "policy.grades", ["witnessed"]), "grade-not-asked-for"),
        ("for a witness, with evidence", {}, changed(witness, "policy.evidence", ["signals"]), "evidence-not-possible"),
        ("with an alternative", {}, changed(good, "policy.alternative", messages.TURNS), "accepted"),
        (
            "with an easier one",
            {},
            changed(good, "policy.alternative", messages.TURNS | {"steps": 4}),
            "policy-too-weak",
        ),
        ("with one of no plan", {}, changed(good, "policy.alternative", blinks), "policy-too-weak"),
        ("with evidence", {}, changed(good, "policy.evidence", ["signals", "portrait"]), "accepted"),
        ("for another terminal", {"terminal": "shop-2"}, good, "other-terminal"),
        ("for another boot", {"boot": OTHER_BOOT}, good, "other-boot"),
        ("expired", {"now": NOW + 600}, good, "expired"),
        ("late by a day", {"now": NOW + 86_400}, good, "expired"),
        ("replayed", {"used": [REQUEST_ID]}, good, "used"),
        ("replayed without a trusted clock", {"used": [OTHER_ID, REQUEST_ID], "now": None}, good, "used"),
        ("policy below the floor", {"fmr": "1e-4"}, good, "policy-too-weak"),
        ("a plan that is guessed", {}, changed(good, "policy.steps", 1), "policy-too-weak"),
        ("a floor for the plan", {"guess_probability": 0.03}, good, "policy-too-weak"),
        ("no plan at all", {}, changed(good, "policy.actions", ["blink"]), "policy-too-weak"),
        ("a reference nobody asked for", {}, changed(good, "policy.grades", ["card"]), "grade-not-asked-for"),
        ("no reference and no card", {}, without(good, "reference"), "grade-not-asked-for"),
        ("evidence nobody knows", {}, changed(good, "policy.evidence", ["film"]), "evidence-not-possible"),
        (
            "evidence without a key",
            {"evidence_key": False},
            changed(good, "policy.evidence", ["signals"]),
            "evidence-not-possible",
        ),
        (
            "a reference changed",
            {},
            changed(good, "reference.sealed", encode_base64url(tampered)),
            "reference-not-for-us",
        ),
        ("a reference swapped", {}, changed(good, "reference.commitment", "f" * 64), "reference-not-for-us"),
        ("another boot, and expired", {"boot": OTHER_ID, "now": NOW + 600}, good, "other-boot"),
        ("claims that cannot be read", {}, without(good, "nonce"), "malformed"),
    ]
    cases += [
        (
            f"a reference sealed for {whom}",
            {},
            changed(good, "reference.sealed", encode_base64url(raw)),
            "reference-not-for-us",
        )
        for whom, raw in sealed_for.items()
    ]
    made = [
        {"name": name, "state": state | different, "envelope": signed(Kind.REQUEST, claims).decode(), "expect": expect}
        for name, different, claims, expect in cases
    ]
    forged = {
        "signed by a stranger": (signed(Kind.REQUEST, good, STRANGER), "unknown-key"),
        "signed with central's receipt key": (signed(Kind.REQUEST, good, RECEIPT_KEY), "unknown-key"),
        "a command": (signed(Kind.COMMAND, messages.command()), "wrong-type"),
    }
    return made + [
        {"name": name, "state": state, "envelope": raw.decode(), "expect": expect}
        for name, (raw, expect) in forged.items()
    ]


def commands() -> list[Document]:
    """commands.json: `obeyed` is the last one obeyed; `ignored: ...` is counted and not answered."""
    last, same = {"counter": 4, "jti": OTHER_ID}, {"counter": 5, "jti": COMMAND_ID}
    state: Document = {"terminal": "shop-1", "boot": BOOT, "now": NOW + 1, "obeyed": last}
    good = messages.command()
    cases: list[tuple[str, Document, Document, str]] = [
        ("as it should be", {}, good, "obeyed"),
        ("the first", {"obeyed": None}, messages.command(counter=1), "obeyed"),
        ("without a trusted clock", {"now": None}, messages.command(exp=NOW), "obeyed"),
        ("the very same again", {"obeyed": same}, good, "answered again"),
        ("the very same again, late", {"obeyed": same, "now": NOW + 600}, good, "answered again"),
        ("the very same again, after a start", {"obeyed": same, "boot": OTHER_BOOT}, good, "answered again"),
        ("another with the same counter", {"obeyed": {"counter": 5, "jti": OTHER_ID}}, good, "refused: replayed"),
        ("an old one", {"obeyed": {"counter": 9, "jti": OTHER_ID}}, good, "refused: replayed"),
        ("for another boot", {"boot": OTHER_BOOT}, good, "refused: other-boot"),
        ("expired", {"now": NOW + 600}, good, "refused: expired"),
        ("a word nobody knows", {}, messages.command(command="open-the-till"), "refused: unknown-command"),
        ("for another terminal", {"terminal": "shop-2"}, good, "ignored: other-terminal"),
        ("claims that cannot be read", {}, without(good, "counter"), "ignored: malformed"),
    ]
    made = [
        {"name": name, "state": state | different, "envelope": signed(Kind.COMMAND, claims).decode(), "expect": expect}
        for name, different, claims, expect in cases
    ]
    forged = {
        "signed by a stranger": (signed(Kind.COMMAND, good, STRANGER), "ignored: unknown-key"),
        "signed by a terminal": (signed(Kind.COMMAND, good, RESULT_KEYS["shop-1"]), "ignored: unknown-key"),
        "a request": (signed(Kind.REQUEST, without(messages.request(), "reference")), "ignored: wrong-type"),
        "too long": (signed(Kind.COMMAND, messages.command(later="x" * 4096)), "ignored: oversized"),
    }
    return made + [
        {"name": name, "state": state, "envelope": raw.decode(), "expect": expect}
        for name, (raw, expect) in forged.items()
    ]


def receipts() -> list[Document]:
    """receipts.json: what waits on shop-1, and what a receipt frees of it."""
    waiting = [
        {"epoch": 2, "seq": 0, "sha256": "0a" * 32},
        {"epoch": 2, "seq": 1, "sha256": "1b" * 32},
        {"epoch": 2, "seq": 1, "sha256": "2c" * 32},
        {"epoch": 2, "seq": 2, "sha256": "3d" * 32},
    ]

    def entry(index: int, **changes: Any) -> Document:
        return waiting[index] | {"verdict": "accepted"} | changes

    cases: list[tuple[str, Document, list[int] | str]] = [
        ("for the anchor", messages.receipt(entry(0)), [0]),
        ("for a result", messages.receipt(entry(1)), [1]),
        ("for evidence, which has its result's place", messages.receipt(entry(2)), [2]),
        ("for all", messages.receipt(*(entry(index) for index in range(4))), [0, 1, 2, 3]),
        ("quarantined", messages.receipt(entry(3, verdict="quarantined", reason="fork")), [3]),
        ("a verdict nobody knows", messages.receipt(entry(3, verdict="postponed")), [3]),
        ("another digest", messages.receipt(entry(3, sha256="4e" * 32)), []),
        ("another place", messages.receipt(entry(3, seq=3)), []),
        ("another epoch", messages.receipt(entry(3, epoch=1)), []),
        ("one of them unknown", messages.receipt(entry(1, sha256="4e" * 32), entry(3)), [3]),
        ("for another terminal", messages.receipt(entry(1), aud="shop-2"), "refused: other-terminal"),
        ("without entries", messages.receipt(), "refused: malformed"),
    ]
    made = [
        {"name": name, "waiting": waiting, "envelope": signed(Kind.RECEIPT, claims).decode(), "expect": expect}
        for name, claims, expect in cases
    ]
    good = messages.receipt(entry(1))
    forged = {
        "of another central": signed(Kind.RECEIPT, good, STRANGER),
        "signed with central's request key": signed(Kind.RECEIPT, good, REQUEST_KEY),
    }
    return made + [
        {"name": name, "waiting": waiting, "envelope": raw.decode(), "expect": "refused: unknown-key"}
        for name, raw in forged.items()
    ]
