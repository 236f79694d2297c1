"""The panel by touch: real gpiozero on mock pins, a technician who sees lamps, and wires that go astray."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.doctor.findings import Level
from device.doctor.interview import PATIENCE_S, Interview, Keyboard
from device.doctor.touch import Answer, Seen, judge_touch, lamps, levels, questions, typed
from device.panel.gpio import PinMap, PinReader, RingPins
from device.panel.prompts import Lights

RING = PinMap(ring=RingPins(red=12, green=13, blue=19))


def walked(stand, **options):
    """Goes through a panel; returns the answers, and the findings by their check."""
    technician = stand.technician
    interview = Interview(stand.panel, technician.pins, technician.keyboard, technician.hear, **options)
    answers = interview.walk()
    return answers, {finding.check: finding for finding in judge_touch(technician.pins, answers)}


@pytest.mark.parametrize("pins", [PinMap(), RING, PinMap(active_high=False)], ids=["usual", "ring", "active-low"])
def test_a_panel_that_is_wired_right_is_well(stand, pins):
    made = stand(pins)
    answers, found = walked(made)
    assert [answer.asked for answer in answers] == [wire.name for wire in questions(pins)]
    assert {finding.level for finding in found.values()} == {Level.WELL}
    assert set(levels(answers).values()) == {Level.WELL}
    assert PinReader(pins, made.technician.factory).lights() == Lights()


def test_swapped_lights_are_told_with_their_pins(stand):
    _, found = walked(stand(left=24, right=23))
    lights = found["lights"]
    assert lights.level is Level.STOPS
    assert lights.found == "for the left light the right light is lit; for the right light the left light is lit"
    told = "exchange the wires at header pin 16 and header pin 18, or write panel.pins: {left: 24, right: 23}"
    assert lights.advice == told
    assert found["buttons"].level is found["sound"].level is Level.WELL


def test_what_the_advice_writes_mends_it(stand):
    """Three wires in a circle: with the pins of the advice all is well."""
    astray = {"left": 24, "right": 25, "eyes": 23}
    _, found = walked(stand(**astray))
    assert found["lights"].advice.endswith("or write panel.pins: {eyes: 23, left: 24, right: 25}")
    _, mended = walked(stand(PinMap(**astray), **astray))
    assert mended["lights"].level is Level.WELL


def test_swapped_colours_of_a_ring_are_told_in_its_section(stand):
    _, found = walked(stand(RING, **{"ring.red": 13, "ring.green": 12}))
    assert found["lights"].advice.endswith("or write panel.pins: {ring: {green: 12, red: 13}}")


def test_swapped_buttons_are_told_and_then_understood(stand):
    answers, found = walked(stand(start=6, cancel=5))
    assert found["buttons"].found == "START and CANCEL are swapped"
    assert "header pin 29 and header pin 31" in found["buttons"].advice
    assert "{cancel: 5, start: 6}" in found["buttons"].advice
    assert found["lights"].level is found["sound"].level is Level.WELL
    assert levels(answers)["start"] is Level.MEND


def test_a_light_and_a_button_that_are_dead_are_told_with_their_pins(stand):
    answers, found = walked(stand(eyes=None, start=None))
    assert found["lights"].found == "the eye light stays dark"
    assert "eye light: GPIO 25, header pin 22" in found["lights"].advice
    assert found["buttons"].found == "START does not answer (GPIO 5, header pin 29)"
    assert levels(answers)["eyes"] is levels(answers)["start"] is Level.STOPS


def test_one_dead_and_two_swapped_are_told_apart(stand):
    _, found = walked(stand(left=24, right=23, status_blue=None))
    assert found["lights"].advice.startswith("exchange the wires at header pin 16 and header pin 18")
    assert "Then: check wire, polarity and resistor (status LED, blue: GPIO 22" in found["lights"].advice


def test_a_common_anode_that_was_taken_for_a_cathode_is_guessed(stand):
    dark = dict.fromkeys(("status_red", "status_green", "status_blue", "left", "right", "eyes"))
    _, found = walked(stand(**dark))
    assert found["lights"].found == "no light comes on"
    assert found["lights"].advice.endswith("write panel.pins: {active_high: false}")


def test_without_a_keyboard_a_no_is_enough(stand):
    _, found = walked(stand(left=24, right=23, types=False))
    assert found["lights"].found == "the left light is not what is lit; the right light is not what is lit"
    assert "left light: GPIO 23, header pin 16" in found["lights"].advice


def test_an_active_buzzer_that_nobody_hears_is_told(stand):
    _, found = walked(stand(buzzer=None))
    assert found["sound"].level is Level.MEND
    assert "passive piezo" in found["sound"].advice


def test_sound_that_is_switched_off_is_not_asked_for(stand):
    answers, found = walked(stand(PinMap(sound=False)))
    assert "buzzer" not in [answer.asked for answer in answers]
    assert found["sound"].level is Level.SKIPPED


def test_nobody_there_ends_it_after_the_first_question(stand):
    made = stand(start=None, cancel=None)
    made.technician.on_question = lambda _: None
    made.technician.hear = lambda _: None
    times = iter([0.0, 1.0, PATIENCE_S])
    answers, found = walked(made, monotonic=lambda: next(times))
    assert answers == [Answer("start", Seen.NO_ANSWER)]
    assert {finding.level for finding in found.values()} == {Level.SKIPPED}


def test_ctrl_c_leaves_the_panel_dark(stand):
    made = stand()

    def stop(sentence):
        if "eye light" in sentence and sentence.startswith("Now"):
            raise KeyboardInterrupt

    made.technician.on_question = stop
    with pytest.raises(KeyboardInterrupt):
        walked(made)
    assert PinReader(made.technician.pins, made.technician.factory).lights() == Lights()


def test_what_is_not_understood_is_asked_again(stand):
    made = stand()
    made.technician.on_question = lambda sentence: (
        os.write(made.technician.typing, b"99\nwhat\n") if sentence.startswith("Now the left") else None
    )
    _, found = walked(made)
    assert found["lights"].level is Level.WELL


def test_lines_come_whole_however_they_arrive():
    read, write = os.pipe()
    keyboard = Keyboard(read)
    os.write(write, b"1")
    assert keyboard.lines(1.0) == []
    os.write(write, b"2\n\xff\n3")
    assert keyboard.lines(1.0) == ["12", "�"]
    os.close(write)
    assert keyboard.lines(1.0) == []
    assert keyboard.lines(0.0) == []
    os.close(read)


@given(st.sampled_from(questions(RING)), st.text(max_size=12) | st.integers(-9, 10**9).map(str))
def test_whatever_is_typed_names_a_part_or_nothing(wire, text):
    answer = typed(wire, text, RING)
    if answer is not None:
        assert answer.asked == wire.name
        assert answer.seen in {*Seen, wire.name, *(lamp.name for lamp in lamps(RING))}


@given(st.lists(st.sampled_from(questions(PinMap())), unique_by=lambda wire: wire.name), st.data())
def test_whatever_was_answered_is_judged_with_advice(asked, data):
    seen = st.sampled_from([*Seen, *(wire.name for wire in questions(PinMap()))])
    answers = [Answer(wire.name, data.draw(seen)) for wire in asked]
    for finding in judge_touch(PinMap(), answers):
        assert finding.found and bool(finding.advice) == bool(finding.why) == finding.is_to_do
    assert set(levels(answers)) == {wire.name for wire in asked}
