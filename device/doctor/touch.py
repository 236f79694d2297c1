"""The panel by touch: what is asked of the technician, how answers are understood, and what follows. Pure.

Each button is pressed once, each light is lit alone. START says yes, CANCEL says no, and whoever has a keyboard may
name the light that is lit instead: swapped wires are found and told with their pins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from device.doctor.findings import Finding, Level, skipped, well
from device.liveness.session import Press
from device.panel.gpio import PinMap
from device.panel.prompts import Lights
from device.panel.wiring import Part, Wire, wires

TONE_HZ = 880.0
_STATUS = ("status_red", "status_green", "status_blue")
_RING = ("ring.red", "ring.green", "ring.blue")
_YES, _NO = ("", "y", "yes", "start"), ("n", "no", "cancel")


class Seen(StrEnum):
    """An answer that names no part."""

    NOTHING = "nothing"
    OTHER = "something else"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the technician said: asked for `asked`, they saw or pressed `seen`, a part's name or a `Seen`."""

    asked: str
    seen: str


SWAPPED = [Answer("start", "cancel"), Answer("cancel", "start")]


def lamps(pins: PinMap) -> list[Wire]:
    """The lights, in the order in which they are asked for and numbered."""
    return [wire for wire in wires(pins) if wire.part in (Part.LIGHT, Part.RING)]


def questions(pins: PinMap) -> list[Wire]:
    """Everything that is asked for: the buttons first, as the answers come by them."""
    wired = {wire.name: wire for wire in wires(pins)}
    return [wired["start"], wired["cancel"], *lamps(pins), *([wired["buzzer"]] if pins.sound else [])]


def lights_for(wire: Wire) -> Lights:
    """The panel while this part is asked for."""
    if wire.part is Part.BUZZER:
        return Lights(tone_hz=TONE_HZ)
    red, green, blue = (float(wire.name == name) for name in _STATUS)
    ring = (float(wire.name == _RING[0]), float(wire.name == _RING[1]), float(wire.name == _RING[2]))
    cues = {name: float(wire.name == name) for name in ("left", "right", "eyes")}
    return Lights(status=(red, green, blue), ring=ring, **cues)


def sentence_for(wire: Wire) -> str:
    """What is said while this part is asked for."""
    if wire.part is Part.BUTTON:
        return f"Press {wire.name.upper()} on the panel. Type n if nothing happens."
    if wire.part is Part.BUZZER:
        return "The buzzer sounds. START: I hear it. CANCEL: I do not."
    return f"Now the {wire.label} is lit, and nothing else. START: yes. CANCEL: no. Or type the number of what is lit."


def legend(pins: PinMap) -> str:
    """The numbers that may be typed."""
    numbered = [f"{number} {wire.label}" for number, wire in enumerate(lamps(pins), 1)]
    return "; ".join([*numbered, "0 nothing"])


def pressed(wire: Wire, press: Press, before: Sequence[Answer] = ()) -> Answer:
    """What a press means; where the answers before it told that the buttons are swapped, the other way round."""
    press = Press.CANCEL if press is Press.CANCEL else Press.START  # however long it was held
    if wire.part is Part.BUTTON:
        return Answer(wire.name, "start" if press is Press.START else "cancel")
    agrees = Press.CANCEL if list(before[:2]) == SWAPPED else Press.START
    return Answer(wire.name, wire.name if press is agrees else Seen.OTHER)


def typed(wire: Wire, text: str, pins: PinMap) -> Answer | None:
    """What a typed line means; None when it is not understood."""
    word = text.strip().lower()
    if wire.part is Part.BUTTON:  # a key of the keyboard is no button of the panel
        return Answer(wire.name, Seen.NOTHING) if word in (*_NO, "0") else None
    if word in _YES:
        return Answer(wire.name, wire.name)
    if wire.part is Part.BUZZER:
        return Answer(wire.name, Seen.NOTHING) if word in _NO else None
    if word in _NO:
        return Answer(wire.name, Seen.OTHER)
    named = [each.name for each in lamps(pins)]
    if not (word.isdecimal() and len(word) <= 2 and int(word) <= len(named)):
        return None
    return Answer(wire.name, named[int(word) - 1] if int(word) else Seen.NOTHING)


def judge_touch(pins: PinMap, answers: Sequence[Answer]) -> list[Finding]:
    """Judges the answers: one finding for the buttons, one for the lights, one for the sound."""
    wired = {wire.name: wire for wire in wires(pins)}
    seen = {answer.asked: answer.seen for answer in answers}
    buttons = {name: what for name, what in seen.items() if wired[name].part is Part.BUTTON}
    lit = {name: seen[name] for name in seen if wired[name].part in (Part.LIGHT, Part.RING)}
    found = [_buttons(wired, buttons), _lights(wired, lit, active_high=pins.active_high)]
    if not pins.sound:
        return [*found, skipped("sound", "switched off in the configuration (panel.pins.sound)")]
    return [*found, _sound(wired["buzzer"], seen.get("buzzer", Seen.NO_ANSWER))]


def levels(answers: Sequence[Answer]) -> dict[str, Level]:
    """How each part was found, for the picture of the panel."""
    marks: dict[str, Level] = {Seen.NO_ANSWER: Level.SKIPPED, Seen.NOTHING: Level.STOPS}
    return {
        answer.asked: Level.WELL if answer.asked == answer.seen else marks.get(answer.seen, Level.MEND)
        for answer in answers
    }


def _buttons(wired: Mapping[str, Wire], seen: Mapping[str, str]) -> Finding:
    if Seen.NO_ANSWER in seen.values() or not seen:
        return skipped("buttons", "nobody pressed one")
    why = "START is the customer's consent and CANCEL their refusal"
    if seen == {answer.asked: answer.seen for answer in SWAPPED}:
        return Finding("buttons", Level.STOPS, "START and CANCEL are swapped", why, _swap(wired, seen))
    dead = [wired[name] for name, press in seen.items() if press != name]
    if not dead:
        return well("buttons", ", ".join(f"{name.upper()} on GPIO {wired[name].bcm}" for name in seen))
    found = "; ".join(f"{wire.name.upper()} does not answer ({_where(wire)})" for wire in dead)
    return Finding("buttons", Level.STOPS, found, why, "check both wires of the button: one to its pin, one to ground")


def _lights(wired: Mapping[str, Wire], seen: Mapping[str, str], *, active_high: bool) -> Finding:
    asked = {name: what for name, what in seen.items() if what != Seen.NO_ANSWER}
    if not asked:
        return skipped("lights", "nobody answered")
    why = "customers answer the wrong cue, and are refused for it"
    other = {name: what for name, what in asked.items() if what != name}
    if not other:
        return well("lights", f"{len(asked)} lights, each where it belongs")
    if len(asked) > 1 and set(asked.values()) == {Seen.NOTHING}:
        advice = (
            f"check the common wire; if it is right, write panel.pins: {{active_high: {str(not active_high).lower()}}}"
        )
        return Finding("lights", Level.STOPS, "no light comes on", why, advice)
    named = {name: what for name, what in other.items() if what in wired}
    found = [f"for the {wired[name].label} the {wired[what].label} is lit" for name, what in named.items()]
    found += [_dark(wired[name], what) for name, what in other.items() if name not in named]
    exchanged = bool(named) and sorted(named) == sorted(named.values())
    steps = [_swap(wired, named)] if exchanged else []
    rest = [wired[name] for name in other if not exchanged or name not in named]
    if rest:
        where = "; ".join(f"{wire.label}: {_where(wire)}" for wire in rest)
        steps.append(f"check wire, polarity and resistor ({where}): likeness-terminal wiring shows them")
    return Finding("lights", Level.STOPS, "; ".join(found), why, ". Then: ".join(steps))


def _sound(buzzer: Wire, seen: str) -> Finding:
    if seen == Seen.NO_ANSWER:
        return skipped("sound", "nobody answered")
    if seen == buzzer.name:
        return well("sound", f"heard, on GPIO {buzzer.bcm}")
    why = "who sees badly follows the sound"
    advice = "check its wires and panel.pins.volume; it has to be a passive piezo: an active one only clicks"
    return Finding("sound", Level.MEND, f"not heard ({_where(buzzer)})", why, advice)


def _dark(wire: Wire, seen: str) -> str:
    return f"the {wire.label} stays dark" if seen == Seen.NOTHING else f"the {wire.label} is not what is lit"


def _swap(wired: Mapping[str, Wire], seen: Mapping[str, str]) -> str:
    """What mends a permutation: the pin that lit a part is that part's pin."""
    places = " and ".join(f"header pin {wired[name].pin}" for name in sorted(seen, key=lambda name: wired[name].pin))
    pins = {part: wired[asked].bcm for asked, part in seen.items()}
    written = ", ".join(f"{part}: {pin}" for part, pin in sorted(pins.items()) if not part.startswith("ring."))
    in_ring = ", ".join(f"{part[5:]}: {pin}" for part, pin in sorted(pins.items()) if part.startswith("ring."))
    sections = ", ".join(part for part in (written, f"ring: {{{in_ring}}}" if in_ring else "") if part)
    return f"exchange the wires at {places}, or write panel.pins: {{{sections}}}"


def _where(wire: Wire) -> str:
    return f"GPIO {wire.bcm}, header pin {wire.pin}"
