"""Vectors of whole chains and of what is refused before any chain: the arrivals, and the holes that are left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import contract_messages as messages
from contract_envelopes import signed
from contract_keys import OLD_RESULT_KEY, RESULT_KEYS, STRANGER
from contract_messages import GENESIS, without

from device.wire.envelope import Kind

Arrival = tuple[str, bytes, str]
"""The topic's terminal, the envelope, and what becomes of it: `accepted`, `quarantined: ...` or `refused: ...`."""


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def result(seq: int, prev: bytes | None = None, terminal: str = "shop-1", epoch: int = 1, **changes: Any) -> bytes:
    """A short result that follows `prev`."""
    claims = messages.declined(seq, digest(prev) if prev else GENESIS, epoch, terminal)
    return signed(Kind.RESULT, claims | changes, RESULT_KEYS[terminal])


def chains() -> Iterator[tuple[str, list[Arrival], list[list[int]]]]:
    def arrive(*arrivals: tuple[bytes, str]) -> list[Arrival]:
        return [("shop-1", raw, expect) for raw, expect in arrivals]

    good, fork = "accepted", "quarantined: fork"
    first = result(1)
    second = result(2, first)
    third = result(3, second)
    other = result(2, first, uptime_s=1.0)
    yield "a chain in order", arrive((first, good), (second, good), (third, good)), []
    yield "replayed results", arrive((first, good), (second, good), (first, good), (second, good)), []
    yield "a gap", arrive((first, good), (third, good)), [[1, 2, 2]]
    yield "a gap that is filled", arrive((first, good), (third, good), (second, good)), []
    yield "a gap at the beginning", arrive((third, good)), [[1, 1, 2]]
    yield "everything the other way round", arrive((third, good), (second, good), (first, good)), []
    yield "a gap, and something else for it", arrive((first, good), (third, good), (other, fork)), [[1, 2, 2]]
    yield "two results for one place", arrive((first, good), (second, good), (other, fork)), []
    yield "a fork that comes again", arrive((first, good), (second, good), (other, fork), (other, fork)), []
    yield "a fork at the first place", arrive((first, good), (result(1, uptime_s=1.0), fork)), []
    yield "what follows a fork", arrive((first, good), (second, good), (other, fork), (result(3, other), fork)), []
    yield "a result that follows nothing held", arrive((first, good), (result(2, third), fork)), []
    yield "a first result that follows something", arrive((result(1, third), fork)), []
    yield "zeros at the second place", arrive((first, good), (result(2), fork)), []
    broken = signed(Kind.RESULT, messages.declined() | {"outcome": 7})
    after = arrive((broken, "quarantined: malformed-claims"), (result(2, broken), good))
    yield "a quarantined result keeps its place", after, []
    yield "a quarantined result again", [after[0], after[0]], []


def epochs() -> Iterator[tuple[str, list[Arrival], list[list[int]]]]:
    def arrive(*arrivals: tuple[bytes, str]) -> list[Arrival]:
        return [("shop-2", raw, expect) for raw, expect in arrivals]

    good, unanchored = "accepted", "quarantined: unanchored-epoch"
    anchor = signed(Kind.ANCHOR, messages.anchor())
    second_anchor = signed(Kind.ANCHOR, messages.anchor(reason="outbox-lost"))
    first = result(1, anchor, "shop-2", 2)
    yield "an epoch with its anchor", arrive((anchor, good), (first, good), (result(2, first, "shop-2", 2), good)), []
    yield "an anchor that comes again", arrive((anchor, good), (first, good), (anchor, good)), []
    yield "a second anchor", arrive((anchor, good), (second_anchor, "quarantined: fork")), []
    yield "a result before its anchor", arrive((first, unanchored)), []
    yield (
        "zeros where the anchor's digest belongs",
        arrive((anchor, good), (result(1, None, "shop-2", 2), "quarantined: fork")),
        [],
    )
    yield "an old epoch", arrive((result(1, None, "shop-2", 1), "quarantined: stale-epoch")), []
    yield (
        "an old epoch after the anchor",
        arrive((anchor, good), (result(1, None, "shop-2", 1), "quarantined: stale-epoch")),
        [],
    )
    yield (
        "an anchor of an epoch that nobody approved",
        arrive((signed(Kind.ANCHOR, messages.anchor(epoch=3)), unanchored)),
        [],
    )
    unapproved = signed(Kind.ANCHOR, messages.anchor(iss="shop-1"), RESULT_KEYS["shop-1"])
    yield "an anchor while the registry has the first epoch", [("shop-1", unapproved, unanchored)], []
    yield "an epoch to come, without an anchor", [("shop-1", result(1, epoch=2), unanchored)], []
    stolen = signed(Kind.ANCHOR, messages.anchor(), STRANGER)
    yield "an anchor of a stranger's", arrive((stolen, "refused: unknown-key")), []


def refused() -> Iterator[tuple[str, Arrival]]:
    raw = result(1)
    yield "another terminal's topic", ("shop-2", raw, "refused: other-terminal")
    foreign = signed(Kind.RESULT, messages.declined(terminal="shop-2"), RESULT_KEYS["shop-1"])
    yield "another terminal's name under one's own key", ("shop-2", foreign, "refused: other-terminal")
    yield "the same on one's own topic", ("shop-1", foreign, "refused: other-terminal")
    yield "a tampered byte", ("shop-1", raw.replace(b".eyJ", b".eyK", 1), "refused: bad-signature")
    yield "a stranger's key", ("shop-1", signed(Kind.RESULT, messages.declined(), STRANGER), "refused: unknown-key")
    yield "a birth among the results", ("shop-1", signed(Kind.BIRTH, messages.birth()), "refused: wrong-type")
    yield "a request among the results", ("shop-1", signed(Kind.REQUEST, messages.request()), "refused: wrong-type")
    for name in ("iss", "epoch", "seq", "prev"):
        claims = without(messages.declined(), name)
        yield f"a result without {name}", ("shop-1", signed(Kind.RESULT, claims), "refused: malformed")
    revoked = signed(Kind.RESULT, messages.declined(), OLD_RESULT_KEY)
    yield "a key that is revoked", ("shop-1", revoked, "quarantined: revoked")
    yield "a terminal that is revoked", ("shop-3", result(1, terminal="shop-3"), "quarantined: revoked")
