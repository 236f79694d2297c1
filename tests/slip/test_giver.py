"""Giving slips: nobody waits, nothing of the last customer is left, and what goes wrong is one line in the log."""

import logging
import os
from dataclasses import replace

import pytest
from PIL import Image

from device.slip import fonts, printer
from device.slip.commands import SPECIMEN
from device.slip.giver import SlipGiver, open_slips
from tests.e2e.world import until
from tests.slip.conftest import ADDRESS
from tests.slip.receipt_paper import printed, scanned

CODE = "7GQ2M0XK94TD"
SLIP = replace(SPECIMEN, code=CODE)


@pytest.fixture
def giver():
    made = []

    def make(settings) -> SlipGiver:
        made.append(SlipGiver(settings, "en"))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def no_code_is_told(caplog):
    caplog.set_level(logging.DEBUG)
    yield
    assert "7GQ2" not in caplog.text


def told(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "device.slip.giver"]


def test_paper_and_screen_show_the_same(giver, configured, sheet, tmp_path):
    place = tmp_path / "slip.png"
    one = giver(configured(printer={"kind": "file", "path": sheet}, picture=place))
    one.give(SLIP)
    until(place.exists)
    shown = Image.open(place)
    shown.load()
    assert place.stat().st_mode & 0o777 == 0o640
    one.close()
    (paper,) = printed(sheet.read_bytes())
    assert paper.tobytes() == shown.convert("L").tobytes()
    assert scanned(paper) == f"{ADDRESS}/#{CODE}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lp0"]


def test_the_next_customer_does_not_see_the_last_ones_slip(giver, configured, tmp_path):
    place = tmp_path / "slip.png"
    one = giver(configured(picture=place))
    one.give(SLIP)
    until(place.exists)
    one.next_customer()
    assert list(tmp_path.iterdir()) == []


def test_a_slip_that_comes_late_is_printed_and_not_shown(giver, configured, line, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(printer, "LIMIT_S", 0.3)
    place = tmp_path / "slip.png"
    one = giver(configured(printer={"kind": "file", "path": line[1]}, picture=place))
    one.give(SLIP)
    until(place.exists)
    one.give(replace(SLIP, language="es"))  # the printer is still busy with the first
    one.next_customer()
    one.close()
    assert len(told(caplog)) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_picture_goes_after_its_time(giver, configured, tmp_path):
    place = tmp_path / "slip.png"
    one = giver(configured(picture=place).model_copy(update={"picture_s": 0.05}))
    one.give(SLIP)
    until(lambda: one._hide_at is not None or place.exists())
    until(lambda: not place.exists())


def test_a_printer_that_takes_nothing_holds_up_nobody_and_loses_a_slip_at_most(
    giver, configured, line, monkeypatch, caplog
):
    monkeypatch.setattr(printer, "LIMIT_S", 0.3)
    _, path = line
    one = giver(configured(printer={"kind": "file", "path": path}))
    one.give(SLIP)
    until(lambda: one._waiting is None)
    one.give(SLIP)
    one.give(SLIP)
    assert told(caplog) == ["a slip is lost: the printer is still busy with those before it"]
    one.close()
    line = "a slip is lost: the printer takes nothing for 0.3 s: check paper, cover and power"
    assert told(caplog)[1:] == [line, line]


def test_a_printer_that_is_not_there_is_one_line(giver, configured, tmp_path, caplog):
    one = giver(configured(printer={"kind": "file", "path": tmp_path / "lp0"}, picture=tmp_path / "none" / "a.png"))
    one.give(SLIP)
    one.close()
    assert told(caplog) == [
        f"no slip on the screen: {tmp_path}/none/a.png: No such file or directory",
        f"a slip is lost: printer {tmp_path}/lp0: No such file or directory: check its power and cable",
    ]


def test_without_its_font_a_slip_is_english(giver, configured, sheet, monkeypatch, caplog):
    monkeypatch.setattr(fonts, "PLACES", fonts.PLACES | {"hi": ()})
    one = giver(configured(printer={"kind": "file", "path": sheet}))
    one.give(replace(SLIP, language="hi"))
    one.close()
    in_hindi = sheet.read_bytes()
    os.truncate(sheet, 0)
    two = giver(configured(printer={"kind": "file", "path": sheet}))
    two.give(SLIP)
    two.close()
    assert in_hindi == sheet.read_bytes()
    assert told(caplog) == ["no font for hi, the slip is English: apt-get install fonts-lohit-deva libfribidi0"]


def test_a_font_that_is_damaged_costs_its_slip_and_not_the_terminal(giver, configured, tmp_path, monkeypatch, caplog):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    monkeypatch.setattr(fonts, "PLACES", fonts.PLACES | {"en": (tmp_path / "broken.ttf",)})
    one = giver(configured(picture=tmp_path / "slip.png"))
    one.give(SLIP)
    until(lambda: told(caplog))
    one.give(SLIP)
    one.close()
    assert told(caplog) == ["a slip is lost: unknown file format"] * 2


def test_what_a_crash_left_on_the_screen_goes(giver, configured, tmp_path):
    place = tmp_path / "slip.png"
    place.touch()
    giver(configured(picture=place))
    assert not place.exists()


def test_a_thread_that_ended_is_noticed(giver, configured, tmp_path):
    one = giver(configured(picture=tmp_path / "slip.png"))
    one.close()
    with pytest.raises(RuntimeError, match="the slip's thread has ended"):
        one.give(SLIP)


def test_the_language_of_whoever_heard_none(configured, tmp_path):
    picture = {"picture": tmp_path / "slip.png"}
    for spoken, own, expected in (((), None, "en"), (("hi", "en"), None, "hi"), (("hi",), "es", "es")):
        with open_slips(configured(language=own, **picture), spoken) as giver:
            assert giver.language == expected
