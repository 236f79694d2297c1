"""The colour code: the contract's test vector, made a second time from RFC 5869 alone, and what is safe to look at."""

import hashlib
import hmac
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.wire.light import (
    COLOURS_IN_CODE,
    INTENSITY_SHARES,
    PALETTE,
    WHITE,
    Colour,
    LightCode,
    derive_light,
)
from device.wire.plan import MAX_CHALLENGE_S, PlanError, derive_plan

VECTOR = {
    "nonce": bytes(range(32)),
    "salt": bytes(range(100, 132)),
    "session": "0199f0c4-1c00-7000-8000-000000000001",
    "terminal": "shop-1",
}
SECRET = st.binary(min_size=16, max_size=64)


def by_the_contract(nonce: bytes, salt: bytes, session: str, terminal: str) -> tuple[list[str], list[float]]:
    """docs/protocol.md, "The coloured light", read by somebody who has never seen this code."""
    info = b"".join(
        len(field).to_bytes(2, "big") + field.encode() for field in ("likeness/v1/light", session, terminal)
    )
    key = hmac.new(salt, nonce, hashlib.sha256).digest()
    stream, block = b"", b""
    for counter in range(1, 11):
        block = hmac.new(key, block + info + bytes([counter]), hashlib.sha256).digest()
        stream += block
    words = [int.from_bytes(stream[at : at + 8], "big") for at in range(0, 320, 8)]
    names, colours, starts, at_ms = ["amber", "blue", "green", "rose"], [], [], 0
    for word in words:
        choice = [name for name in names if not colours or name != colours[-1]]
        colours.append(choice[word % len(choice)])
        starts.append(at_ms / 1000)
        at_ms += 400 + (word * 401) // 2**64
    return colours, starts


def test_the_vector_of_the_contract():
    code = derive_light(**VECTOR)
    assert by_the_contract(**VECTOR) == (list(code.colours), list(code.starts_s))
    assert code.colours[:6] == ("blue", "rose", "blue", "green", "rose", "blue")
    assert code.starts_s[:6] == (0.0, 0.756, 1.251, 1.887, 2.653, 3.403)
    assert code.end_s == 24.89


@given(SECRET, SECRET, st.text("abc-", max_size=9))
def test_any_vector(nonce, salt, session):
    code = derive_light(nonce=nonce, salt=salt, session=session, terminal="t")
    assert by_the_contract(nonce, salt, session, "t") == (list(code.colours), list(code.starts_s))
    assert len(code.colours) == COLOURS_IN_CODE
    assert all(one != other for one, other in itertools.pairwise(code.colours))
    lengths = [after - before for before, after in itertools.pairwise((*code.starts_s, code.end_s))]
    assert all(0.3999 <= length <= 0.8001 for length in lengths)  # never more than 2.5 changes in a second


@given(SECRET, SECRET)
def test_the_plan_tells_nothing_of_the_code(nonce, salt):
    """The label keeps both streams apart: the plan's bytes are not the code's."""
    code = derive_light(nonce=nonce, salt=salt, session="s", terminal="t")
    assert derive_plan(nonce=nonce, salt=salt, session="s", terminal="t").pauses_s != code.starts_s[1:4]


def test_short_secrets_are_refused():
    with pytest.raises(PlanError):
        derive_light(nonce=bytes(15), salt=bytes(16), session="s", terminal="t")


def luminance(duties) -> float:
    return sum(duty * share for duty, share in zip(duties, INTENSITY_SHARES, strict=True))


def test_all_colours_are_equally_bright():
    """WCAG 2.3.1: a general flash changes by 10 % of the greatest luminance; these change by less than a thousandth."""
    assert set(PALETTE) == set(Colour)
    assert all(abs(luminance(duties) - luminance(WHITE)) < 0.001 for duties in PALETTE.values())


def test_no_colour_is_a_saturated_red():
    """WCAG 2.3.1: a red flash goes to or from R / (R + G + B) of at least 0.8."""
    assert all(duties[0] / sum(duties) < 0.55 for duties in PALETTE.values())


@given(SECRET, st.floats(0.0, MAX_CHALLENGE_S))
def test_it_stays_as_bright_between_two_colours(nonce, seconds):
    code = derive_light(nonce=nonce, salt=bytes(16), session="s", terminal="t")
    duties = code.duties(seconds)
    assert abs(luminance(duties) - luminance(WHITE)) < 0.001
    assert all(0.0 <= duty <= 1.0 for duty in duties)


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, -math.inf, 1e9])
def test_around_the_code_the_ring_is_white(seconds):
    assert derive_light(**VECTOR).duties(seconds) == WHITE


def test_colours_that_have_begun():
    code = LightCode((Colour.AMBER, Colour.ROSE), (0.0, 0.5), 1.0)
    assert [code.begun(at) for at in (-0.1, 0.0, 0.49, 0.5, 7.0)] == [0, 1, 1, 2, 2]
    assert [code.place(at) for at in (-0.1, 0.0, 0.49, 0.5, 7.0)] == [None, 0, 0, 1, None]
