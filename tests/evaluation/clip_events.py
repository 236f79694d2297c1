"""How well `analyse` finds what tests/labels says of the clips: matching of closures and turns, clip by clip."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

LABELS = Path(__file__).parents[1] / "labels"
TOLERANCE_S = 0.07  # of the labels' times
MIN_COMMON_SHARE = 0.3  # without it a find of two seconds would be right for a blink somewhere in it
CLOSURES = {"blink", "long-closure"}
NEITHER = {"half-blink", "look-down", "unclear"}  # neither right nor wrong when found
SURE_TURN_DEG = 25.0  # greater turns must be found; estimates of smaller ones straddle the rule's 20 degrees
TURN_TOLERANCE_S = 0.2

Span = tuple[float, float]


@dataclass(frozen=True)
class Events:
    """What the labels say of a clip; spans in seconds."""

    clip: str
    until_s: float
    closures: list[Span]
    neither: list[Span]
    turns: list[tuple[str, float, float, float]]

    def until(self, seconds: float) -> "Events":
        """The events of the clip's beginning."""
        return replace(
            self,
            until_s=min(self.until_s, seconds),
            closures=[span for span in self.closures if span[1] < seconds],
            neither=[span for span in self.neither if span[0] < seconds],
            turns=[turn for turn in self.turns if turn[2] < seconds],
        )


@dataclass(frozen=True)
class Score:
    """Closures: found rightly, found where there is none, and missed."""

    right: list[Span]
    wrong: list[Span]
    missed: list[Span]


def labelled() -> list[Events]:
    """Returns the events of the labelled clips."""
    blinks, turns = _rows("blinks"), _rows("turns")
    return [
        Events(
            row["clip"],
            float(row["until_s"]),
            closures=_spans(blinks, row["clip"], CLOSURES),
            neither=_spans(blinks, row["clip"], NEITHER),
            turns=[
                (turn["direction"], float(turn["start_s"]), float(turn["end_s"]), float(turn["peak_deg"]))
                for turn in turns
                if turn["clip"] == row["clip"]
            ],
        )
        for row in _rows("clips")
    ]


def with_glasses() -> set[str]:
    """Returns the clips of people with glasses."""
    return {row["clip"] for row in _rows("clips") if "glasses" in row["note"]}


def score_closures(events: Events, found: list[dict]) -> Score:
    """Each label and each find counts once; a find that fits only what is neither right nor wrong does not count."""
    spans = [(blink["at_s"], blink["at_s"] + blink["duration_s"]) for blink in found]
    spans = [span for span in spans if span[0] <= events.until_s]
    right, missed = [], []
    for closure in events.closures:
        hit = max(spans, key=lambda span: common_share(closure, span), default=None)
        if hit is None or common_share(closure, hit) < MIN_COMMON_SHARE:
            missed.append(closure)
        else:
            right.append(closure)
            spans.remove(hit)
    wrong = [span for span in spans if not any(overlap(either, span, TOLERANCE_S) for either in events.neither)]
    return Score(right, wrong, missed)


def score_turns(events: Events, found: list[dict]) -> Score:
    """Right and missed are of the sure turns; wrong is a find without a labelled turn in its direction."""
    spans = [(turn["direction"], turn["start_s"], turn["end_s"]) for turn in found if turn["start_s"] <= events.until_s]

    def same(span: tuple[str, float, float], turn: tuple[str, float, float, float]) -> bool:
        return span[0] == turn[0] and overlap(span[1:], turn[1:3], TURN_TOLERANCE_S)

    sure = [turn for turn in events.turns if turn[3] >= SURE_TURN_DEG]
    right = [turn[1:3] for turn in sure if any(same(span, turn) for span in spans)]
    wrong = [span[1:] for span in spans if not any(same(span, turn) for turn in events.turns)]
    return Score(right, wrong, [turn[1:3] for turn in sure if turn[1:3] not in right])


def f1(right: int, wrong: int, missed: int) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * right / (2 * right + wrong + missed)


def overlap(one: Span, other: Span, tolerance_s: float) -> bool:
    return one[0] - tolerance_s <= other[1] and other[0] - tolerance_s <= one[1]


def common_share(one: Span, other: Span) -> float:
    """Intersection over union, 0..1."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return max(common, 0.0) / (max(one[1], other[1]) - min(one[0], other[0]))


def _rows(name: str) -> list[dict[str, str]]:
    with (LABELS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _spans(rows: list[dict[str, str]], clip: str, kinds: set[str]) -> list[Span]:
    return sorted(
        (float(row["start_s"]), float(row["end_s"])) for row in rows if row["clip"] == clip and row["kind"] in kinds
    )
