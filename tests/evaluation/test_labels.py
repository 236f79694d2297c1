"""The labels made by eye hold together: what is scored against them could not be scored against a typing error."""

import csv
from itertools import pairwise

import pytest

from tests.evaluation.clip_events import CLOSURES, LABELS, NEITHER, labelled, with_glasses


def rows(name):
    with (LABELS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["blinks", "turns"])
def test_each_label_lies_in_the_labelled_part_of_its_clip(name):
    until = {row["clip"]: float(row["until_s"]) for row in rows("clips")}
    for row in rows(name):
        assert 0 <= float(row["start_s"]) < float(row["end_s"]) <= until[row["clip"]], row


def test_kinds_and_directions_are_known():
    assert {row["kind"] for row in rows("blinks")} == CLOSURES | NEITHER | {"wink"}
    assert {row["direction"] for row in rows("turns")} == {"turn-left", "turn-right"}


def test_no_two_closures_overlap_and_blinks_are_short():
    for events in labelled():
        assert all(before[1] < after[0] for before, after in pairwise(events.closures)), events.clip
    durations = [float(row["end_s"]) - float(row["start_s"]) for row in rows("blinks") if row["kind"] == "blink"]
    assert max(durations) <= 0.5


def test_enough_is_labelled_to_tell_anything():
    assert len(labelled()) == 15
    assert sum(len(events.closures) for events in labelled()) == 108
    assert len(with_glasses()) == 5
