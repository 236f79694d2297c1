"""The wiring picture: every part once, no wire across another, and the committed one is the current one."""

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.__main__ import main
from device.panel.gpio import PinMap, RingPins
from device.panel.wiring import PHYSICAL, SUPPLY, wires, wiring_text
from device.panel.wiring_picture import wiring_picture

DOCUMENT = Path(__file__).parents[2] / "docs" / "wiring.svg"
SVG = "{http://www.w3.org/2000/svg}"
PARTS = ["status_red", "status_green", "status_blue", "left", "right", "eyes", "buzzer", "start", "cancel"]
RING = PinMap(ring=RingPins(red=12, green=13, blue=19), active_high=False)


@st.composite
def pin_maps(draw):
    numbers = iter(draw(st.permutations(range(28))))
    parts = {part: next(numbers) for part in PARTS}
    ring = RingPins(red=next(numbers), green=next(numbers), blue=next(numbers)) if draw(st.booleans()) else None
    return PinMap(**parts, ring=ring, active_high=draw(st.booleans()))


def pieces(path: str) -> list[tuple[float, float, float, float]]:
    """The straight pieces of a route `Mx yHxVyHx`, as (x1, y1, x2, y2)."""
    x, y = map(float, re.match(r"M(\S+) ([0-9.]+)H", path).groups())
    found = []
    for letter, number in re.findall(r"([HV])([0-9.]+)", path):
        to = (float(number), y) if letter == "H" else (x, float(number))
        found.append((min(x, to[0]), min(y, to[1]), max(x, to[0]), max(y, to[1])))
        x, y = to
    return found


def touch(a, b) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


@settings(max_examples=60)
@given(pin_maps())
def test_no_wire_crosses_another_whatever_the_pins(pins):
    root = ElementTree.fromstring(wiring_picture(pins))
    routes = [pieces(path.get("d")) for path in root.iter(f"{SVG}path") if path.get("class") == "wire"]
    assert len(routes) == len(pins.pins())
    for one, other in combinations(routes, 2):
        assert not any(touch(a, b) for a in one for b in other)


@pytest.mark.parametrize("pins", [PinMap(), RING], ids=["usual", "ring"])
def test_every_part_stands_in_picture_and_table_once_with_its_pins(pins):
    words = [text.text for text in ElementTree.fromstring(wiring_picture(pins)).iter(f"{SVG}text")]
    table = wiring_text(pins).splitlines()
    for wire in wires(pins):
        assert words.count(wire.label) == 1
        assert words.count(f"GPIO {wire.bcm}") == 1
        (row,) = [line for line in table if line.startswith(f"{wire.label} ")]
        assert re.split(r"\s{2,}", row)[1:3] == [str(wire.bcm), f"pin {wire.pin}"]


def test_the_header_is_that_of_a_pi():
    assert sorted(PHYSICAL) == list(range(28))
    assert sorted([*PHYSICAL.values(), *SUPPLY]) == list(range(1, 41))


def test_a_common_anode_goes_to_3_3_volts_and_a_ring_to_5():
    far = {wire.name: wire.other_end for wire in wires(RING)}
    assert (far["left"], far["ring.red"], far["buzzer"], far["start"]) == ("3.3 V", "5 V", "ground", "ground")
    assert "common anode" in wiring_text(RING)
    assert "GPIO 3 (left) has a fixed pull-up of 1.8 kilohm" in wiring_text(PinMap(left=3))


def test_the_committed_picture_is_current():
    assert DOCUMENT.read_text() == wiring_picture(PinMap()), (
        "write it anew: likeness-terminal wiring --out docs/wiring.svg"
    )


CONFIG = "camera: {kind: usb-camera}\nbroker: {host: b}\nkeys: k\noutbox: o\npanel:\n  pins: {left: PIN}\n"


def test_the_command_draws_the_configurations_pins(tmp_path, capsys):
    config, out = tmp_path / "terminal.yaml", tmp_path / "wiring.svg"
    config.write_text(CONFIG.replace("PIN", "16"))
    assert main(["wiring", "--config", str(config)]) == 0
    assert re.search(r"left light +16 +pin 36 +330 ohm +ground", capsys.readouterr().out)
    for told in ("written", "is that picture already"):
        assert main(["wiring", "--config", str(config), "--out", str(out)]) == 0
        assert capsys.readouterr().out == f"{out}: {told}\n"
    assert out.read_text() == wiring_picture(PinMap(left=16))


@pytest.mark.parametrize(
    ("pin", "out", "told"),
    [
        ("17", "w.svg", "terminal.yaml:6: panel.pins: pin 17 stands for status_red and left: give each its own pin"),
        ("16", "w.png", "w.png: name a .svg file"),
        ("16", "nowhere/w.svg", "nowhere/w.svg: cannot be written: No such file or directory"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, pin, out, told):
    config = tmp_path / "terminal.yaml"
    config.write_text(CONFIG.replace("PIN", pin))
    assert main(["wiring", "--config", str(config), "--out", str(tmp_path / out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
