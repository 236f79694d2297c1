"""The plan: the contract's test vector, made a second time from RFC 5869 alone, and the rules that every plan keeps."""

import hashlib
import hmac
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.wire.plan import (
    DEFAULT_ACTIONS,
    EYE_ACTIONS,
    MAX_PAUSE_S,
    MIN_PAUSE_S,
    TURNS,
    Action,
    PlanError,
    derive_plan,
    guess_probability,
    possible_plans,
)

VECTOR = {
    "nonce": bytes(range(32)),
    "salt": bytes(range(100, 132)),
    "session": "0199f0c4-1c00-7000-8000-000000000001",
    "terminal": "shop-1",
}

EXPECTED = ((Action.TURN_RIGHT, Action.BLINK_TWICE, Action.TURN_RIGHT), (1.469, 1.449, 1.575))


def by_the_contract(nonce: bytes, salt: bytes, session: str, terminal: str) -> tuple[list[str], list[float]]:
    """docs/protocol.md, "The plan", read by somebody who has never seen this code."""
    actions = ["blink", "blink-twice", "turn-left", "turn-right"]
    fields = ["likeness/v1/plan", session, terminal, ",".join(actions), "3"]
    info = b"".join(len(field).to_bytes(2, "big") + field.encode() for field in fields)
    key = hmac.new(salt, nonce, hashlib.sha256).digest()
    block = hmac.new(key, info + b"\x01", hashlib.sha256).digest()
    words = [int.from_bytes(block[at : at + 8], "big") for at in (0, 8, 16, 24)]
    plans = [
        plan
        for plan in itertools.product(actions, repeat=3)
        if plan[0] != plan[1] != plan[2]
        and any(action.startswith("turn") for action in plan)
        and any(action.startswith("blink") for action in plan)
    ]
    return list(plans[words[0] % len(plans)]), [round(0.4 + 1.2 * word / 2**64, 3) for word in words[1:]]


def test_the_vector_of_the_contract():
    plan = derive_plan(**VECTOR)
    assert by_the_contract(**VECTOR) == (list(plan.actions), list(plan.pauses_s))
    assert (plan.actions, plan.pauses_s) == EXPECTED


@given(st.binary(min_size=16, max_size=64), st.binary(min_size=16, max_size=64), st.text("abc-", max_size=9))
def test_any_vector(nonce, salt, session):
    plan = derive_plan(nonce=nonce, salt=salt, session=session, terminal="t")
    assert by_the_contract(nonce, salt, session, "t") == (list(plan.actions), list(plan.pauses_s))


@given(st.sets(st.sampled_from(list(Action)), min_size=2).filter(lambda actions: actions & TURNS), st.integers(2, 5))
def test_every_plan_keeps_the_rules(actions, steps):
    plan = derive_plan(nonce=bytes(16), salt=bytes(16), session="s", terminal="t", actions=actions, steps=steps)
    assert len(plan.actions) == len(plan.pauses_s) == steps
    assert all(before != after for before, after in itertools.pairwise(plan.actions))
    assert set(plan.actions) <= actions and set(plan.actions) & TURNS
    assert not actions & EYE_ACTIONS or set(plan.actions) & EYE_ACTIONS
    assert all(MIN_PAUSE_S <= pause <= MAX_PAUSE_S for pause in plan.pauses_s)


def test_plans_are_about_equally_frequent():
    plans = possible_plans(DEFAULT_ACTIONS)
    seen = [
        derive_plan(nonce=number.to_bytes(16, "big"), salt=bytes(16), session="s", terminal="t").actions
        for number in range(100 * len(plans))
    ]
    assert set(seen) == set(plans)
    # chi-square with 31 degrees of freedom: 61.1 is the 99.9th percentile
    assert sum((seen.count(plan) - 100) ** 2 / 100 for plan in plans) < 61.1
    assert guess_probability(DEFAULT_ACTIONS) == 1 / len(plans) == 1 / 32


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": bytes(15)},
        {"salt": b""},
        {"steps": 0},
        {"steps": 9},
        {"actions": [Action.BLINK, Action.LOOK_UP]},
        {"actions": [Action.TURN_LEFT]},
        {"actions": []},
    ],
)
def test_what_gives_no_plan_is_refused(wrong):
    with pytest.raises(PlanError):
        derive_plan(**(VECTOR | wrong))
