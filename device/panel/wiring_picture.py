"""The wiring as a picture: the 40-pin header in the middle, the parts to the side on which their pins are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from device.panel.gpio import PinMap
from device.panel.wiring import HEADER_PINS, SUPPLY, Part, Wire, notes, wires

WIDTH = 1120
_TOP, _PITCH, _SLOT = 92, 27, 60
_MIDDLE = WIDTH / 2
_COLUMN = 17  # from the header's middle to each row of its pins
_EDGE = 94  # from the middle to where the wires leave the pins' names
_LANE = 9
_PART = 214  # from the middle to the parts
_LAST_LEG = 250  # from a part's beginning to its other end
_COLOURS = {
    "status_red": "#c4001a", "ring.red": "#c4001a", "status_green": "#00713a", "ring.green": "#00713a",
    "status_blue": "#0a4fd0", "ring.blue": "#0a4fd0", "left": "#8a5a00", "right": "#7a2aa8", "eyes": "#00707a",
    "buzzer": "#444444", "start": "#00713a", "cancel": "#c4001a",
}  # fmt: skip
_STYLE = (
    "text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:#111}.name{font-size:14px;font-weight:bold}"
    ".small{font-size:12px}.pad{font-size:10px;text-anchor:middle}.wire{fill:none;stroke-width:2.5}"
    ".part{fill:#fff;stroke:#111;stroke-width:1.8}.line{fill:none;stroke:#111;stroke-width:1.8}"
)


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the picture; `sign` is -1 to the left of the header and 1 to its right."""

    sign: int
    wires: tuple[Wire, ...]

    def x(self, distance: float) -> float:
        """The abscissa at a distance from the middle."""
        return _MIDDLE + self.sign * distance

    def slots(self) -> list[float]:
        """The height of each part: evenly spaced around the header's middle, in the order of the pins."""
        first = _pin_y(HEADER_PINS // 2) - (len(self.wires) - 1) * _SLOT / 2
        return [first + index * _SLOT for index in range(len(self.wires))]

    def lanes(self) -> list[float]:
        """Where each wire turns, so that none crosses another: who goes up turns after those above, and so on."""
        heights = [_pin_y(each.pin) for each in self.wires]
        slots = self.slots()
        up = [index for index, (pin, slot) in enumerate(zip(heights, slots, strict=True)) if slot < pin]
        down = [index for index in range(len(heights)) if index not in up]
        lanes = [0.0] * len(heights)
        for group in (up, down[::-1]):
            for order, index in enumerate(group):
                lanes[index] = _EDGE + 14 + order * _LANE
        return lanes


def wiring_picture(pins: PinMap) -> str:
    """The picture as SVG text; the same pin map gives the same text."""
    wired = sorted(wires(pins), key=lambda each: each.pin)
    sides = [_Side(-1, tuple(w for w in wired if w.pin % 2)), _Side(1, tuple(w for w in wired if not w.pin % 2))]
    foot = _TOP + 20 * _PITCH + 34
    lowest = max([foot, *(side.slots()[-1] + 64 for side in sides if side.wires)])
    told = notes(pins)
    height = lowest + 22 * len(told) + 16
    body = [_title(), _header({each.pin: each for each in wired})]
    body += [_wire(side, index) for side in sides for index in range(len(side.wires))]
    body += [
        f'<text class="small" x="40" y="{lowest + 10 + 22 * number:g}">{escape(line)}</text>'
        for number, line in enumerate(told)
    ]
    label = "Wiring of the panel: " + "; ".join(f"{w.label} to GPIO {w.bcm}, header pin {w.pin}" for w in wired)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'height="{height:g}" role="img" aria-label="{escape(label)}">\n<style>{_STYLE}</style>\n'
        f'<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _title() -> str:
    return (
        '<text x="40" y="40" style="font-size:22px;font-weight:bold">Likeness: the panel on the 40-pin header</text>\n'
        '<text class="small" x="40" y="62">Seen from above, pin 1 at the corner with the square pad; '
        "the USB sockets are below. Switch the power off first.</text>"
    )


def _header(used: dict[int, Wire]) -> str:
    top = _pin_y(1) - 20
    drawn = [f'<rect x="{_MIDDLE - 36:g}" y="{top:g}" width="72" height="{20 * _PITCH + 13:g}" rx="6" fill="#1d1d1f"/>']
    drawn += [_pad(pin, used.get(pin)) for pin in range(1, HEADER_PINS + 1)]
    return "\n".join(drawn)


def _pad(pin: int, wire: Wire | None) -> str:
    sign = -1 if pin % 2 else 1
    x, y = _MIDDLE + sign * _COLUMN, _pin_y(pin)
    supply = SUPPLY.get(pin, "")
    fill = {"ground": "#9a9a9a", "3.3 V": "#ffb454", "5 V": "#ff8a80"}.get(supply, "#f2d16b" if wire else "#6b6b6b")
    shape = (
        f'<rect x="{x - 10:g}" y="{y - 10:g}" width="20" height="20" fill="{fill}"/>'
        if pin == 1
        else f'<circle cx="{x:g}" cy="{y:g}" r="10" fill="{fill}"/>'
    )
    number = f'<text class="pad" x="{x:g}" y="{y + 3.6:g}">{pin}</text>'
    name = f"GPIO {wire.bcm}" if wire else {"ground": "GND"}.get(supply, supply)
    if not name:
        return shape + number
    anchor, weight = "end" if sign < 0 else "start", "font-weight:bold" if wire else "fill:#555"
    where = f'x="{_MIDDLE + sign * 41:g}" y="{y + 4:g}" text-anchor="{anchor}"'
    return f'{shape}{number}<text {where} style="font-size:11px;{weight}">{name}</text>'


def _wire(side: _Side, index: int) -> str:
    """One wire from its pin to its part, and what follows."""
    wire = side.wires[index]
    y, slot, lane = _pin_y(wire.pin), side.slots()[index], side.lanes()[index]
    colour, begin = _COLOURS.get(wire.name, "#111"), side.x(_PART)
    # The name of the pin stands above the wire's first piece, which therefore begins beyond it.
    route = f"M{side.x(_EDGE):g} {y:g}H{side.x(lane):g}V{slot:g}H{begin:g}"
    drawn = [f'<path class="wire" stroke="{colour}" d="{route}"/>']
    anchor = "end" if side.sign < 0 else "start"
    label = f'<text class="name" x="{begin:g}" y="{slot - 26:g}" text-anchor="{anchor}">{escape(wire.label)}</text>'
    drawn += [label, *_PARTS[wire.part](side, slot, wire)]
    return "\n".join(drawn)


def _light(side: _Side, y: float, wire: Wire) -> list[str]:
    return [*_resistor(side, y, wire.through), _line(side, y, 78, 112), _diode(side, y, wire), *_far_end(side, y, wire)]


def _diode(side: _Side, y: float, wire: Wire) -> str:
    """A triangle that points to ground, a bar, and two arrows of light."""
    outward = 1 if wire.other_end == "ground" else -1
    near, far = side.x(_PART + 112), side.x(_PART + 134)
    tail, tip = (near, far) if outward > 0 else (far, near)
    triangle = f"M{tail:g} {y - 11:g}V{y + 11:g}L{tip:g} {y:g}Z"
    bar = f"M{tip:g} {y - 11:g}V{y + 11:g}"
    rays = "".join(f"M{near + side.sign * (8 + 8 * ray):g} {y - 14:g}l{side.sign * 7:g} -8" for ray in range(2))
    fill = _COLOURS.get(wire.name, "#111")
    return f'<path class="part" style="fill:{fill}" d="{triangle}"/><path class="line" d="{bar}{rays}"/>'


def _buzzer(side: _Side, y: float, wire: Wire) -> list[str]:
    body = f'<circle class="part" cx="{side.x(_PART + 124):g}" cy="{y:g}" r="14"/>'
    core = f'<circle cx="{side.x(_PART + 124):g}" cy="{y:g}" r="4" fill="#111"/>'
    return [*_resistor(side, y, wire.through), _line(side, y, 78, 110), body + core, *_far_end(side, y, wire, 138)]


def _button(side: _Side, y: float, wire: Wire) -> list[str]:
    left, right = side.x(_PART + 108), side.x(_PART + 140)
    contacts = "".join(f'<circle class="part" cx="{x:g}" cy="{y:g}" r="3.5"/>' for x in (left, right))
    middle = (left + right) / 2
    bridge = f'<path class="line" d="M{left:g} {y - 8:g}H{right:g}M{middle:g} {y - 8:g}V{y - 16:g}"/>'
    return [_line(side, y, 0, 104), contacts + bridge, *_far_end(side, y, wire, 144)]


def _ring(side: _Side, y: float, wire: Wire) -> list[str]:
    x = min(side.x(_PART + 24), side.x(_PART + 134))
    box = f'<rect class="part" x="{x:g}" y="{y - 12:g}" width="110" height="24" rx="4"/>'
    words = f'<text class="small" x="{x + 55:g}" y="{y + 4:g}" text-anchor="middle">transistor, LEDs</text>'
    return [_line(side, y, 0, 24), box + words, *_far_end(side, y, wire)]


def _resistor(side: _Side, y: float, value: str) -> list[str]:
    x = min(side.x(_PART + 24), side.x(_PART + 78))
    box = f'<rect class="part" x="{x:g}" y="{y - 8:g}" width="54" height="16"/>'
    words = (
        f'<text class="small" x="{x + 27:g}" y="{y + 4:g}" text-anchor="middle">{value.partition(" ")[0]} \u03a9</text>'
    )
    return [_line(side, y, 0, 24), box + words]


def _far_end(side: _Side, y: float, wire: Wire, begin: float = 134) -> Sequence[str]:
    """The line to the supply: ground's three bars, or the supply's name."""
    end = side.x(_PART + _LAST_LEG - 50)
    line = _line(side, y, begin, _LAST_LEG - 50)
    if wire.other_end == "ground":
        bars = "".join(
            f"M{end + side.sign * step * 5:g} {y - 10 + 3 * step:g}V{y + 10 - 3 * step:g}" for step in range(3)
        )
        return [line, f'<path class="line" d="{bars}"/>']
    anchor = "end" if side.sign < 0 else "start"
    where = f'x="{end + side.sign * 6:g}" y="{y + 4:g}" text-anchor="{anchor}"'
    return [line, f'<text class="small" {where}>{wire.other_end}</text>']


def _line(side: _Side, y: float, begin: float, end: float) -> str:
    return f'<path class="line" d="M{side.x(_PART + begin):g} {y:g}H{side.x(_PART + end):g}"/>'


def _pin_y(pin: int) -> float:
    return _TOP + ((pin - 1) // 2) * _PITCH + _PITCH / 2


_PARTS = {Part.LIGHT: _light, Part.BUZZER: _buzzer, Part.BUTTON: _button, Part.RING: _ring}
