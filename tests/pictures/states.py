"""The session as a picture: states, transitions and every end, drawn from what the real session was seen to do.

States stand in the order in which the code names them, each with its own words. Below them a line for each reason that
a result can name: a dot where the session can end for it.
"""

import textwrap
from html import escape
from itertools import groupby
from typing import get_args

from device.decision import SENTENCES, decide
from device.liveness.evidence import Ending
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Ended, State
from device.wire.claims import Outcome
from tests.liveness.footage import PLAN
from tests.pictures.transitions import Transitions

STATES = {each.__name__: each for each in get_args(State) if each is not Ended}
LABELS = {
    ("Consent", "Reading"): "START, the document is read here",
    ("Consent", "Positioning"): "START",
    ("Reading", "Positioning"): "its portrait was read",
    ("Positioning", "Pausing"): "a good view, held",
    ("Pausing", "Cued"): "neutral for the derived pause",
    ("Cued", "Pausing"): "answered, and more to come",
    ("Cued", "Answered"): "the last one answered",
}
"""What makes the session go on; a transition that the code makes and nobody named here fails the tests."""
_COLOURS = {
    Outcome.VERIFIED: "#00713a", Outcome.WITNESSED: "#0a4fd0", Outcome.REJECTED: "#c4001a",
    Outcome.INCONCLUSIVE: "#8a5a00", Outcome.DECLINED: "#444444", Outcome.CANCELLED: "#444444",
}  # fmt: skip
_WIDTH, _EDGE, _FIRST, _COLUMN = 1000, 24, 294, 128
_BOX, _BOX_TOP, _BOX_HEIGHT, _ROW, _GROUP = 112, 206, 112, 19, 30
_LOW, _HIGH = 182, 130  # how high an arrow to the neighbour goes, and one that goes back or leaves one out
_OVER_LANES = "fill:#444;stroke:#fff;stroke-width:5px;paint-order:stroke"
_STYLE = (
    "text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:#111}.title{font-size:22px;font-weight:bold}"
    ".told{font-size:12px}.state{font-size:14px;font-weight:bold;text-anchor:middle}.words{font-size:10px;"
    "text-anchor:middle}.panel{font-size:10px;text-anchor:middle;fill:#0a4fd0}.edge{font-size:10px;"
    "text-anchor:middle}.arc{fill:none;stroke:#111;stroke-width:1.6;stroke-linejoin:round}.group{font-size:13px;font-weight:bold}"
    ".reason{font-size:12px}.lane{stroke:#ccc;stroke-width:1.2}"
)


def state_picture(found: Transitions) -> str:
    """The picture as SVG text; the same transitions give the same text."""
    y = _BOX_TOP + _BOX_HEIGHT + 22
    table: list[str] = []
    ends = sorted({(outcome, reason) for _, reason, outcome in found.endings} | set(from_outside(found)), key=_order)
    for outcome, group in groupby(ends, key=lambda end: end[0]):
        reasons = [reason for _, reason in group]
        table += _group(outcome, y, len(reasons))
        y += _GROUP
        for reason in reasons:
            table.append(_end(found, reason, outcome, y))
            y += _ROW
    lanes = [f'<path class="lane" d="M{_x(name)} {_BOX_TOP + _BOX_HEIGHT}V{y - _ROW + 6:g}"/>' for name in STATES]
    boxes = [_box(name, found) for name in STATES]
    arcs = [_arc(before, after) for before, after in sorted(found.made, key=list(LABELS).index)]
    height = y + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(_words(found))}">\n<style>{_STYLE}</style>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8Z" fill="#111"/></marker></defs>\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>\n{_title()}\n'
        + "\n".join([*lanes, *table, *arcs, *boxes])
        + "\n</svg>\n"
    )


def from_outside(found: Transitions) -> list[tuple[Outcome, str]]:
    """(outcome, reason) of the ends that no frame and no press brings about: the daemon does."""
    inside = {reason for _, reason, _ in found.endings}
    outside = [why for why in Ending if why not in inside]
    return [(decide(Ended(0.0, why), None, PLAN, DEFAULT_RULES).outcome, why.value) for why in outside]


def _order(end: tuple[Outcome, str]) -> tuple[int, int]:
    outcome, reason = end
    return list(_COLOURS).index(outcome), list(SENTENCES).index(reason or "verified")


def _x(name: str) -> float:
    return _FIRST + _COLUMN * list(STATES).index(name)


def _title() -> str:
    lines = (
        "Each state with the panel's scenes; an arrow is a transition, a dot a reason for which a session ends there.",
        "Recorded from the running code (scripts/pictures). A face that does not match rejects whatever else ended it.",
    )
    told = "\n".join(
        f'<text class="told" x="{_EDGE}" y="{58 + 17 * place}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    return f'<text class="title" x="{_EDGE}" y="34">Likeness: a session</text>\n{told}'


def _box(name: str, found: Transitions) -> str:
    x, told = _x(name), (STATES[name].__doc__ or "").partition("\n")[0]
    said = textwrap.wrap(told, 20)
    scenes = textwrap.wrap(", ".join(scene.replace("-", " ") for scene in found.scenes[name]), 20)
    drawn = [
        f'<rect x="{x - _BOX / 2:g}" y="{_BOX_TOP}" width="{_BOX}" height="{_BOX_HEIGHT}" rx="8" fill="#f4f6fa" '
        'stroke="#111" stroke-width="1.6"/>',
        f'<text class="state" x="{x}" y="{_BOX_TOP + 20}">{name}</text>',
    ]
    drawn += [
        f'<text class="words" x="{x}" y="{_BOX_TOP + 37 + 13 * place}">{escape(line)}</text>'
        for place, line in enumerate(said)
    ]
    drawn += [
        f'<text class="panel" x="{x}" y="{_BOX_TOP + _BOX_HEIGHT - 9 - 13 * place}">{escape(line)}</text>'
        for place, line in enumerate(reversed(scenes))
    ]
    return "\n".join(drawn)


def _arc(before: str, after: str) -> str:
    """An arrow from box to box: low to the next one, high back or over one that is left out."""
    begin, end = _x(before), _x(after)
    if end - begin == _COLUMN:
        up, begin, end = _LOW, begin + 24, end - 24
    else:
        up = _HIGH
    words = textwrap.wrap(LABELS[(before, after)], 20)
    label = "".join(
        f'<text class="edge" x="{(begin + end) / 2:g}" y="{up - 6 - 12 * place:g}">{escape(line)}</text>'
        for place, line in enumerate(reversed(words))
    )
    return f'<path class="arc" d="M{begin:g} {_BOX_TOP}V{up}H{end:g}V{_BOX_TOP - 2}" marker-end="url(#tip)"/>{label}'


def _group(outcome: Outcome, y: float, rows: int) -> list[str]:
    colour = _COLOURS[outcome]
    return [
        f'<rect x="{_EDGE}" y="{y + 6:g}" width="4" height="{_GROUP - 8 + _ROW * rows:g}" fill="{colour}"/>',
        f'<text class="group" x="{_EDGE + 12}" y="{y + 19:g}" style="fill:{colour}">{outcome}</text>',
    ]


def _end(found: Transitions, reason: str, outcome: Outcome, y: float) -> str:
    """One reason, and a dot in the lane of each state that it ends."""
    states = [name for name in STATES if (name, reason, outcome) in found.endings]
    words = reason.replace("-", " ") or "every evidence holds"
    drawn = [f'<text class="reason" x="{_EDGE + 12}" y="{y + 10:g}">{escape(words)}</text>']
    if not states:
        words = "ended by the daemon, not by a frame or a press"
        drawn.append(f'<text class="told" x="{_FIRST - 8}" y="{y + 10:g}" style="{_OVER_LANES}">{words}</text>')
    drawn += [f'<circle cx="{_x(name)}" cy="{y + 6:g}" r="5.5" fill="{_COLOURS[outcome]}"/>' for name in states]
    return "".join(drawn)


def _words(found: Transitions) -> str:
    """The picture for those who cannot see it."""
    made = "; ".join(f"{before} to {after}: {LABELS[before, after]}" for before, after in sorted(found.made))
    return f"States and transitions of a session. {made}. docs/liveness.md tells the reasons for which each ends."
