"""The report's pictures: gauges, the panel as it was found, the pace of the frames. SVG text; pure.

Nothing is told by colour alone: each mark has its shape or its word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from device.doctor.findings import Gauge, Level
from device.liveness.rules import DEFAULT_RULES

SIGNS = {Level.STOPS: "✕", Level.MEND: "!", Level.SKIPPED: "-", Level.NOTE: "i", Level.WELL: "✓"}
_WIDTH, _HEIGHT = 640, 150
_LAMPS = {"left": (70, 86), "eyes": (180, 86), "right": (290, 86), "status": (180, 160)}
_PLACES = {"start": (110, 226), "cancel": (250, 226), "buzzer": (290, 160)}
_STATUS = ("status_red", "status_green", "status_blue")


def gauge_picture(gauge: Gauge) -> str:
    """A bar with the range that is well, and a needle."""
    span = max(gauge.most - gauge.least, 1e-9)

    def x(value: float) -> float:
        return round(10 + 280 * min(max((value - gauge.least) / span, 0.0), 1.0), 1)

    low, high, at = x(gauge.well_from), x(gauge.well_to), x(gauge.value)
    label = f"{gauge.label}: {_number(gauge.value)} {gauge.unit}".strip()
    state = "well" if gauge.is_well else "not well"
    return (
        f'<svg class="gauge" viewBox="0 0 300 44" role="img" aria-label="{escape(label)}, {state}">'
        '<rect class="track" x="10" y="16" width="280" height="12" rx="6"/>'
        f'<rect class="good" x="{low}" y="16" width="{max(high - low, 2):g}" height="12" rx="2"/>'
        f'<path class="needle" d="M{at} 10v24m-6-26h12l-6 9z"/></svg>'
    )


def pace_picture(gaps_ms: Sequence[float]) -> str:
    """A bar for each frame: how long it let wait; the line is what no session forgives."""
    limit, top = DEFAULT_RULES.max_gap_s * 1000, max(*gaps_ms, DEFAULT_RULES.max_gap_s * 1250)
    step = (_WIDTH - 60) / len(gaps_ms)

    def y(gap: float) -> float:
        return round(_HEIGHT - 24 - (_HEIGHT - 44) * min(gap / top, 1.0), 1)

    bars = "".join(
        f'<rect class="{"bar" if gap <= limit else "late"}" x="{50 + index * step:.1f}" y="{y(gap)}" '
        f'width="{max(step - 1.5, 1):.1f}" height="{_HEIGHT - 24 - y(gap):.1f}"/>'
        for index, gap in enumerate(gaps_ms)
    )
    label = f"{len(gaps_ms)} gaps between frames, {min(gaps_ms):.0f} to {max(gaps_ms):.0f} milliseconds"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{bars}'
        f'<path class="limit" d="M50 {y(limit)}H{_WIDTH - 10}"/>'
        f'<text x="44" y="{y(limit) + 4}" text-anchor="end">{limit:.0f}</text>'
        f'<text x="44" y="{_HEIGHT - 20}" text-anchor="end">0</text>'
        f'<text x="50" y="{_HEIGHT - 6}">milliseconds from frame to frame, in their order</text></svg>'
    )


def panel_picture(parts: Mapping[str, Level]) -> str:
    """The panel from the front, each part with the sign of how it was found."""
    status = [parts[name] for name in _STATUS if name in parts]
    found = {name: parts[name] for name in ("left", "eyes", "right") if name in parts}
    if status:
        found["status"] = min(status, key=list(Level).index)
    drawn = [_lamp(name, *_LAMPS[name], level) for name, level in found.items()]
    drawn += [_button(name, *_PLACES[name], parts[name]) for name in ("start", "cancel") if name in parts]
    if "buzzer" in parts:
        drawn.append(_lamp("buzzer", *_PLACES["buzzer"], parts["buzzer"]))
    label = "; ".join(f"{name} {level.value}" for name, level in parts.items())
    return (
        f'<svg class="panel" viewBox="0 0 360 270" role="img" aria-label="the panel: {escape(label)}">'
        '<rect class="face" x="8" y="8" width="344" height="254" rx="18"/>'
        '<circle class="lens" cx="180" cy="38" r="15"/><circle class="lens" cx="180" cy="38" r="6"/>'
        f"{''.join(drawn)}</svg>"
    )


def _lamp(name: str, x: float, y: float, level: Level) -> str:
    return (
        f'<circle class="{level.value}" cx="{x}" cy="{y}" r="17"/>'
        f'<text class="sign" x="{x}" y="{y + 6}">{SIGNS[level]}</text>'
        f'<text class="what" x="{x}" y="{y + 34}">{name}</text>'
    )


def _button(name: str, x: float, y: float, level: Level) -> str:
    return (
        f'<rect class="{level.value}" x="{x - 56}" y="{y - 20}" width="112" height="40" rx="10"/>'
        f'<text class="sign" x="{x}" y="{y + 6}">{name.upper()} {SIGNS[level]}</text>'
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")
