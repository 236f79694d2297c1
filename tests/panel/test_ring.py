"""The ring around the lens: three more pins, in hertz that a camera does not see."""

import pytest
from pydantic import ValidationError

from device.panel.gpio import RING_HZ, Panel, PinMap, PinReader, RingPins, mock_factory
from device.panel.prompts import Lights
from device.settings import SettingsError, parse_settings
from device.wire.light import PALETTE, Colour

RING = RingPins(red=12, green=13, blue=19)


def test_the_ring_shows_each_colour_of_the_code():
    pins, factory = PinMap(ring=RING), mock_factory()
    panel, reader = Panel(pins, factory), PinReader(pins, factory)
    for duties in PALETTE.values():
        panel.show(Lights(left=1.0, ring=duties))
        assert reader.lights().ring == pytest.approx(duties)
        assert reader.lights().left == 1.0  # the cue stays where it is
    assert factory.pin(12).frequency == RING_HZ
    panel.close()
    assert reader.lights() == Lights()


def test_a_panel_without_a_ring_leaves_those_pins_alone():
    pins, factory = PinMap(), mock_factory()
    panel = Panel(pins, factory)
    panel.show(Lights(ring=PALETTE[Colour.ROSE]))
    assert PinReader(pins, factory).lights() == Lights()
    assert factory.pin(12).function == "input"
    panel.close()


def test_a_pin_of_the_ring_serves_nothing_else():
    with pytest.raises(ValidationError, match=r"pin 17 stands for status_red and ring\.blue"):
        PinMap(ring=RingPins(red=12, green=13, blue=17))


@pytest.mark.parametrize("text", ["ring: {red: 12}", "ring: {red: 12, green: 13, blue: 28}", "ring: 12"])
def test_a_wrong_ring_is_reported_with_its_line(text):
    with pytest.raises(SettingsError, match=r"panel\.yaml:1"):
        parse_settings(text, "panel.yaml", PinMap)
