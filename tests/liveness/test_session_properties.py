"""No frames reach `verified` without every evidence: an auditor who shares no rule with the session reads them again.

Films begin as a session that was rightly verified and are doctored from there: random frames alone never get so far.
"""

import math
from dataclasses import fields, replace

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from device.decision import Comparison, decide
from device.liveness.evidence import Ending
from device.liveness.rules import DEFAULT_RULES, Rules
from device.liveness.session import Answered, Ended, Press
from device.signals import View
from device.wire.claims import Outcome
from device.wire.plan import Action
from tests.liveness.auditor import objections
from tests.liveness.footage import (
    BLINK_PLAN,
    FPS,
    LOOK_PLAN,
    PLAN,
    Shot,
    drop,
    each,
    film,
    judge,
    matching,
    play,
    with_view,
)

FILMS = {plan: film(plan) for plan in (PLAN, BLINK_PLAN, LOOK_PLAN)}
RECORDS = {plan: play(shots, plan).record for plan, shots in FILMS.items()}
LENGTH_S = min(record.last_at for record in RECORDS.values()) - 100.0
plans = st.sampled_from(list(FILMS))
ODD = st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0, 1e-308])

moments = st.floats(0.0, LENGTH_S)
spans = st.tuples(moments, st.floats(0.03, 2.0)).map(lambda span: (span[0], span[0] + span[1]))


def of_view(name, values):
    return st.builds(lambda value, span: each(lambda s: with_view(s, **{name: value}), *span), values, spans)


def of_frame(name, values):
    return st.builds(lambda value, span: each(lambda s: replace(s, **{name: value}), *span), values, spans)


def of_change(name, values):
    def doctored(value, span):
        return each(lambda s: s if s.change is None else replace(s, change=replace(s.change, **{name: value})), *span)

    return st.builds(doctored, values, spans)


def late(by, span):
    return each(lambda s: replace(s, at=s.at + by), *span)


def spliced(start, target, seconds):
    """Frames from elsewhere, stamped and numbered as if they belonged there."""

    def doctor(shots):
        there, here, count = int(start * FPS), int(target * FPS), int(seconds * FPS)
        taken = shots[there : there + count]
        for place, shot in enumerate(taken[: max(len(shots) - here, 0)]):
            own = shots[here + place].signals
            signals = replace(shot.signals, at=own.at, number=own.number)
            shots = [*shots[: here + place], Shot(signals, shots[here + place].presses), *shots[here + place + 1 :]]
        return shots

    return doctor


def swapped(first, second):
    def doctor(shots):
        shots = list(shots)
        one, other = int(first * FPS) % len(shots), int(second * FPS) % len(shots)
        shots[one], shots[other] = shots[other], shots[one]
        return shots

    return doctor


doctors = st.one_of(
    of_view("yaw", st.floats(-60, 60) | ODD),
    of_view("pitch", st.floats(-40, 40) | ODD),
    of_view("left_eye", st.floats(0, 0.5) | ODD),
    of_view("right_eye", st.floats(0, 0.5) | ODD),
    of_view("relief", st.none() | st.floats(0, 0.3) | ODD),
    of_view("aspect", st.none() | st.floats(0.5, 1.2) | ODD),
    of_view("likeness", st.none() | st.floats(-0.2, 1.0) | ODD),
    of_frame("view", st.none()),
    of_frame("faces", st.sampled_from([-1, 0, 1, 2, 10**30])),
    of_frame("repeated", st.just(True)),
    of_frame("number", st.sampled_from([-(10**30), 0, 10**30])),
    of_frame("change", st.none()),
    of_change("shift", st.none() | st.floats(0, 2) | ODD),
    of_change("face", st.none() | st.floats(0, 2) | ODD),
    of_change("new", st.just(False)),
    of_change("place", st.none() | st.just((2.0, 2.0)) | st.tuples(ODD, ODD)),
    of_change("since", ODD),
    st.builds(late, st.floats(-3, 3) | ODD, spans),
    st.builds(lambda span: drop(*span), spans),
    st.builds(spliced, moments, moments, st.floats(0.03, 3.0)),
    st.builds(swapped, moments, moments),
)


def doctored(shots, operations):
    for doctor in operations:
        shots = doctor(shots)
    return shots


@pytest.mark.parametrize("plan", FILMS, ids=lambda plan: "-".join(plan.actions))
def test_the_films_themselves_are_verified_and_the_auditor_has_no_objection(plan):
    final = play(FILMS[plan], plan)
    assert judge(final, plan).outcome is Outcome.VERIFIED
    assert objections([shot.signals for shot in FILMS[plan]], final.record, plan) == []


@settings(max_examples=150, deadline=None)
@given(plans, st.lists(doctors, min_size=1, max_size=3))
def test_whoever_is_verified_has_every_evidence(plan, operations):
    shots = doctored(FILMS[plan], operations)
    final = play(shots, plan)
    decision = judge(final, plan)
    verified = decision is not None and decision.outcome is Outcome.VERIFIED
    event("verified" if verified else "not verified")
    if verified:
        assert objections([shot.signals for shot in shots], final.record, plan) == []


def left_out(field, value):
    return Rules(**{field: value})


def blinks(start, seconds):
    return each(lambda s: with_view(s, left_eye=0.05, right_eye=0.05), start, start + seconds)


def cue(plan, number):
    """Seconds from the film's first frame to the cue of a step."""
    return RECORDS[plan].steps[number].cue_at - FILMS[plan][0].signals.at


def unembedded(signals):
    return with_view(signals, likeness=None)


def flat(value):
    return each(lambda s: with_view(s, relief=value))


def narrowed(shots):
    return each(lambda s: with_view(s, aspect=0.5 if s.view.aspect is not None else None))(shots)


def turned(start, seconds, degrees):
    return each(lambda s: with_view(s, yaw=s.view.yaw + degrees), start, start + seconds)


def still(signals):
    return replace(signals, change=replace(signals.change, place=(2.0, 2.0)))


def at_frame(start, **change):
    return each(lambda s: replace(s, change=replace(s.change, **change)), start - 0.01, start + 0.05)


def calm(signals):
    return replace(signals, change=replace(signals.change, shift=0.002, face=0.02))


def slower(factor):
    def doctor(shots):
        first = shots[0].signals.at
        return [
            replace(shot, signals=replace(shot.signals, at=first + (shot.signals.at - first) * factor))
            for shot in shots
        ]

    return doctor


def shallow(first, last):
    """A turn of 14 degrees, in which a head keeps its aspect."""
    return each(lambda s: with_view(s, yaw=min(s.view.yaw, 14.0), likeness=0.9, relief=0.2, aspect=0.98), first, last)


def every(count):
    def doctor(shots):
        return [shot for place, shot in enumerate(shots) if place < 10 or place % count == 0]

    return doctor


TURN, BLINKS, LAST_BLINK = cue(PLAN, 0), cue(BLINK_PLAN, 0), cue(BLINK_PLAN, 2)
# What a rule stops, and nothing else: without that rule the film is verified, and the auditor objects.
ATTACKS = {
    "an early turn": (PLAN, left_out("min_reaction_s", 0.0), [turned(TURN + 0.05, 0.6, 15.0)]),
    "a turn that stays below the peak": (
        PLAN,
        replace(DEFAULT_RULES, turn_peak_deg=10.0, far_end_deg=9.0),
        [shallow(TURN, TURN + 3.0)],
    ),
    "a flat face": (PLAN, left_out("min_relief", 0.0), [flat(0.02)]),
    "a narrowed face": (PLAN, replace(DEFAULT_RULES, min_turned_aspect=0.0, min_aspect=0.0), [narrowed]),
    "another person": (
        PLAN,
        left_out("min_likeness", -1.0),
        [each(lambda s: with_view(s, likeness=0.1 if s.view.likeness is not None else None), TURN)],
    ),
    "another person's head in the turn": (
        PLAN,
        left_out("min_turned_likeness", -1.0),
        [each(lambda s: with_view(s, turned_likeness=0.1 if s.view.turned_likeness is not None else None))],
    ),
    "nobody was compared on the way": (
        BLINK_PLAN,
        left_out("max_unembedded_s", 9.0),
        [each(unembedded, BLINKS + 0.02, BLINKS + 0.7)],
    ),
    "a hole in the frames": (PLAN, left_out("max_gap_s", 1.0), [drop(TURN + 1.2, TURN + 1.6)]),
    "a frozen picture": (
        PLAN,
        left_out("max_repeated_s", 1.0),
        [each(lambda s: replace(s, repeated=True), TURN + 0.1, TURN + 0.5)],
    ),
    "a picture that stands in every third frame": (
        PLAN,
        left_out("max_repeated_share", 1.0),
        [each(lambda s: replace(s, repeated=s.number % 3 == 0))],
    ),
    "a second face": (
        PLAN,
        left_out("max_several_faces_s", 2.0),
        [each(lambda s: replace(s, faces=2), TURN - 0.6, TURN + 0.1)],
    ),
    "a face that leaves": (
        BLINK_PLAN,
        replace(DEFAULT_RULES, max_lost_s=2.0),
        [each(lambda s: replace(s, view=None), BLINKS + 0.02, BLINKS + 0.5)],
    ),
    "a slow camera": (PLAN, left_out("min_fps", 1.0), [each(lambda s: with_view(s, turned_likeness=0.8)), every(2)]),
    "one closure that lasts": (BLINK_PLAN, left_out("max_blink_s", 3.0), [blinks(LAST_BLINK + 0.6, 0.9)]),
    "two blinks for one": (BLINK_PLAN, left_out("blink_pair_s", 0.1), [blinks(BLINKS + 1.0, 0.2)]),
    "a leap": (PLAN, left_out("max_shift", math.inf), [at_frame(TURN, shift=1.5), at_frame(TURN + 0.14, shift=1.5)]),
    "a cut": (PLAN, left_out("max_jump", 9.0), [each(calm), at_frame(TURN, shift=0.3)]),
    "a face as still as a picture": (PLAN, left_out("min_sway", 0.0), [each(still)]),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_rule_stops_what_nothing_else_stops_and_the_auditor_sees_it(attack):
    plan, without_rule, operations = ATTACKS[attack]
    shots = doctored(FILMS[plan], operations)
    decision = judge(play(shots, plan), plan)
    assert decision is None or decision.outcome is not Outcome.VERIFIED
    final = play(shots, plan, without_rule)
    assert judge(final, plan, without_rule).outcome is Outcome.VERIFIED
    assert objections([shot.signals for shot in shots], final.record, plan) != []


@settings(max_examples=50, deadline=None)
@given(plans, st.lists(doctors, max_size=3), st.lists(doctors, max_size=2), moments)
def test_what_was_decided_stays_whatever_frames_follow(plan, operations, others, moment):
    shots = doctored(FILMS[plan], operations)
    cut = int(moment * FPS)
    before = play(shots[:cut], plan)
    after = play([*shots[:cut], *doctored(FILMS[plan], others)], plan)
    if isinstance(before, Answered | Ended):
        assert after == before
        assert judge(after, plan) == judge(before, plan)


GOOD = Comparison(score=0.8, threshold=0.4, compared_at=(1.0,), least_likeness=0.8)


def without(record, what):
    """The record without one evidence."""
    step = {"relief": None, "aspect": None, "turned_likeness": None, "passed": False, "done_at": None}
    if what in step:
        return replace(record, steps=tuple(replace(each_step, **{what: step[what]}) for each_step in record.steps))
    return replace(record, **{"last_step": {"steps": record.steps[:-1]}, "likeness": {"least_likeness": None}}[what])


@settings(deadline=None)
@given(plans, st.sampled_from(["relief", "aspect", "turned_likeness", "passed", "done_at", "last_step", "likeness"]))
def test_without_any_one_evidence_nobody_is_verified(plan, what):
    record = RECORDS[plan]
    final = Answered(record.last_at, record)
    assert decide(final, matching(final), plan, DEFAULT_RULES).outcome is Outcome.VERIFIED
    lacking = Answered(record.last_at, without(record, what))
    assert decide(lacking, matching(final), plan, DEFAULT_RULES).outcome is not Outcome.VERIFIED


@settings(deadline=None)
@given(plans, st.floats(-1, 1) | ODD, st.floats(-1, 1) | ODD, st.lists(st.floats(0, 200) | ODD, max_size=3))
def test_only_a_good_comparison_inside_the_challenge_verifies(plan, score, likeness, moments_compared):
    record = RECORDS[plan]
    comparison = Comparison(score, 0.4, tuple(moments_compared), likeness)
    decision = decide(Answered(record.last_at, record), comparison, plan, DEFAULT_RULES)
    first, last = record.steps[0].cue_at, record.last_at
    good = (
        math.isfinite(score)
        and score >= 0.4
        and likeness >= 0.45
        and moments_compared != []
        and all(first <= moment <= last for moment in moments_compared)
    )
    assert (decision.outcome is Outcome.VERIFIED) == good


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["relief", "aspect"])), max_size=60),
    st.lists(doctors, min_size=1, max_size=2),
)
def test_taking_depth_away_never_turns_a_refusal_into_a_verification(taken, operations):
    shots = doctored(FILMS[PLAN], operations)
    decision = judge(play(shots, PLAN))
    assume(decision is not None and decision.outcome is not Outcome.VERIFIED)
    for place, what in taken:
        if place < len(shots):
            shots[place] = replace(shots[place], signals=with_view(shots[place].signals, **{what: None}))
    after = judge(play(shots, PLAN))
    assert after is None or after.outcome is not Outcome.VERIFIED


@pytest.mark.parametrize("name", [field.name for field in fields(View) if field.name not in ("quality", "chroma")])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_film_of_nonsense_is_no_film(name, value):
    decision = judge(play(each(lambda s: with_view(s, **{name: value}))(FILMS[PLAN])))
    assert decision is None or decision.outcome is not Outcome.VERIFIED


def test_nobody_agreed():
    shots = [replace(shot, presses=()) for shot in FILMS[PLAN]]
    assert not isinstance(play(shots), Answered)


def test_a_cancelled_session_is_verified_by_nothing():
    shots = list(FILMS[PLAN])
    shots[60] = replace(shots[60], presses=(Press.CANCEL,))
    assert play(shots).why is Ending.CANCELLED


def test_a_film_for_one_plan_is_good_for_no_other():
    for plan, shots in FILMS.items():
        for other in FILMS:
            if other != plan:
                decision = judge(play(shots, other), other)
                assert decision is None or decision.outcome is not Outcome.VERIFIED
    assert Action.LOOK_UP in LOOK_PLAN.actions
