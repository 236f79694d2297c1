"""Reading the identity document: a state between consent and position, on recorded time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.decision import decide
from device.liveness.evidence import Ending
from device.liveness.reading import Reading
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Consent, Ended, Positioning, Press, step
from device.signals import CardFault, CardView, Signals
from device.wire.claims import Outcome
from device.wire.plan import Action, Plan

PLAN = Plan((Action.TURN_LEFT, Action.BLINK, Action.TURN_RIGHT), (0.8, 0.7, 1.2))
ENOUGH = DEFAULT_RULES.card_portraits


def seen(at: float, card: CardView | None = None) -> Signals:
    return Signals(at=at, number=0, faces=0, view=None, card=card)


def after(*cards: CardView | None, every_s: float = 0.2):
    """The state after these looks, from the frame after START on."""
    state = step(Consent(card=True), seen(0.0), PLAN, DEFAULT_RULES)
    state = step(state, seen(0.1), PLAN, DEFAULT_RULES, {Press.START})
    for number, card in enumerate(cards):
        state = step(state, seen(0.2 + number * every_s, card), PLAN, DEFAULT_RULES)
    return state


def test_the_card_is_read_before_the_face_is_looked_for():
    assert isinstance(after(), Reading)
    assert isinstance(after(*(CardView(None, count) for count in range(1, ENOUGH))), Reading)
    assert isinstance(after(*(CardView(None, count) for count in range(1, ENOUGH + 1))), Positioning)


def test_without_a_card_asked_for_none_is_read():
    state = step(Consent(since=0.0), seen(0.1), PLAN, DEFAULT_RULES, {Press.START})
    assert isinstance(state, Positioning)


@pytest.mark.parametrize("fault", CardFault)
def test_what_hinders_the_reading_is_kept_between_looks(fault):
    state = after(CardView(fault), None, None)
    assert isinstance(state, Reading) and state.fault is fault


def test_a_card_that_is_never_read_ends_the_session_without_a_verdict():
    state = after(*[CardView(CardFault.GLARE, ENOUGH)] * 300)
    assert isinstance(state, Ended) and state.why is Ending.CARD_NOT_READ
    decision = decide(state, None, PLAN, DEFAULT_RULES)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert decision.reasons == ("card-not-read",)


def test_cancel_and_broken_time_end_it():
    reading = after()
    cancelled = step(reading, seen(1.0), PLAN, DEFAULT_RULES, {Press.CANCEL})
    assert isinstance(cancelled, Ended) and cancelled.why is Ending.CANCELLED
    for at in (0.1, 0.0, float("nan"), float("inf")):
        state = step(reading, seen(at), PLAN, DEFAULT_RULES)
        assert isinstance(state, Ended) and state.why is Ending.FRAMES_OUT_OF_ORDER


views = st.none() | st.builds(CardView, st.none() | st.sampled_from(CardFault), st.integers(-5, 20))


@given(st.lists(st.tuples(views, st.floats(0.001, 3.0)), max_size=40))
def test_nothing_but_enough_agreeing_portraits_leads_on(looks):
    state, at, newest = after(), 0.2, None
    for card, later in looks:
        at += later
        newest = card or newest
        before, state = state, step(state, replace(seen(at), card=card), PLAN, DEFAULT_RULES)
        if isinstance(before, Reading) and isinstance(state, Positioning):
            assert newest is not None and newest.fault is None and newest.agreeing >= ENOUGH
