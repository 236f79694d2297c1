"""Sessions as timelines: each test is named after what the customer, or the attacker, does."""

import itertools
import math
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.decision import FACES_DO_NOT_MATCH, Comparison, decide
from device.liveness.evidence import Ending
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Answered, Consent, Cued, Ended, Pausing, Positioning, Press, step
from device.signals import CaptureQuality, Signals, View
from device.wire.claims import Outcome
from device.wire.plan import DEFAULT_ACTIONS, Action, Plan, possible_plans
from tests.liveness.captures import GOOD_CAPTURE


def compared(final: Answered, score: float = 0.8) -> Comparison:
    middle = (final.record.steps[0].cue_at + final.record.steps[-1].done_at) / 2
    return Comparison(score=score, threshold=0.4, compared_at=(middle,), least_likeness=0.8)


@pytest.mark.parametrize("actions", possible_plans(DEFAULT_ACTIONS | {Action.LOOK_UP}))
def test_a_customer_who_answers_every_cue_is_verified(show, actions):
    plan = Plan(actions, (0.7, 1.1, 0.9))
    final = show(plan=plan).play()
    assert isinstance(final, Answered)
    assert [step.action for step in final.record.steps] == list(actions)
    decision = decide(final, compared(final), plan, DEFAULT_RULES)
    assert (decision.outcome, decision.reasons) == (Outcome.VERIFIED, ())


@pytest.mark.parametrize("fps", [12, 15, 24, 30, 60])
def test_the_camera_may_be_slow_or_fast(show, fps):
    assert isinstance(show(fps=fps).play(), Answered)


def test_eight_frames_a_second_are_too_few(show):
    sessions = show(fps=8)
    final = sessions.play()
    assert (
        not isinstance(final, Answered)
        or decide(final, compared(final), sessions.plan, DEFAULT_RULES).outcome is not Outcome.VERIFIED
    )


def test_another_face_is_rejected_although_every_cue_was_answered(show):
    final = show().play()
    decision = decide(final, compared(final, score=0.1), show().plan, DEFAULT_RULES)
    assert decision.outcome is Outcome.REJECTED
    assert decision.reasons == (FACES_DO_NOT_MATCH,)


def test_without_comparison_nobody_is_verified(show):
    assert decide(show().play(), None, show().plan, DEFAULT_RULES).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("score", [math.nan, -math.inf])
def test_a_score_that_is_no_number_does_not_match(show, score):
    final = show().play()
    assert decide(final, compared(final, score=score), show().plan, DEFAULT_RULES).outcome is Outcome.REJECTED


def test_only_frames_of_the_challenge_may_be_compared(show):
    final = show().play()
    begins, ends = final.record.steps[0].cue_at, final.record.last_at
    for moment in (begins - 0.5, begins, ends, ends + 0.01):
        outcome = Outcome.VERIFIED if begins <= moment <= ends else Outcome.REJECTED
        taken_then = replace(compared(final), compared_at=(moment,))
        assert decide(final, taken_then, show().plan, DEFAULT_RULES).outcome is outcome


def test_a_matched_frame_of_another_person_in_the_challenge_is_rejected(show):
    final = show().play()
    swapped = replace(compared(final), least_likeness=0.2)
    assert decide(final, swapped, show().plan, DEFAULT_RULES).reasons == (Ending.PERSON_CHANGED,)


def test_steps_that_are_not_those_of_the_plan_are_rejected(show):
    final = show().play()
    other = Plan((Action.TURN_RIGHT, Action.BLINK, Action.TURN_LEFT), show().plan.pauses_s)
    assert decide(final, compared(final), other, DEFAULT_RULES).outcome is Outcome.REJECTED


def mirrored(action, waited, customer):
    other = {Action.TURN_LEFT: Action.TURN_RIGHT, Action.TURN_RIGHT: Action.TURN_LEFT}
    return customer(other.get(action, action), waited)


def ending(final):
    assert isinstance(final, Ended), final
    return final.why


def test_the_wrong_turn_fails(show):
    customer = show().answer
    assert ending(show(answer=lambda a, t: mirrored(a, t, customer)).play()) is Ending.WRONG_ACTION


def test_a_turn_instead_of_a_blink_fails(show):
    customer = show().answer
    plan = Plan((Action.BLINK, Action.TURN_LEFT, Action.BLINK), (0.7, 0.7, 0.7))
    final = show(plan=plan, answer=lambda _, t: customer(Action.TURN_LEFT, t)).play()
    assert ending(final) is Ending.WRONG_ACTION


def test_two_blinks_are_not_one(show):
    customer = show().answer
    plan = Plan((Action.BLINK, Action.TURN_LEFT, Action.BLINK), (0.7, 0.7, 0.7))
    final = show(plan=plan, answer=lambda _, t: customer(Action.BLINK_TWICE, t)).play()
    assert ending(final) is Ending.WRONG_ACTION


def test_one_blink_is_not_two(show):
    customer = show().answer
    plan = Plan((Action.BLINK_TWICE, Action.TURN_LEFT, Action.BLINK), (0.7, 0.7, 0.7))
    final = show(plan=plan, answer=lambda _, t: customer(Action.BLINK, t)).play()
    assert ending(final) is Ending.WRONG_ACTION


def test_a_wink_is_no_blink(show):
    customer = show().answer
    plan = Plan((Action.BLINK, Action.TURN_LEFT, Action.BLINK), (0.7, 0.7, 0.7))
    final = show(plan=plan, answer=lambda a, t: replace(customer(a, t), right_eye=0.3)).play()
    assert ending(final) is Ending.CHALLENGE_NOT_ANSWERED


def test_eyes_that_stay_closed_are_no_blink(show):
    customer = show().answer
    plan = Plan((Action.BLINK, Action.TURN_LEFT, Action.BLINK), (0.7, 0.7, 0.7))

    def asleep(action, waited):
        return replace(customer(action, 0), left_eye=0.04, right_eye=0.04) if waited > 0.6 else customer(action, 0)

    assert ending(show(plan=plan, answer=asleep).play()) is Ending.CHALLENGE_NOT_ANSWERED


def test_who_turns_before_a_person_can_react_is_a_recording(show):
    customer = show().answer
    assert ending(show(answer=lambda a, t: customer(a, t + 0.65)).play()) is Ending.EARLY_ACTION


def test_who_does_nothing_is_not_verified(show):
    assert ending(show(answer=lambda a, _: show().answer(a, 0)).play()) is Ending.CHALLENGE_NOT_ANSWERED


def test_who_turns_and_stays_turned_is_not_verified(show):
    customer = show().answer
    assert ending(show(answer=lambda a, t: customer(a, min(t, 1.4))).play()) is Ending.CHALLENGE_NOT_ANSWERED


def test_a_flat_picture_that_turns_is_rejected(show):
    customer = show().answer
    final = show(answer=lambda a, t: replace(customer(a, t), relief=0.02)).play()
    assert ending(final) is Ending.FLAT_FACE


def test_a_turn_without_measured_relief_is_no_pass(show):
    customer = show().answer
    assert ending(show(answer=lambda a, t: replace(customer(a, t), relief=None)).play()) is Ending.FLAT_FACE


def test_a_print_that_narrows_without_turning_is_rejected(show):
    def tilted(action, waited):
        return replace(show().answer(action, 0), nod=0.0, aspect=0.75 if waited > 0.8 else 1.0)

    assert ending(show(answer=tilted).play()) is Ending.FLAT_FACE


def in_challenge(signals, state, from_s, change):
    inside = isinstance(state, Cued | Pausing) and signals.at - state.record.started_at >= from_s
    return change(signals) if inside else signals


def shift_yaw(signals, degrees):
    return replace(signals, view=replace(signals.view, yaw=signals.view.yaw + degrees))


TAMPERINGS = {
    "a second face comes into view": (lambda s: replace(s, faces=2), Ending.SEVERAL_FACES),
    "the face leaves": (lambda s: replace(s, view=None), Ending.FACE_LOST),
    "the picture stands still": (lambda s: replace(s, repeated=True), Ending.FRAMES_REPEATED),
    "the view is no number": (lambda s: replace(s, view=replace(s.view, yaw=math.nan)), Ending.FACE_LOST),
    "the head turns without a cue": (lambda s: shift_yaw(s, 25), Ending.UNPROMPTED_ACTION),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_in_the_middle_of_the_challenge(show, what):
    change, why = TAMPERINGS[what]
    final = show(tamper=lambda signals, state: in_challenge(signals, state, 0.2, change)).play()
    assert ending(final) is why


def test_frames_are_dropped(show):
    def drop(signals, state):
        started = state.record.started_at if isinstance(state, Cued | Pausing) else math.inf
        return None if 0.3 < signals.at - started < 0.7 else signals

    assert ending(show(tamper=drop).play()) is Ending.FRAMES_MISSING


def test_time_runs_backwards(show):
    back = lambda s: replace(s, at=s.at - 3)  # noqa: E731
    final = show(tamper=lambda signals, state: in_challenge(signals, state, 1, back)).play()
    assert ending(final) is Ending.FRAMES_OUT_OF_ORDER


def test_another_person_takes_the_place_during_the_challenge(show):
    assert ending(show(likeness=lambda at: 0.9 if at < 103.2 else 0.1).play()) is Ending.PERSON_CHANGED


def test_the_face_may_be_lost_at_the_far_end_of_a_turn(show):
    def lost(signals, state):
        far = signals.view is not None and abs(signals.view.yaw) > 30
        return replace(signals, view=None, faces=0) if far else signals

    assert isinstance(show(tamper=lost).play(), Answered)


def test_cancel_ends_it_at_once_and_nothing_can_be_verified_after(show):
    presses = lambda n: (Press.START,) if n == 5 else (Press.CANCEL,) if n == 90 else ()  # noqa: E731
    final = show(presses=presses).play()
    assert ending(final) is Ending.CANCELLED
    assert decide(final, None, show().plan, DEFAULT_RULES).outcome is Outcome.CANCELLED


def test_cancel_before_consent_is_a_refusal(show):
    final = show(presses=lambda n: (Press.CANCEL,) if n == 3 else ()).play()
    assert decide(final, None, show().plan, DEFAULT_RULES).outcome is Outcome.DECLINED


def test_nobody_presses_start(show):
    assert ending(show(presses=lambda _: ()).play()) is Ending.CONSENT_NOT_GIVEN


def test_nobody_comes_before_the_camera(show):
    assert ending(show(tamper=lambda s, _: replace(s, view=None, faces=0)).play()) is Ending.NO_GOOD_VIEW


def test_consent_and_position_come_before_the_challenge(show):
    seen = []

    def remember(signals, state):
        if not seen or seen[-1] is not type(state):
            seen.append(type(state))
        return signals

    show(tamper=remember).play()
    assert seen[:4] == [Consent, Positioning, Pausing, Cued]


EVIDENCE = {"relief", "likeness", "aspect"}
anything = st.floats(allow_nan=True, allow_infinity=True)
captures = st.builds(CaptureQuality, **dict.fromkeys((f.name for f in fields(CaptureQuality)), anything))
views = st.builds(
    View,
    **{
        f.name: captures if f.name == "quality" else st.none() | anything if f.name in EVIDENCE else anything
        for f in fields(View)
    },
)
plausible = st.builds(
    View,
    width=st.just(0.5),
    centre_x=st.just(0.5),
    centre_y=st.just(0.5),
    yaw=st.sampled_from([-35.0, -12.0, 0.0, 12.0, 35.0]),
    pitch=st.just(0.0),
    roll=st.just(0.0),
    left_eye=st.sampled_from([0.05, 0.3]),
    right_eye=st.sampled_from([0.05, 0.3]),
    quality=st.just(GOOD_CAPTURE),
    relief=st.sampled_from([None, 0.02, 0.2]),
    aspect=st.just(1.0),
    likeness=st.none(),
)
frames = st.tuples(anything | st.sampled_from([1 / 30, 0.1]), st.integers(-3, 10**9), st.none() | views | plausible)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(frames, st.booleans()), max_size=60), st.sampled_from(possible_plans(DEFAULT_ACTIONS)))
def test_no_sequence_of_signals_crashes_a_session_or_passes_without_embedded_frames(sequence, actions):
    plan, state, at = Plan(actions, (0.1, 0.1, 0.1)), Consent(), 0.0
    for number, ((elapsed, faces, view), repeated) in enumerate(sequence):
        at += elapsed
        bare = replace(view, likeness=None) if view is not None else None
        signals = Signals(at=at, number=number, faces=faces, view=bare, repeated=repeated)
        state = step(state, signals, plan, DEFAULT_RULES, (Press.START,))
    assert not isinstance(state, Answered)


def test_the_guess_probability_is_what_it_says():
    plans = possible_plans(DEFAULT_ACTIONS)
    assert len(plans) == len(set(plans)) == 32
    assert all(a != b for plan in plans for a, b in itertools.pairwise(plan))
