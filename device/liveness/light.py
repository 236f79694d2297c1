"""Did the face answer the coloured light? Pure. Experimental: it may deny, and nothing here ever helps anybody.

A face before the ring takes on some of each colour, what stands behind it far less; a screen shines by itself, and an
injected recording knows nothing of the ring. So the chroma of the face is correlated with the code, after its slow
changes were taken away, at each latency that camera and panel may have; its gain must be that of a face, and the
background's gain must be smaller: a print and a tint of the whole picture change both alike. docs/light.md measures it.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from device.signals import Chroma
from device.wire.light import LightCode, LightVerdict

_Ratios: TypeAlias = tuple[float, float]

# Panel tick, exposure and read-out at 15 to 30 frames a second: one to four frames.
LATENCIES_S = tuple(step / 50 for step in range(16))
DRIFT_S = 1.6  # between two and four colours: what changes more slowly is daylight, posture or the camera's own mind
MIN_COLOURS = 6
MIN_FRAMES_A_COLOUR = 3
MIN_BACKGROUND_SHARE = 0.8  # of the frames; below it the background is left out of the account
# `python -m benchmarks.light` prints what these let through and what they cost; docs/light.md has the table.
MIN_CORRELATION = 0.5
MIN_GAIN = 0.03
MAX_BACKGROUND_GAIN = 0.5  # over the face's
_NO_CHANGE = 1e-6
_ABSURD = 20.0  # no picture has such a chroma: e**20 to one


@dataclass(frozen=True, slots=True)
class LightSample:
    """One frame with a neutral face; `at` is in seconds since the challenge, and with it the code, began."""

    at: float
    chroma: Chroma


@dataclass(frozen=True, slots=True)
class LightFinding:
    """What the light showed; the numbers are None when nothing was measured.

    Attributes:
        verdict: `not-answered` is the only one that counts, and counts against.
        correlation: of the face's chroma with the code, -1..1, at the latency that fits best.
        latency_s: that latency.
        gain: how much of the light in the face is the ring's: its light at full duty over the light there is.
        background_gain: the same for the background, None where there was too little of it.
    """

    verdict: LightVerdict
    correlation: float | None = None
    latency_s: float | None = None
    gain: float | None = None
    background_gain: float | None = None


def judge_light(samples: Iterable[LightSample], code: LightCode) -> LightFinding:
    """Correlates the frames of a session with its code; frames may be few, in gaps, or nonsense."""
    kept = sorted((sample for sample in samples if _makes_sense(sample, code)), key=lambda sample: sample.at)
    seen = Counter(code.place(sample.at) for sample in kept)
    if sum(frames >= MIN_FRAMES_A_COLOUR for frames in seen.values()) < MIN_COLOURS:
        return LightFinding(LightVerdict.NOT_MEASURED)
    face = [(sample.at, sample.chroma.face) for sample in kept]
    behind = [(sample.at, sample.chroma.background) for sample in kept if sample.chroma.background is not None]
    correlation, gain, latency_s = max((*_compare(face, code, latency), latency) for latency in LATENCIES_S)
    background_gain = None
    if len(behind) >= MIN_BACKGROUND_SHARE * len(kept):
        _, background_gain = _compare(behind, code, latency_s)
    answered = (
        correlation >= MIN_CORRELATION
        and gain >= MIN_GAIN
        and (background_gain is None or background_gain <= MAX_BACKGROUND_GAIN * gain)
    )
    verdict = LightVerdict.ANSWERED if answered else LightVerdict.NOT_ANSWERED
    return LightFinding(verdict, correlation, latency_s, gain, background_gain)


def _makes_sense(sample: LightSample, code: LightCode) -> bool:
    values = (*sample.chroma.face, *(sample.chroma.background or ()))
    return code.place(sample.at) is not None and all(abs(value) <= _ABSURD for value in values)  # no NaN is


def _compare(series: Sequence[tuple[float, _Ratios]], code: LightCode, latency_s: float) -> tuple[float, float]:
    """Returns normalised cross-correlation and least-squares gain of chroma over time on the code, so much later.

    Both are 0 when either does not change.
    """
    times = [at for at, _ in series]
    windows = _windows(times)
    response = _without_drift([ratios for _, ratios in series], windows)
    duties = [code.duties(at - latency_s) for at in times]
    shown = _without_drift([(red - green, blue - green) for red, green, blue in duties], windows)
    both, response_power, shown_power = _dot(response, shown), _dot(response, response), _dot(shown, shown)
    power = math.sqrt(response_power * shown_power)
    if power < _NO_CHANGE:
        return 0.0, 0.0
    return max(-1.0, min(both / power, 1.0)), both / shown_power


def _windows(times: Sequence[float]) -> list[tuple[int, int]]:
    """Returns for each frame the frames (first, behind the last) that are at most half of DRIFT_S away."""
    windows, first, behind = [], 0, 0
    for at in times:
        while times[first] < at - DRIFT_S / 2:
            first += 1
        while behind < len(times) and times[behind] <= at + DRIFT_S / 2:
            behind += 1
        windows.append((first, behind))
    return windows


def _without_drift(values: Sequence[_Ratios], windows: Sequence[tuple[int, int]]) -> list[_Ratios]:
    """Takes away the mean of each value's window."""
    reds = list(itertools.accumulate((red for red, _ in values), initial=0.0))
    blues = list(itertools.accumulate((blue for _, blue in values), initial=0.0))
    return [
        (
            red - (reds[behind] - reds[first]) / (behind - first),
            blue - (blues[behind] - blues[first]) / (behind - first),
        )
        for (red, blue), (first, behind) in zip(values, windows, strict=True)
    ]


def _dot(one: Sequence[_Ratios], other: Sequence[_Ratios]) -> float:
    return math.fsum(a * c + b * d for (a, b), (c, d) in zip(one, other, strict=True))
