"""Printing: real bytes over a socket, a character device and a file, and printers that are not ready."""

import os
import re
import threading

import numpy as np
import pytest
from escpos.printer import File
from PIL import ImageChops

from device.slip import printer
from device.slip.commands import SPECIMEN
from device.slip.content import wording
from device.slip.drawing import draw_slip
from device.slip.fonts import typeface
from device.slip.printer import PrinterError, answers, escpos, print_picture
from device.slip.settings import FilePrinter, NetworkPrinter, UsbPrinter
from tests.slip.conftest import ADDRESS
from tests.slip.receipt_paper import COVER_OPEN, OUT_OF_PAPER, READY, printed, scanned


@pytest.fixture(scope="module")
def picture():
    return draw_slip(wording(SPECIMEN, ADDRESS), 58, typeface("en"))


def at(port: int) -> NetworkPrinter:
    return NetworkPrinter(kind="network", host="127.0.0.1", port=port)


@pytest.mark.parametrize("paper", [58, 80])
def test_what_is_printed_is_the_picture_dot_for_dot(paper, capfd):
    drawn = draw_slip(wording(SPECIMEN, ADDRESS), paper, typeface("en"))
    (sheet,) = printed(escpos(drawn))
    assert ImageChops.difference(sheet, drawn.convert("L")).getbbox() is None
    assert capfd.readouterr() == ("", "")


def test_the_bytes_are_those_that_python_escpos_writes_to_a_file(picture, sheet, tmp_path):
    print_picture(FilePrinter(kind="file", path=sheet), picture)
    theirs = File(str(tmp_path / "theirs"))
    theirs.hw("INIT")
    theirs.image(picture, fragment_height=256)
    theirs.cut()
    theirs.close()
    assert sheet.read_bytes() == (tmp_path / "theirs").read_bytes()


def test_a_printer_in_the_network_prints_and_says_that_it_is_ready(picture, network_printer):
    stand = network_printer(READY)
    assert answers(at(stand.port))
    print_picture(at(stand.port), picture)
    (sheet,) = printed(stand.stop())
    assert scanned(sheet).startswith(ADDRESS)


def test_a_printer_that_tells_nothing_prints_all_the_same(picture, network_printer):
    stand = network_printer({})
    assert not answers(at(stand.port))
    print_picture(at(stand.port), picture)
    assert len(printed(stand.stop())) == 1


@pytest.mark.parametrize(
    ("status", "told"), [(OUT_OF_PAPER, "out of paper: put in a new roll"), (COVER_OPEN, "not ready: close its cover")]
)
def test_a_printer_that_is_not_ready_gets_no_half_a_slip(picture, network_printer, status, told):
    stand = network_printer(status)
    with pytest.raises(PrinterError, match=told):
        print_picture(at(stand.port), picture)
    assert printed(stand.stop()) == []


def test_nobody_listens(picture, network_printer):
    stand = network_printer({})
    stand.stop()
    with pytest.raises(PrinterError, match=rf"^printer 127.0.0.1:{stand.port}: Connection refused: check its power"):
        print_picture(at(stand.port), picture)


def test_a_printer_that_stops_taking_ends_at_the_limit(picture, line, monkeypatch):
    monkeypatch.setattr(printer, "LIMIT_S", 0.1)
    _, path = line
    with pytest.raises(PrinterError, match=r"^the printer takes nothing for 0.1 s: check paper, cover and power$"):
        print_picture(FilePrinter(kind="file", path=path), picture)


def test_a_usb_printer_is_found_by_its_id_whatever_its_number(picture, line, tmp_path, monkeypatch):
    other, path = line
    for number, product in ((0, "0e03"), (3, "0e15")):
        device = tmp_path / f"devices/1-{number}"
        (device / f"1-{number}:1.0").mkdir(parents=True)
        (device / "idVendor").write_text("04b8\n")
        (device / "idProduct").write_text(f"{product}\n")
        (tmp_path / f"classes/lp{number}").mkdir(parents=True)
        (tmp_path / f"classes/lp{number}/device").symlink_to(device / f"1-{number}:1.0")
    (tmp_path / "classes/lp1").mkdir()  # just being unplugged
    (tmp_path / "lp3").symlink_to(path)
    monkeypatch.setattr(printer, "USB_PRINTERS", tmp_path / "classes")
    monkeypatch.setattr(printer, "USB_NODES", tmp_path)
    expected, taken = len(escpos(picture)) + 3, b""

    def read() -> None:
        nonlocal taken
        while len(taken) < expected:
            taken += os.read(other, 65536)

    reader = threading.Thread(target=read)
    reader.start()
    print_picture(UsbPrinter(kind="usb", id="04B8:0E15"), picture)
    reader.join()
    assert np.array_equal(printed(taken)[0], picture.convert("L"))
    with pytest.raises(
        PrinterError, match=re.escape("printer 04b8:ffff: is not plugged in: check its power and cable")
    ):
        print_picture(UsbPrinter(kind="usb", id="04b8:ffff"), picture)
