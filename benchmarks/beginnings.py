"""How long a good view is to be held: people who do as they please, from START to the first cue.

Example: python -m benchmarks.beginnings --media ../shared/data
Sessions begin at every half second of each clip, with three pauses. A head that turns before the first cue ends its
session: the longer a session waits, the more heads do, unless it begins while somebody is still moving into view.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.liveness import clips, frames_of
from benchmarks.speed import MEDIA, table
from device.liveness.rules import DEFAULT_RULES, Rules
from device.liveness.session import Consent, Cued, Ended, Pausing, Press, State, step
from device.signals import Signals
from device.vision.assembly import Vision, load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.wire.plan import Action, Plan

HOLDS_S = (0.1, 0.2, 0.3, 0.4, 0.6, 1.0)
PAUSES_S = (0.5, 1.0, 1.5)
EVERY_S = 0.5


def measure(media: Path, vision: Vision) -> list[dict[str, Any]]:
    """A row for each time that a good view is held."""
    seen = [_signals(clip, vision) for clip in clips(media)]
    return [_row(seen, replace(DEFAULT_RULES, position_hold_s=hold)) for hold in HOLDS_S]


def _signals(clip: Path, vision: Vision) -> list[Signals]:
    vision.follower.restart()
    return [vision.follower.look(frame)[0] for frame in frames_of(clip)]


def _row(clips_seen: Sequence[Sequence[Signals]], rules: Rules) -> dict[str, Any]:
    began, ended, waited = 0, Counter[str](), list[float]()
    for seen in clips_seen:
        every = max(round(EVERY_S / (seen[1].at - seen[0].at)), 1)
        for start in range(0, len(seen), every):
            for pause in PAUSES_S:
                began += 1
                state = _play(seen[start:], pause, rules)
                if isinstance(state, Cued):
                    waited.append(state.answer.cue_at - seen[start].at)
                elif isinstance(state, Ended):
                    ended[state.why.value] += 1
    reasons = ", ".join(f"{count} {why}" for why, count in ended.most_common())
    row = {"held, s": rules.position_hold_s, "sessions": began, "cued": len(waited), "ended before": reasons or "-"}
    return row | {"START to cue, mean s": mean(waited)}


def _play(seen: Sequence[Signals], pause: float, rules: Rules) -> State:
    """The session until its first cue, its end or the clip's; whom the frames show is taken as known."""
    plan = Plan((Action.TURN_LEFT, Action.BLINK, Action.TURN_RIGHT), (pause, 1.0, 1.0))
    state: State = Consent()
    for number, signals in enumerate(seen):
        view = signals.view
        if view is not None and isinstance(state, Pausing):
            view = replace(view, likeness=1.0)
        state = step(state, replace(signals, view=view), plan, rules, [Press.START] if number == 1 else [])
        if isinstance(state, Cued | Ended):
            break
    return state


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="example: python -m benchmarks.beginnings --media ../shared/data"
    )
    parser.add_argument("--media", type=Path, default=MEDIA, metavar="DIR")
    options = parser.parse_args()
    print(table(measure(options.media, load_vision(default_directory(), preferred_runtime()))))


if __name__ == "__main__":
    main()
