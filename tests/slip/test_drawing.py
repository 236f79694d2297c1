"""What a slip looks like: in every language, on either paper, whatever it is told to say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.panel.catalogue import ENGLISH, LANGUAGES, load_catalogue
from device.slip import fonts
from device.slip.commands import SPECIMEN
from device.slip.content import KEYS, Slip, Wording, wording
from device.slip.drawing import DOTS, _lines, draw_slip
from device.slip.fonts import typeface
from device.slip.settings import LONGEST_ADDRESS
from device.wire.claims import Outcome
from device.wire.slip import CODE_LENGTH, read_code, slip_code
from tests.slip.conftest import ADDRESS
from tests.slip.receipt_paper import scanned

CODE = "7GQ2M0XK94TD"
LONG_ADDRESS = "https://" + "a" * 40 + "." + "b" * (LONGEST_ADDRESS - 49)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_for_the_slip(language):
    texts = load_catalogue(language).slip
    assert set(texts) == KEYS
    assert len(set(texts.values())) == len(KEYS)
    assert all("{name}" in texts[key] for key in ("outlet", "terminal"))
    assert language == ENGLISH or not set(texts.values()) & set(load_catalogue(ENGLISH).slip.values()) - {
        "Terminal: {name}"
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", DOTS)
def test_the_code_is_scanned_from_the_picture(language, paper):
    slip = replace(SPECIMEN, language=language, code=CODE)
    for address in (ADDRESS, LONG_ADDRESS):
        picture = draw_slip(wording(slip, address), paper, typeface(language))
        assert picture.width == DOTS[paper]
        assert picture.height < 8 * 250  # a quarter of a metre
        assert scanned(picture) == f"{address}/#{CODE}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sign_of_every_text_is_in_the_font(language):
    """A sign that is not there is drawn as the font's own mark for that: as one that no font has."""
    face, catalogue = typeface(language), load_catalogue(language)
    texts = [*catalogue.slip.values(), *(text for key, text in catalogue.messages.items() if "purpose" in key)]
    missing = bytes(face.at(25).getmask("\U0010fffe"))
    signs = {sign for text in texts for sign in text if sign.isalnum() or sign in ".,:{}()#/-"}
    assert {sign for sign in signs if bytes(face.at(25).getmask(sign)) == missing} == set()


def test_hindi_is_shaped():
    """Ka, virama and ssa are one sign, narrower than the three beside each other."""
    font = typeface("hi").at(40)
    assert font.getlength("क्ष") < 0.8 * (font.getlength("क") + font.getlength("ष"))


def test_what_stands_on_it():
    words = wording(replace(SPECIMEN, code=CODE, at=datetime(2026, 3, 1, 23, 5, tzinfo=_zone(5.5))), ADDRESS)
    assert words.facts == (
        "Outlet: outlet-7",
        "Terminal: shop-1",
        "2026-03-01 23:05 (UTC+05:30)",
        "This check is for the registration of a SIM card.",
    )
    assert (words.outcome, words.code) == ("Verified: your face matches the document.", "7GQ2-M0XK-94TD")
    assert words.link == f"{ADDRESS}/#{CODE}"
    assert CODE not in repr(words) + repr(replace(SPECIMEN, code=CODE))
    assert "7GQ2-M0XK" not in repr(words)


def test_a_clock_that_was_never_set_and_a_session_without_request_are_told():
    words = wording(replace(SPECIMEN, outlet=None, purpose=None, clock_set=False), ADDRESS)
    assert words.facts[0] == "Terminal: shop-1"
    assert "never set" in words.facts[-1]
    assert wording(replace(SPECIMEN, purpose="coffee"), ADDRESS).facts[-1].startswith("2026-")


def test_a_trial_has_no_code():
    words = wording(Slip("shop-1", datetime(2026, 1, 1, tzinfo=UTC), clock_set=True, language="es"), ADDRESS)
    assert (words.code, words.link, words.advice) == ("TEST", ADDRESS, ())
    assert words.outcome == "PRUEBA: no se hizo ninguna comprobación."


@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from(list(DOTS)),
    st.sampled_from(Outcome),
    st.binary(min_size=8, max_size=8),
    st.text(alphabet="".join(map(chr, range(33, 127))), min_size=1, max_size=64),
    st.integers(-14 * 60, 14 * 60),
)
@settings(max_examples=15)
def test_whatever_a_request_calls_its_outlet_the_code_is_scanned(language, paper, outcome, entropy, name, minutes):
    code = slip_code(entropy)
    at = datetime(2026, 12, 31, 23, 59, tzinfo=_zone(minutes / 60))
    slip = Slip(name[:32], at, False, language, outlet=name, purpose=name, outcome=outcome, code=code)
    words = wording(slip, ADDRESS)
    assert any(name in fact for fact in words.facts)
    link = scanned(draw_slip(words, paper, typeface(language)))
    assert read_code(link.partition("#")[2]) == code
    assert len(link) == len(ADDRESS) + 2 + CODE_LENGTH


@given(st.text(max_size=300), st.sampled_from(LANGUAGES))
@settings(max_examples=15)
def test_no_text_leaves_the_paper_or_takes_all_of_it(text, language):
    words = Wording(text, (text, text), text, ADDRESS, text, "0", text, (text,))
    picture = np.array(draw_slip(words, 58, typeface(language)).convert("L"))
    assert picture.shape[0] <= 4000
    assert picture[:, :2].min() == 255


COMMA, STOP, MIDDLE = "\uff0c", "\u3002", "\u4e2d"


@given(st.text(alphabet=f"ab {MIDDLE}{COMMA}{STOP}\u0915\u094d\u0937", max_size=200))
@settings(max_examples=50)
def test_lines_fit_and_lose_nothing(text):
    font = typeface("zh-CN").at(25)
    lines = list(_lines(text, font, 360))
    assert all(font.getlength(line) <= 360 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split()) or len(lines) == 12


def test_no_line_begins_with_a_comma():
    font = typeface("zh-CN").at(25)
    for length in range(1, 40):
        lines = list(_lines(f"{MIDDLE * length}{COMMA}{MIDDLE * 9}{STOP}", font, 360))
        assert not any(line.startswith((COMMA, STOP)) for line in lines)


def test_a_language_that_cannot_be_written_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "PLACES", dict.fromkeys(LANGUAGES, (tmp_path / "no.ttf",)))
    assert [typeface(language) is None for language in LANGUAGES] == [False, True, True, True]
    picture = draw_slip(wording(SPECIMEN, ADDRESS), 80, typeface(ENGLISH))
    assert scanned(picture).startswith(ADDRESS)


def test_hindi_without_shaping_is_not_written(monkeypatch):
    monkeypatch.setattr(fonts.features, "check", lambda feature: feature != "raqm")
    assert typeface("hi") is None
    assert typeface("zh-CN") is not None


def _zone(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))
