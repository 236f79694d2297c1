"""What counts as an answer to the coloured light, on chroma that is computed, not filmed."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.decision import LIGHT_NOT_ANSWERED, decide
from device.liveness.evidence import Ending, Record
from device.liveness.light import LightFinding, LightSample, judge_light
from device.liveness.rules import Rules
from device.liveness.session import Answered, Ended
from device.signals import Chroma
from device.wire.claims import Outcome
from device.wire.light import LightVerdict, derive_light
from device.wire.plan import Action, Plan

FPS = 20


def code_of(number: int):
    return derive_light(nonce=number.to_bytes(16, "big"), salt=bytes(16), session="s", terminal="t")


CODE = code_of(1)


def session(code, *, gain, background_gain=0.0, latency_s=0.1, seconds=8.0, missing=(), drift=0.0):
    """A session's neutral frames: a warm face and a cool background, each with its share of the ring's light."""
    samples = []
    for number in range(int(seconds * FPS)):
        at = number / FPS
        if any(first <= at < last for first, last in missing):
            continue
        red, green, blue = code.duties(at - latency_s)
        shown = (red - green, blue - green)
        face = (0.5 + gain * shown[0] + drift * at, -0.3 + gain * shown[1])
        behind = (-0.1 + background_gain * shown[0], 0.2 + background_gain * shown[1])
        samples.append(LightSample(at, Chroma(face, behind)))
    return samples


@pytest.mark.parametrize("latency_s", [0.0, 0.1, 0.24])
def test_a_face_that_takes_on_the_colours_answers(latency_s):
    found = judge_light(session(CODE, gain=0.15, background_gain=0.01, latency_s=latency_s), CODE)
    assert found.verdict is LightVerdict.ANSWERED
    assert found.correlation == pytest.approx(1.0, abs=0.01)
    assert found.latency_s == pytest.approx(latency_s, abs=0.021)
    assert (found.gain, found.background_gain) == (pytest.approx(0.15, abs=0.01), pytest.approx(0.01, abs=0.01))


def test_turns_leave_gaps_and_daylight_drifts():
    found = judge_light(session(CODE, gain=0.1, missing=[(1.5, 3.0), (4.5, 6.0)], drift=0.02), CODE)
    assert found.verdict is LightVerdict.ANSWERED


@pytest.mark.parametrize(
    ("what", "gains"),
    [
        ("no answer at all", {"gain": 0.0}),
        ("a screen: a weak reflection", {"gain": 0.01}),
        ("a print or a tinted picture: both alike", {"gain": 0.15, "background_gain": 0.15}),
        ("an answer half a second late", {"gain": 0.15, "latency_s": 0.6}),
        ("the opposite colours", {"gain": -0.15}),
    ],
)
def test_what_does_not_answer(what, gains):
    assert judge_light(session(CODE, **gains), CODE).verdict is LightVerdict.NOT_ANSWERED, what


def test_another_sessions_code_is_no_answer():
    others = [judge_light(session(code_of(number), gain=0.15), CODE).verdict for number in range(2, 22)]
    assert LightVerdict.ANSWERED not in others


def test_without_a_background_the_face_alone_is_judged():
    samples = [LightSample(each.at, Chroma(each.chroma.face)) for each in session(CODE, gain=0.15)]
    found = judge_light(samples, CODE)
    assert (found.verdict, found.background_gain) == (LightVerdict.ANSWERED, None)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 1.0, 2.0])
def test_too_few_colours_are_not_judged(seconds):
    assert judge_light(session(CODE, gain=0.15, seconds=seconds), CODE).verdict is LightVerdict.NOT_MEASURED


def test_a_constant_face_is_no_answer():
    still = [LightSample(each.at, Chroma((20.0, -20.0), (0.0, 0.0))) for each in session(CODE, gain=0.0)]
    found = judge_light(still, CODE)
    assert (found.verdict, found.correlation, found.gain) == (LightVerdict.NOT_ANSWERED, 0.0, 0.0)


anything = st.floats(allow_nan=True, allow_infinity=True)
pair = st.tuples(anything, anything)


@settings(max_examples=30)
@given(st.lists(st.builds(LightSample, anything, st.builds(Chroma, pair, st.none() | pair)), max_size=60))
def test_nonsense_neither_crashes_nor_answers(samples):
    found = judge_light(samples, CODE)
    assert found.verdict is not LightVerdict.ANSWERED
    assert all(
        value is None or math.isfinite(value) for value in (found.correlation, found.gain, found.background_gain)
    )


@settings(max_examples=20)
@given(st.integers(0, 159), pair, st.floats(-10, 10))
def test_nonsense_amid_an_answer_is_left_out(place, nonsense, at):
    samples = session(CODE, gain=0.15)
    samples[place] = LightSample(at, Chroma(nonsense, (math.nan, 0.0)))
    found = judge_light(samples, CODE)
    assert found.verdict is LightVerdict.ANSWERED
    assert -1.0 <= found.correlation <= 1.0


FINALS = [
    Answered(9.0, Record(0.0, 9.0)),
    Answered(9.0, Record(0.0, 9.0, frames=270, embedded=30, least_likeness=0.9)),
    Ended(5.0, Ending.CANCELLED, Record(0.0, 5.0)),
    Ended(5.0, Ending.DECLINED),
    Ended(5.0, Ending.FLAT_FACE, Record(0.0, 5.0)),
]


@pytest.mark.parametrize("final", FINALS, ids=repr)
@pytest.mark.parametrize("verdict", list(LightVerdict))
def test_the_light_may_deny_and_nothing_else(final, verdict):
    plan = Plan((Action.TURN_LEFT,), (0.6,))
    without = decide(final, None, plan, Rules())
    with_light = decide(final, None, plan, Rules(), LightFinding(verdict))
    if isinstance(final, Answered) and verdict is LightVerdict.NOT_ANSWERED:
        assert with_light.outcome is Outcome.REJECTED
        assert set(with_light.reasons) == {*without.reasons, LIGHT_NOT_ANSWERED}
    else:
        assert with_light == without
