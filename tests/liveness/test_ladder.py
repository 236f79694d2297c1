"""People who cannot do the standard challenge: another plan leads them through, and no rule is any softer."""

from dataclasses import replace

import pytest

from central.challenges import CHALLENGES
from device.decision import Comparison, decide
from device.liveness.evidence import Ending
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Answered, Consent, Cued, Ended, Press, step
from device.signals import Signals
from device.wire.claims import Outcome
from device.wire.plan import Action, derive_plan
from tests.liveness.captures import NEUTRAL
from tests.liveness.conftest import customer
from tests.liveness.footage import matching

SALTS = [bytes([number]) * 16 for number in range(6)]


def plan_of(name: str, salt: bytes):
    other = CHALLENGES[name]
    return derive_plan(
        nonce=bytes(32), salt=salt, session="s", terminal="shop-1", actions=other.actions, steps=other.steps
    )


def never_blinks(action: Action, waited: float):
    """Behind glasses that hide the lids, or with lids that do not close."""
    return NEUTRAL if action in (Action.BLINK, Action.BLINK_TWICE) else customer(action, waited)


def one_eye(action: Action, waited: float):
    """One eye stays closed for ever; the other one blinks now and then, as anybody's does."""
    return replace(customer(action, waited), left_eye=0.02)


def turns_left_only(action: Action, waited: float):
    return NEUTRAL if action in (Action.TURN_RIGHT, Action.LOOK_UP) else customer(action, waited)


def turns_right_only(action: Action, waited: float):
    return NEUTRAL if action in (Action.TURN_LEFT, Action.LOOK_UP) else customer(action, waited)


def never_turns(action: Action, waited: float):
    return NEUTRAL if action not in (Action.BLINK, Action.BLINK_TWICE) else customer(action, waited)


ABLE = [
    ("standard", customer),
    ("turns", customer),
    ("turns", never_blinks),
    ("turns", one_eye),
    ("left", turns_left_only),
    ("right", turns_right_only),
]


@pytest.mark.parametrize("salt", SALTS)
@pytest.mark.parametrize(("name", "answer"), ABLE)
def test_whoever_can_do_it_passes_within_the_session(show, name, answer, salt):
    plan = plan_of(name, salt)
    final = show(plan=plan, answer=answer).play()
    assert isinstance(final, Answered), final
    assert decide(final, matching(final), plan, DEFAULT_RULES).outcome is Outcome.VERIFIED


@pytest.mark.parametrize("salt", SALTS[:3])
@pytest.mark.parametrize("name", list(CHALLENGES))
def test_whoever_cannot_turn_at_all_passes_none_of_them(show, name, salt):
    plan = plan_of(name, salt)
    final = show(plan=plan, answer=never_turns).play()
    assert isinstance(final, Ended)
    assert decide(final, None, plan, DEFAULT_RULES).outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    ("name", "answer"), [("left", never_blinks), ("right", turns_left_only), ("turns", never_turns)]
)
def test_another_plan_is_no_easier_on_whoever_does_something_else(show, name, answer):
    final = show(plan=plan_of(name, SALTS[0]), answer=answer).play()
    assert isinstance(final, Ended)
    assert final.why in (Ending.CHALLENGE_NOT_ANSWERED, Ending.WRONG_ACTION)


def witnessed(*presses: Press):
    """A witnessed session of four frames, the presses with the third one."""
    state = Consent(witnessed=True)
    for number in range(4):
        signals = Signals(at=100 + number / 10, number=number, faces=0, view=None)
        state = step(state, signals, plan_of("standard", SALTS[0]), DEFAULT_RULES, presses if number == 2 else ())
    return state


def test_a_witnessed_session_is_one_press_and_looks_at_nobody():
    final = witnessed(Press.START)
    assert (final.why, final.record) == (Ending.WITNESSED, None)
    decision = decide(final, None, plan_of("standard", SALTS[0]), DEFAULT_RULES)
    assert (decision.outcome, decision.reasons) == (Outcome.WITNESSED, ("witnessed",))


@pytest.mark.parametrize("presses", [(Press.CANCEL,), (Press.START, Press.CANCEL), (Press.START_HELD, Press.CANCEL)])
def test_a_refusal_wins_there_too(presses):
    final = witnessed(*presses)
    assert decide(final, None, plan_of("standard", SALTS[0]), DEFAULT_RULES).outcome is Outcome.DECLINED


def test_a_long_press_agrees_to_no_witness():
    assert isinstance(witnessed(Press.START_HELD), Consent)


def test_a_mismatch_beside_it_is_no_witness():
    """Whatever else there is denies: nothing was to be compared."""
    mismatch = Comparison(score=0.1, threshold=0.4, compared_at=(100.1,), least_likeness=0.8)
    final = witnessed(Press.START)
    assert decide(final, mismatch, plan_of("standard", SALTS[0]), DEFAULT_RULES).outcome is Outcome.REJECTED


def test_the_challenge_waits_for_as_long_as_there_is_a_choice(show):
    begun = []

    def watch(signals, state):
        if isinstance(state, Cued) and not begun:
            begun.append(signals.at - 100)
        return signals

    show(tamper=watch, presses=lambda number: (Press.START,) * (number == 5), rules=DEFAULT_RULES).play()
    soon = begun.pop()
    show(tamper=watch, rules=replace(DEFAULT_RULES, choice_s=6.0)).play()
    assert soon < 3 < 6 < begun[0] < 9
