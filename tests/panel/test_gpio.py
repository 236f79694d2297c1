"""The panel on real gpiozero devices over mock pins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin
from pydantic import ValidationError

from device.liveness.session import Press
from device.panel.button import LONG_PRESS_S
from device.panel.gpio import PRESSES_KEPT, Panel, PinMap, PinReader, mock_factory
from device.panel.prompts import Lights, Scene, prompt
from device.settings import SettingsError, parse_settings
from device.wire.plan import Action

DARK = Lights()


@pytest.mark.parametrize("scene", list(Scene))
def test_the_pins_show_what_was_asked_for(desk, scene):
    for tick in range(60):
        asked = prompt(scene, tick / 20, action=Action.BLINK_TWICE)
        desk.panel.show(asked)
        shown = desk.reader.lights()
        assert shown.status == pytest.approx(asked.status)
        assert (shown.left, shown.right, shown.eyes) == pytest.approx((asked.left, asked.right, asked.eyes))
        assert shown.tone_hz == asked.tone_hz


def test_only_what_changes_is_set(desk):
    desk.panel.show(Lights(left=1.0))
    left, right = (desk.factory.pin(number) for number in (desk.pins.left, desk.pins.right))
    left.clear_states()
    right.clear_states()
    desk.panel.show(Lights(left=1.0))
    desk.panel.show(Lights(left=1.0, right=1.0))
    assert len(left.states) == 1
    assert len(right.states) == 2


def test_presses_arrive_in_their_order_once(desk):
    for press in (Press.START, Press.CANCEL, Press.START):
        desk.reader.press(press)
    assert desk.panel.presses() == [Press.START, Press.CANCEL, Press.START]
    assert desk.panel.presses() == []


def test_hammering_a_button_keeps_the_first_presses(desk):
    desk.reader.press(Press.CANCEL)
    for _ in range(100):
        desk.reader.press(Press.START)
    presses = desk.panel.presses()
    assert len(presses) == PRESSES_KEPT
    assert presses[0] is Press.CANCEL


class Clocked(MockFactory):
    """Mock pins whose time is set by hand."""

    now = 100.0

    def ticks(self) -> float:
        return self.now


@pytest.fixture
def finger():
    pins, factory = PinMap(), Clocked(pin_class=MockPWMPin)
    panel = Panel(pins, factory)
    yield factory, factory.pin(pins.start), panel
    panel.close()


@pytest.mark.parametrize("seconds", [0.0, 0.05, LONG_PRESS_S - 0.001])
def test_a_short_press_is_told_when_it_ends(finger, seconds):
    factory, start, panel = finger
    start.drive_low()
    assert panel.presses() == []
    factory.now += seconds
    assert panel.presses() == []
    start.drive_high()
    assert panel.presses() == [Press.START]


@pytest.mark.parametrize("seconds", [LONG_PRESS_S, 1.5, 60.0])
@pytest.mark.parametrize("asked_meanwhile", [True, False])
def test_a_long_press_is_told_once_and_is_never_a_short_one(finger, seconds, asked_meanwhile):
    factory, start, panel = finger
    start.drive_low()
    factory.now += seconds
    told = [*panel.presses(), *panel.presses()] if asked_meanwhile else []
    start.drive_high()
    assert [*told, *panel.presses()] == [Press.START_HELD]


def test_what_was_held_down_before_is_forgotten(finger):
    _, start, panel = finger
    start.drive_low()
    panel.forget_presses()
    start.drive_high()
    assert panel.presses() == []
    start.drive_low()
    start.drive_high()
    assert panel.presses() == [Press.START]


def test_cancel_is_told_at_once(finger):
    factory, _, panel = finger
    factory.pin(PinMap().cancel).drive_low()
    assert panel.presses() == [Press.CANCEL]


def test_closing_leaves_all_dark_and_silent(desk):
    desk.panel.show(Lights((1.0, 1.0, 1.0), 1.0, 1.0, 1.0, 880.0))
    desk.panel.close()
    desk.panel.close()
    assert desk.reader.lights() == DARK


def test_sound_can_be_switched_off():
    pins, factory = PinMap(sound=False), mock_factory()
    panel = Panel(pins, factory)
    panel.show(Lights(tone_hz=880.0))
    assert PinReader(pins, factory).lights().tone_hz is None
    panel.close()


def test_volume_lowers_the_duty():
    pins, factory = PinMap(volume=0.2), mock_factory()
    panel = Panel(pins, factory)
    panel.show(Lights(tone_hz=880.0))
    assert factory.pin(pins.buzzer).state == pytest.approx(0.1)
    panel.close()


def test_a_pin_for_two_parts_is_refused_by_name():
    with pytest.raises(ValidationError, match="pin 17 stands for status_red and left: give each its own pin"):
        PinMap(left=17)


@pytest.mark.parametrize("text", ["left: 28", "left: -1", "volume: 0", "volume: 1.5", "lef: 3", "left: true"])
def test_a_wrong_pin_map_is_reported_with_its_line(text):
    with pytest.raises(SettingsError, match=r"panel\.yaml:1"):
        parse_settings(text, "panel.yaml", PinMap)


def test_only_mock_pins_are_pressed_by_software():
    class Elsewhere(MockFactory):
        def pin(self, name):
            return object()

    with pytest.raises(TypeError):
        PinReader(PinMap(), Elsewhere()).press(Press.START)


def test_lgpio_does_not_take_the_process_elsewhere(tmp_path):
    """On import it goes to its pipe's folder; in a process of its own, as it is imported once."""
    code = """
import os
from device.panel.gpio import PanelError, pi_factory
try:
    pi_factory()
except PanelError:
    pass
print(os.getcwd())
"""
    command = [sys.executable, "-c", code]
    paths = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=os.environ | paths)
    assert done.stdout == f"{tmp_path}\n"
