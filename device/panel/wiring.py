"""How the panel is wired: each part of the pin map, its pin of the 40-pin header, and what stands between. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.panel.gpio import PinMap

HEADER_PINS = 40
PHYSICAL = {
    2: 3, 3: 5, 4: 7, 14: 8, 15: 10, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21, 25: 22,
    11: 23, 8: 24, 7: 26, 0: 27, 1: 28, 5: 29, 6: 31, 12: 32, 13: 33, 19: 35, 16: 36, 26: 37, 20: 38, 21: 40,
}  # fmt: skip
"""The place on the header of each BCM number, the same on every Raspberry Pi since the B+."""
SUPPLY = {1: "3.3 V", 17: "3.3 V", 2: "5 V", 4: "5 V"} | dict.fromkeys((6, 9, 14, 20, 25, 30, 34, 39), "ground")
LIGHT_RESISTOR, BUZZER_RESISTOR = "330 ohm", "100 ohm"
CAUTIONS = {
    0: "is kept for the EEPROM of a HAT",
    1: "is kept for the EEPROM of a HAT",
    2: "has a fixed pull-up of 1.8 kilohm: a light there glows",
    3: "has a fixed pull-up of 1.8 kilohm: a light there glows",
    14: "is the serial console's until that is switched off",
    15: "is the serial console's until that is switched off",
}


class Part(StrEnum):
    """What hangs on a wire."""

    LIGHT = "light"
    RING = "ring"
    BUZZER = "buzzer"
    BUTTON = "button"


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire of the panel.

    Attributes:
        name: in the pin map: `left`, `ring.red`.
        label: for people.
        bcm: the pin's BCM number.
        pin: its place on the header, 1 to 40.
        through: what stands between pin and part; empty for a bare wire.
        other_end: where the part's other leg goes.
    """

    name: str
    part: Part
    label: str
    bcm: int
    through: str
    other_end: str

    @property
    def pin(self) -> int:
        """Its place on the header, 1 to 40."""
        return PHYSICAL[self.bcm]


def wires(pins: PinMap) -> list[Wire]:
    """Every wire of the panel, in the order of the pin map."""
    return [_wire(name, bcm, active_high=pins.active_high) for name, bcm in pins.pins().items()]


def cautions(pins: PinMap) -> list[str]:
    """What to know about the pins in use that have another purpose, too."""
    return [f"GPIO {each.bcm} ({each.name}) {CAUTIONS[each.bcm]}" for each in wires(pins) if each.bcm in CAUTIONS]


def wiring_text(pins: PinMap) -> str:
    """The wiring as a table and a few sentences."""
    rows = [("part", "GPIO", "header", "through", "other end")]
    rows += [
        (each.label, str(each.bcm), f"pin {each.pin}", each.through or "-", each.other_end)
        for each in sorted(wires(pins), key=lambda each: each.pin)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, "", *notes(pins)]) + "\n"


def notes(pins: PinMap) -> list[str]:
    """What the table cannot say, a sentence each."""
    grounds = ", ".join(str(pin) for pin, what in SUPPLY.items() if what == "ground")
    common = "cathode (its long leg to ground)" if pins.active_high else "anode (its long leg to 3.3 V)"
    said = [
        f"Status red, green and blue are one LED with a common {common}.",
        f"Ground is on header pins {grounds}; any of them will do.",
        "Left and right are the customer's own, who looks at the panel.",
    ]
    if pins.ring is not None:
        said.append("A pin cannot carry a ring's current: each colour needs its transistor.")
    return said + [f"{caution[0].upper()}{caution[1:]}." for caution in cautions(pins)]


def _wire(name: str, bcm: int, *, active_high: bool) -> Wire:
    level = "high" if active_high else "low"
    far = "ground" if active_high else "3.3 V"
    if name in ("start", "cancel"):
        return Wire(name, Part.BUTTON, f"{name.upper()} button", bcm, "", "ground")
    if name == "buzzer":
        return Wire(name, Part.BUZZER, "buzzer (passive piezo)", bcm, BUZZER_RESISTOR, "ground")
    if name.startswith("ring."):
        return Wire(name, Part.RING, f"ring, {name[5:]}", bcm, f"transistor, on when {level}", "5 V")
    if name.startswith("status_"):
        return Wire(name, Part.LIGHT, f"status LED, {name[7:]}", bcm, LIGHT_RESISTOR, far)
    return Wire(name, Part.LIGHT, {"eyes": "eye light"}.get(name, f"{name} light"), bcm, LIGHT_RESISTOR, far)
