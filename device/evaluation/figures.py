"""Curves of an evaluation as PNG: scores only, no faces. Matplotlib comes with the extra `evaluation`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from device.evaluation.bootstrap import Scores
from device.evaluation.evaluate import Measured

Floats: TypeAlias = NDArray[np.float64]

_TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2)
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#a6761d")  # told apart by the colour-blind too
_DASHES = {"full": "-", "chip": "--", "printed": ":"}
_GENUINE, _IMPOSTOR = "#0072b2", "#d55e00"
_DPI = 110


def draw_det(path: Path, measured: Sequence[Measured], thresholds: dict[str, float]) -> None:
    """Draws the detection error trade-off of each set: both axes by the normal quantile (Martin et al. 1997).

    Each threshold is a marker on each curve. A curve ends where no pair is wrong on one of the axes.
    """
    figure = Figure(figsize=(8.2, 6.4), layout="constrained")
    axes = figure.add_subplot()
    names = list(dict.fromkeys(each.name for each in measured))
    for each in measured:
        colour = _COLOURS[names.index(each.name) % len(_COLOURS)]
        false_match, false_non_match = trade_off(each.scores)
        kind = each.reference.value
        wrong = (false_match > 0) & (false_non_match > 0)
        label = f"{each.name}, {kind} reference" + ("" if wrong.any() else ": no threshold with both errors")
        curve = _probit(false_match[wrong]), _probit(false_non_match[wrong])
        axes.step(*curve, _DASHES[kind], color=colour, where="post", linewidth=1.7, label=label)
        for (_, matched, missed), marker in zip(each.rates.at, "os^v", strict=False):
            if matched.value > 0 and missed.value > 0:
                place = _probit(np.array([matched.value])), _probit(np.array([missed.value]))
                axes.plot(*place, marker, color=colour, markeredgecolor="white", markersize=8, zorder=3)
    for (name, threshold), marker in zip(thresholds.items(), "os^v", strict=False):
        axes.plot([], [], marker, color="#555555", label=f"threshold {threshold:.3f} (FMR {name})")
    _probit_axes(axes)
    _save(figure, path)


def draw_scores(path: Path, measured: Sequence[Measured], thresholds: dict[str, float]) -> None:
    """Draws how the scores of each set are distributed, genuine and impostor, with the thresholds."""
    columns = min(3, len(measured))
    rows = math.ceil(len(measured) / columns)
    figure = Figure(figsize=(4.1 * columns, 2.5 * rows + 0.5), layout="constrained")
    edges = np.linspace(-0.5, 1, 91)
    for place, each in enumerate(measured, start=1):
        axes = figure.add_subplot(rows, columns, place)
        for scores, colour, label in (
            (each.scores.impostor, _IMPOSTOR, "two persons"),
            (each.scores.genuine, _GENUINE, "one person"),
        ):
            shares = np.histogram(scores, edges)[0] / len(scores)
            axes.stairs(shares, edges, fill=True, color=colour, alpha=0.75, label=f"{label}, {len(scores)}")
        for threshold in thresholds.values():
            axes.axvline(threshold, color="#333333", linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_title(f"{each.name}, {each.reference.value} reference", fontsize=9)
        axes.set_yscale("log")
        axes.set_ylim(1e-6, 1)
        axes.set_xlim(-0.5, 1)
        axes.tick_params(labelsize=7)
        axes.legend(fontsize=6.5, frameon=False, loc="upper left")
        if place > len(measured) - columns:
            axes.set_xlabel("comparison score (cosine)", fontsize=8)
        if (place - 1) % columns == 0:
            axes.set_ylabel("share of pairs", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def trade_off(scores: Scores) -> tuple[Floats, Floats]:
    """False match and false non-match rates at the corners of the curve, from the rarest false match on."""
    own, others = np.sort(scores.genuine), np.sort(scores.impostor)
    thresholds = np.union1d(own, others)[::-1]
    false_match = 1 - np.searchsorted(others, thresholds, side="left") / len(others)
    false_non_match = np.searchsorted(own, thresholds, side="left") / len(own)
    corners = np.flatnonzero(np.diff(false_non_match, prepend=2.0) != 0)  # the lowest false match rate of each level
    last = np.append(corners[1:] - 1, len(thresholds) - 1)
    kept = np.union1d(corners, last)
    return false_match[kept], false_non_match[kept]


def _probit(rates: Floats) -> Floats:
    """The normal quantile of each rate; none and all lie far outside of the picture."""
    normal = NormalDist()
    return np.array([normal.inv_cdf(float(rate)) for rate in np.clip(rates, 1e-9, 1 - 1e-9)])


def _probit_axes(axes: Axes) -> None:
    ticks, labels = _probit(np.array(_TICKS)), [f"{100 * tick:g} %" for tick in _TICKS]
    low, high = _probit(np.array([3e-6, 0.35]))
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)
    axes.set_xlim(low, high)
    axes.set_ylim(_probit(np.array([1e-4]))[0], high)
    axes.set_xlabel("false match rate: two persons taken for one")
    axes.set_ylabel("false non-match rate: one person taken for two")
    axes.grid(color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="upper right")


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
