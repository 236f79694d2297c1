import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.wire.slip import CODE_LENGTH, SlipCodeError, read_code, shown_code, slip_code, slip_digest

ENTROPY = st.binary(min_size=8, max_size=8)


@given(ENTROPY)
def test_a_code_is_read_however_it_was_typed(entropy):
    code = slip_code(entropy)
    shown = shown_code(code)
    assert len(code) == CODE_LENGTH and shown.replace("-", "") == code
    wide = "".join(chr(ord(mark) - 0x20 + 0xFF00) for mark in shown)
    for typed in (code, shown, shown.lower(), f" {shown.replace('-', ' ')}\n", wide, code.replace("0", "o")):
        assert read_code(typed) == code
    assert read_code(code.replace("1", "l")) == code == read_code(code.replace("1", "I"))


@given(st.text(max_size=200))
def test_what_is_no_code_is_refused_without_being_repeated(typed):
    try:
        code = read_code(typed)
    except SlipCodeError as error:
        assert not typed or len(typed) < 6 or typed not in str(error)
    else:
        assert read_code(shown_code(code)) == code


@pytest.mark.parametrize("typed", ["", "7GQ2-M0XK-94T", "7GQ2-M0XK-94TDD", "7GQ2-M0XK-94TU", "7GQ2-M0XK-94T!", "́" * 12])
def test_bad_codes(typed):
    with pytest.raises(SlipCodeError, match="has 12 letters and digits"):
        read_code(typed)


def test_every_bit_of_sixty_counts():
    zero = bytes(8)
    flipped = {slip_code((1 << bit).to_bytes(8)) for bit in range(60)}
    assert len(flipped | {slip_code(zero)}) == 61
    with pytest.raises(ValueError, match="8 random bytes"):
        slip_code(bytes(7))


def test_the_digest_is_scrypt_as_documented():
    assert slip_digest("7GQ2M0XK94TD") == "46d8bb6b2c5a2f65256f758ff15370824193d1857e113ea001769496130a8348"
    assert slip_digest("7GQ2M0XK94TE") != slip_digest("7GQ2M0XK94TD")
