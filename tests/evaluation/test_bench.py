"""`likeness-terminal bench`: what it counts, and what it prints on a machine that is no Pi."""

import itertools
import json

import numpy as np
import pytest

from device.__main__ import main
from device.evaluation.bench import PICTURES, measure
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory


def test_times_are_those_of_the_clock_and_every_picture_is_looked_at():
    """Three readings of the clock a picture without a face: start, looked, whether it is over."""
    ticks = itertools.count(0.0, 0.01)
    vision = load_vision(default_directory(), preferred_runtime())
    speed = measure(vision, [np.zeros((48, 64, 3), np.uint8)] * 25, 0.1, lambda: next(ticks))
    assert (speed.size, speed.looks) == ("64 x 48", 25)
    assert (speed.look_ms, speed.slowest_ms) == (pytest.approx(10), pytest.approx(10))
    assert np.isnan(speed.embed_ms)
    assert speed.looks_a_second == pytest.approx(100)


def test_it_prints_a_table_and_json(capsys):
    assert main(["bench", "--seconds", "0"]) == 0
    told = capsys.readouterr().out
    assert "640 x 480" in told and "1280 x 720" in told and "before: " in told and "after: " in told
    assert main(["bench", "--seconds", "0", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [speed["looks"] for speed in document["speeds"]] == [PICTURES, PICTURES]
    assert all(speed["embed_ms"] > 0 and 0 < speed["look_ms"] <= speed["slowest_ms"] for speed in document["speeds"])
    assert document["after"].keys() == {"temperature", "power"}
