"""How fast the models look at a picture on this machine; that their hashes are right, loading them has shown."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np

from device.doctor.findings import Finding, Gauge, Level, well
from device.liveness.rules import DEFAULT_RULES
from device.signals import Frame
from device.vision.assembly import Vision
from device.vision.inference import available_runtimes

LOOKS = 8


def measure_speed(vision: Vision) -> Finding:
    """Looks at an empty picture a few times."""
    grey = np.full((480, 640, 3), 128, np.uint8)
    spent = []
    for number in range(LOOKS):
        began = perf_counter()
        vision.follower.look(Frame(grey, float(number), number))
        spent.append((perf_counter() - began) * 1000)
    vision.forget()
    installed = ", ".join(available_runtimes())
    return judge_speed(median(spent), f"{vision.models.runtime.value} (installed: {installed})")


def judge_speed(look_ms: float, runtime: str) -> Finding:
    """Judges the usual time of one look."""
    limit_ms = 1000 / DEFAULT_RULES.min_fps
    gauge = Gauge("one look", look_ms, "ms", 0.0, 1.5 * limit_ms, 0.0, limit_ms)
    found = f"hashes right; {runtime}, {look_ms:.0f} ms a look"
    if look_ms <= limit_ms:
        return well("models", found, gauge)
    why = f"a session needs {DEFAULT_RULES.min_fps:.0f} looks a second"
    return Finding("models", Level.STOPS, found, why, "likeness-terminal tune, and doctor: power, temperature", gauge)
