"""The challenges beside the standard one are no easier to guess."""

import pytest
import samples

from central.challenges import CHALLENGES
from device.wire.claims import Challenge, StepTiming
from device.wire.plan import TURNS, Action, derive_plan, guess_probability, possible_plans
from device.wire.request import Alternative, Policy

STANDARD = guess_probability(Policy().actions, Policy().steps)


def test_the_standard_one_is_what_a_policy_asks_for_without_words():
    assert (CHALLENGES["standard"].actions, CHALLENGES["standard"].steps) == (Policy().actions, Policy().steps)
    assert pytest.approx(1 / 32) == STANDARD


@pytest.mark.parametrize(("name", "plans"), [("turns", 48), ("left", 46), ("right", 46)])
def test_each_is_at_least_as_hard_to_guess_and_one_step_less_would_not_be(name, plans):
    other = CHALLENGES[name]
    assert len(possible_plans(other.actions, other.steps)) == plans
    assert guess_probability(other.actions, other.steps) <= STANDARD
    assert guess_probability(other.actions, other.steps - 1) > STANDARD


@pytest.mark.parametrize("name", list(CHALLENGES))
def test_each_plan_has_a_turn_and_only_what_was_offered(name):
    other = CHALLENGES[name]
    for plan in possible_plans(other.actions, other.steps):
        assert not TURNS.isdisjoint(plan)
        assert set(plan) <= set(other.actions)


def test_two_plans_of_one_session_share_nothing():
    drawn = {"nonce": bytes(32), "salt": bytes(16), "session": "s", "terminal": "shop-1"}
    standard, turns = (
        derive_plan(**drawn, actions=CHALLENGES[name].actions, steps=CHALLENGES[name].steps)
        for name in ("standard", "turns")
    )
    assert standard.pauses_s != turns.pauses_s[:3]


def chosen(name: str, alternative: bool = True, **changes):
    other = CHALLENGES[name]
    drawn = {"nonce": samples.NONCE, "salt": samples.SALT, "session": samples.SESSION, "terminal": samples.TERMINAL}
    plan = derive_plan(**drawn, actions=other.actions, steps=other.steps)
    steps, at = [], 0.0
    for action, pause in zip(plan.actions, plan.pauses_s, strict=True):
        cue = at + pause
        at = cue + 1.5
        steps.append(StepTiming(action=action, cue_s=cue, onset_s=cue + 0.6, done_s=at, passed=True))
    values = {
        "salt": samples.SALT,
        "session": samples.SESSION,
        "actions": other.actions,
        "plan": plan.actions,
        "pauses_s": plan.pauses_s,
        "steps": tuple(steps),
        "guess_probability": guess_probability(other.actions, other.steps),
        "alternative": alternative,
    }
    return Challenge(**(values | changes))


ANSWER = {"offline": False, "request": samples.echo(), "reference": samples.card()}
EASY = Alternative(actions=(Action.TURN_LEFT, Action.TURN_RIGHT), steps=3)


@pytest.mark.parametrize(
    ("offered", "challenge", "reason"),
    [
        ("turns", chosen("turns"), None),
        ("left", chosen("left"), None),
        ("turns", samples.challenge(), None),
        (None, chosen("turns"), "contradicts-request"),
        ("left", chosen("turns"), "contradicts-request"),
        ("turns", chosen("turns", alternative=False), "contradicts-request"),
        ("turns", chosen("standard"), "contradicts-request"),
    ],
)
def test_a_result_holds_what_was_asked_for_or_what_was_offered(bench, offered, challenge, reason):
    policy = Policy(grades=("card",), alternative=CHALLENGES[offered] if offered else None)
    bench.asks(samples.request(policy=policy))
    assert bench.judge(bench.signed(**ANSWER, challenge=challenge).raw).reason == reason


def test_what_is_easier_to_guess_is_set_apart_even_when_it_was_offered(bench, monkeypatch):
    monkeypatch.setitem(CHALLENGES, "easy", EASY)
    bench.asks(samples.request(policy=Policy(grades=("card",), alternative=EASY)))
    assert bench.judge(bench.signed(**ANSWER, challenge=chosen("easy")).raw).reason == "contradicts-request"


def test_an_attendant_asks_for_another_challenge_at_once(bench):
    turns = CHALLENGES["turns"]
    bench.asks(samples.request(policy=Policy(grades=("card",), actions=turns.actions, steps=turns.steps)))
    assert bench.judge(bench.signed(**ANSWER, challenge=chosen("turns", alternative=False)).raw).reason is None
