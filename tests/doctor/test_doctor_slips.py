"""The doctor and the slip: fonts, printer, paper read by a technician, and a screen that is not on the card."""

import os

import pytest

from device.config import load_terminal
from device.doctor.counter import Person
from device.doctor.findings import Level
from device.doctor.interview import PATIENCE_S, Keyboard
from device.doctor.kernel import Kernel
from device.doctor.slips import FONTS, PAPER, PRINTER, QUESTION, SCREEN, ask, examine_slips
from device.slip import fonts
from tests.slip.conftest import ADDRESS
from tests.slip.receipt_paper import OUT_OF_PAPER, READY, printed, scanned


@pytest.fixture
def examined(write):
    def examine(person: Person | None = None, *, voice: dict | None = None, **slip):
        config = write(slip={"address": ADDRESS} | slip, **({} if voice is None else {"voice": voice}))
        settings, _ = load_terminal(config)
        return {finding.check: finding for finding in examine_slips(settings, person, Kernel())}

    return examine


@pytest.fixture
def technician():
    """Types these lines as soon as the question is heard."""
    ends = []

    def make(*lines: str) -> Person:
        ends.extend(os.pipe())
        heard, typing = ends[-2:]

        def say(told: str) -> None:
            if told == QUESTION:
                os.write(typing, "".join(f"{line}\n" for line in lines).encode())

        return Person(Keyboard(heard), say)

    yield make
    for end in ends:
        os.close(end)


def at(printer) -> dict:
    return {"kind": "network", "host": "127.0.0.1", "port": printer.port}


def test_where_there_are_no_slips_nothing_is_looked_at(write):
    settings, _ = load_terminal(write())
    assert examine_slips(settings, None, Kernel()) == []


def test_a_printer_that_answers_and_paper_that_somebody_reads(examined, technician, network_printer):
    printer = network_printer(READY)
    found = examined(technician("what?", "y"), printer=at(printer), paper_mm=58)
    assert list(found) == [FONTS, PRINTER, PAPER]
    assert {finding.level for finding in found.values()} == {Level.WELL}
    (sheet,) = printed(printer.stop())
    assert (sheet.width, scanned(sheet)) == (384, ADDRESS)  # no code


def test_paper_that_nobody_can_read(examined, technician, network_printer):
    found = examined(technician("no"), printer=at(network_printer({})))
    assert found[PRINTER].level is Level.NOTE
    assert (found[PAPER].level, found[PAPER].found) == (Level.MEND, "it cannot be read")
    assert "turn the roll over" in found[PAPER].advice


def test_nobody_is_there(examined, network_printer):
    printer = network_printer(READY)
    found = examined(printer=at(printer))
    assert (found[PRINTER].level, found[PAPER].level) == (Level.WELL, Level.SKIPPED)
    assert printed(printer.stop()) == []


def test_without_paper_nothing_is_printed(examined, technician, network_printer):
    printer = network_printer(OUT_OF_PAPER)
    found = examined(technician("y"), printer=at(printer))
    assert (found[PRINTER].level, found[PRINTER].advice) == (Level.MEND, "put in a new roll")
    assert found[PRINTER].found == "the printer is out of paper"
    assert found[PAPER].level is Level.SKIPPED
    assert printed(printer.stop()) == []


def test_a_printer_that_is_not_there(examined, tmp_path):
    found = examined(printer={"kind": "file", "path": str(tmp_path / "lp0")})
    assert found[PRINTER].found == f"printer {tmp_path}/lp0: No such file or directory"
    assert found[PRINTER].advice == "check its power and cable"


def test_languages_that_cannot_be_written(examined, monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "PLACES", fonts.PLACES | {"hi": (), "zh-CN": ()})
    voice = {"languages": ["es", "zh-CN", "hi"], "folder": str(tmp_path)}
    found = examined(voice=voice, picture="/run/slip.png", language="es")
    assert found[FONTS].level is Level.MEND
    assert found[FONTS].found == "nothing writes zh-CN, hi"
    assert found[FONTS].advice == "sudo apt-get install fonts-wqy-microhei fonts-lohit-deva libfribidi0"


def test_a_picture_belongs_into_memory(examined, tmp_path, monkeypatch):
    assert examined(picture="/dev/shm/slip.png")[SCREEN].level is Level.WELL
    gone = examined(picture=str(tmp_path / "none" / "slip.png"))[SCREEN]
    assert (gone.level, gone.found) == (Level.MEND, f"{tmp_path / 'none'} cannot be written")
    monkeypatch.setattr(Kernel, "_mount", lambda *_: ("/dev/mmcblk0p2", "ext4", "rw"))
    on_card = examined(picture=str(tmp_path / "slip.png"))[SCREEN]
    assert (on_card.level, on_card.advice) == (Level.MEND, "put slip.picture below /run")


def test_nobody_answers(technician):
    times = iter([0.0, 1.0, PATIENCE_S + 1])
    assert ask(technician(), QUESTION, lambda: next(times)) is None
