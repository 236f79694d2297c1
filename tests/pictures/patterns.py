"""The panel's lights as an animated picture: sampled from the prompts that the terminal itself shows.

Left of each row the panel as it stands before the customer, right of it the same seconds as a score: whoever has
asked for less motion, or reads on paper, sees the lights still and the rhythm there.
"""

import textwrap
from collections.abc import Sequence
from html import escape
from itertools import groupby, pairwise

from device.panel.prompts import Lights
from tests.pictures.rows import GROUPS, Row

TICK_S = 0.01
SHOWN_S = 6.0
_TICKS = round(SHOWN_S / TICK_S)
_WIDTH, _ROW, _HEADING, _TOP = 980, 74, 44, 112
_PANEL_X, _TEXT_X, _SCORE_X, _SCORE_WIDTH = 24, 196, 640, 316
_LANES = ("status", "left", "eyes", "right", "sound")
_PLACES = {"status": (72, 11), "eyes": (72, 27), "left": (20, 44), "right": (124, 44)}
_LENS = (72, 46)
CUE_LIGHT = "#ffd257"
_EYE_S_GAMMA = 1 / 2.2  # a light at half its power looks more than half as bright
GLIDING = 0.05  # the greatest step of a level in one tick that is no jump
_VERTEX = 20  # ticks between two points of a glide
_STYLE = (
    "text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:#111}.title{font-size:22px;font-weight:bold}"
    ".group{font-size:16px;font-weight:bold}.name{font-size:14px;font-weight:bold}.said{font-size:12px}"
    ".does{font-size:12px;fill:#444}.lane{font-size:8px;fill:#444;text-anchor:end}.second{font-size:9px;fill:#444}"
)


def pattern_picture(*, steady: bool) -> str:
    """The picture as SVG text; the same prompts give the same text."""
    body, keyframes, y, number = [], [], _TOP, 0
    for group, rows in GROUPS.items():
        body.append(f'<text class="group" x="{_PANEL_X}" y="{y + 28}">{escape(group)}</text>')
        body += [_second(second, y + 32) for second in range(int(SHOWN_S) + 1)]
        y += _HEADING
        for row in rows:
            drawn, moving = _row(row, number, y, steady=steady)
            body += drawn
            keyframes += moving
            y, number = y + _ROW, number + 1
    label = "The panel's lights, scene by scene; docs/panel.md tells the same in a table."
    motionless = "@media (prefers-reduced-motion: reduce){.light{animation:none!important}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 12}" width="{_WIDTH}" '
        f'height="{y + 12}" role="img" aria-label="{escape(label)}">\n'
        f"<style>{_STYLE}\n{chr(10).join(keyframes)}\n{motionless}</style>\n"
        f'<rect width="{_WIDTH}" height="{y + 12}" fill="#fff"/>\n{_board()}\n{_title(steady=steady)}\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def samples(row: Row, *, steady: bool, ticks: int = _TICKS) -> list[Lights]:
    """The lights in the middle of each tick: a level that changes on a tick is not read before and after it."""
    return [row.lights((tick + 0.5) * TICK_S, steady=steady) for tick in range(ticks)]


def level(lights: Lights, lane: str) -> float:
    """How bright a light is, whatever its colour."""
    return round(max(lights.status) if lane == "status" else getattr(lights, lane), 4)


def loop_ticks(levels: Sequence[float]) -> int:
    """After how many ticks a light begins anew, told by twice the score; what is shown once begins anew after it."""
    same = (ticks for ticks in range(1, _TICKS) if levels[:_TICKS] == levels[ticks : _TICKS + ticks])
    return next(same, _TICKS)


def keyframes_of(levels: Sequence[float]) -> list[tuple[float, float]]:
    """(share of the loop, level) where a level changes, or every fifth of a second while it glides."""
    if glides(levels):
        ticks = [*range(0, len(levels), _VERTEX), len(levels) - 1]
        return [(tick / (len(levels) - 1), levels[tick]) for tick in dict.fromkeys(ticks)]
    runs, at = [], 0
    for value, run in groupby(levels):
        runs.append((at / len(levels), value))
        at += len(list(run))
    return [*runs, (1.0, levels[-1])]


def glides(levels: Sequence[float]) -> bool:
    """Whether a light changes without a jump."""
    return max(abs(after - before) for before, after in pairwise(levels)) <= GLIDING


def _row(row: Row, number: int, y: float, *, steady: bool) -> tuple[list[str], list[str]]:
    shown = samples(row, steady=steady, ticks=2 * _TICKS)
    drawn, moving = [f'<use href="#board" x="{_PANEL_X}" y="{y}"/>'], []
    for lane in _PLACES:
        lamp, keyframes = _lamp(f"r{number}{lane[0]}", lane, shown, y)
        drawn.append(lamp)
        moving += keyframes
    return [*drawn, *_words(row, y), _score(shown[:_TICKS], y)], moving


def _board() -> str:
    """The panel with all lights dark, drawn once."""
    off = "".join(f'<circle cx="{x}" cy="{y}" r="7" fill="#3d3d42" stroke="#77777d"/>' for x, y in _PLACES.values())
    x, y = _LENS
    return (
        f'<defs><g id="board"><rect width="144" height="62" rx="8" fill="#17171a"/>{off}'
        f'<circle cx="{x}" cy="{y}" r="10" fill="#000" stroke="#55555b" stroke-width="2"/>'
        f'<circle cx="{x}" cy="{y}" r="4" fill="#20242c"/></g></defs>'
    )


def _lamp(name: str, lane: str, shown: Sequence[Lights], y: float) -> tuple[str, list[str]]:
    """One light over its dark place, and its movement; nothing for one that stays dark."""
    levels = [level(each, lane) for each in shown]
    if max(levels) == 0:
        return "", []
    levels = levels[: loop_ticks(levels)]
    x, up = _PLACES[lane]
    circle = f'<circle cx="{_PANEL_X + x}" cy="{y + up:g}" r="7" fill="{_colour(shown, lane)}"'
    if len(set(levels)) == 1:
        return f'{circle} opacity="{_seen(levels[0])}"/>', []
    steps = "".join(f"{share * 100:.4g}%{{opacity:{_seen(value)}}}" for share, value in keyframes_of(levels))
    timing = "linear" if glides(levels) else "step-end"
    seconds = len(levels) * TICK_S
    moving = f"@keyframes {name}{{{steps}}}#{name}{{animation:{name} {seconds:.4g}s {timing} infinite}}"
    return f'{circle} id="{name}" class="light" opacity="{_seen(max(levels))}"/>', [moving]


def _seen(value: float) -> str:
    return f"{value**_EYE_S_GAMMA:.3g}"


def _colour(shown: Sequence[Lights], lane: str) -> str:
    if lane != "status":
        return CUE_LIGHT
    brightest = max((each.status for each in shown), key=max)
    return "#" + "".join(f"{round(255 * part / max(brightest)):02x}" for part in brightest)


def _words(row: Row, y: float) -> list[str]:
    said = textwrap.wrap(f"“{row.sentence}”", 64)
    lines = [("name", row.name), *(("said", line) for line in said), ("does", row.customer)]
    return [
        f'<text class="{kind}" x="{_TEXT_X}" y="{y + 15 + 17 * place}">{escape(words)}</text>'
        for place, (kind, words) in enumerate(lines)
    ]


def _score(shown: Sequence[Lights], y: float) -> str:
    """Lights and notes over the first seconds, one lane each."""
    drawn = []
    for place, lane in enumerate(_LANES):
        foot = y + 12 * place + 11
        drawn.append(f'<text class="lane" x="{_SCORE_X - 5}" y="{foot - 1:g}">{lane}</text>')
        drawn.append(f'<path d="M{_SCORE_X} {foot:g}h{_SCORE_WIDTH}" stroke="#bbb" stroke-width="0.6"/>')
        drawn += _notes(shown, foot) if lane == "sound" else _area([level(each, lane) for each in shown], foot)
    return "".join(drawn)


def _area(levels: Sequence[float], foot: float) -> list[str]:
    """A light's level as a filled shape."""
    if max(levels) == 0:
        return []
    points = [(share * _SCORE_WIDTH, value) for share, value in keyframes_of(levels)]
    if not glides(levels):
        points = [p for (x, value), (to, _) in pairwise(points) for p in ((x, value), (to, value))]
    outline = "L".join(f"{_SCORE_X + x:.4g} {foot - 9 * value:.4g}" for x, value in points)
    return [f'<path d="M{_SCORE_X} {foot:g}L{outline}L{_SCORE_X + _SCORE_WIDTH} {foot:g}Z" fill="#1d1d1f"/>']


def _notes(shown: Sequence[Lights], foot: float) -> list[str]:
    """Each note at its height: 440 Hz at the lane's foot, two octaves above at its top."""
    drawn, at = [], 0
    for tone, run in groupby(each.tone_hz for each in shown):
        ticks = len(list(run))
        if tone is not None:
            x, width = _SCORE_X + _SCORE_WIDTH * at / _TICKS, _SCORE_WIDTH * ticks / _TICKS
            up = 7 * (tone - 440) / 1320 + 3
            drawn.append(f'<rect x="{x:.4g}" y="{foot - up:.4g}" width="{width:.3g}" height="3" fill="#a3005c"/>')
        at += ticks
    return drawn


def _second(second: int, y: float) -> str:
    x = _SCORE_X + _SCORE_WIDTH * second / SHOWN_S
    unit = " s" if second == SHOWN_S else ""
    return f'<text class="second" x="{x:.4g}" y="{y + 6:g}" text-anchor="middle">{second}{unit}</text>'


def _title(*, steady: bool) -> str:
    kind = "steady light (panel.steady: true)" if steady else "what it shows and says"
    limit = "rises more than once a second" if steady else "rises more than three times a second (WCAG 2.3.1)"
    lines = (
        "As the customer sees it: the lens, a light to each side of it, the eyes light above it, status on top.",
        f"No light {limit}. On the right the first six seconds: each light's level, each note at its height.",
        "What is shown once begins anew here after six seconds. Whoever asked for less motion sees no light move.",
    )
    told = "\n".join(
        f'<text class="said" x="{_PANEL_X}" y="{60 + 18 * place}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    return f'<text class="title" x="{_PANEL_X}" y="36">Likeness: the panel, {escape(kind)}</text>\n{told}'
