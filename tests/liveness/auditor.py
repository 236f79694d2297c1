"""The auditor: reads a verified session's raw frames again, by the document's words and not by the session's code.

It knows docs/liveness.md and the times that the record claims; it imports no rule. Where the session interpolates or
takes medians the auditor grants a frame or some degrees: it objects only to what nobody could defend.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from device.liveness.evidence import Record, StepRecord
from device.signals import Signals, View
from device.wire.plan import Action, Plan

GRACE_DEG = 3.0
SIGNS = {Action.TURN_LEFT: 1.0, Action.TURN_RIGHT: -1.0}


def objections(seen: Sequence[Signals], record: Record, plan: Plan) -> list[str]:
    """Returns what a verified session lacks; empty when its evidence is whole."""
    # The last frame of that time: what came before consent and position may have had any.
    seen = seen[max(place for place, signals in enumerate(seen) if signals.at == record.started_at) :]
    challenge = seen[: next((place for place, signals in enumerate(seen) if signals.at > record.last_at), len(seen))]
    if tuple(step.action for step in record.steps) != plan.actions or any(
        step.done_at is None for step in record.steps
    ):
        return ["not the plan's steps"]
    found = [*_frames(challenge), *_face(challenge, record), *_motion(challenge[1:]), *_identity(challenge, record)]
    ended = record.started_at
    for step, pause in zip(record.steps, plan.pauses_s, strict=True):
        before = [signals for signals in challenge if ended <= signals.at <= step.cue_at]
        during = [signals for signals in challenge if step.cue_at <= signals.at <= step.done_at]
        if step.cue_at - ended < pause - 1e-6:
            found.append("a cue before its pause was over")
        after = [signals for signals in seen if step.done_at < signals.at <= step.done_at + 1.2]
        found += [f"{step.action}: {fault}" for fault in _step(step, before, during, after)]
        if step.action is Action.BLINK and _blinks_again(before, during, after):
            found.append("blink: two for one")
        ended = step.done_at
    return found


def _frames(challenge: Sequence[Signals]) -> list[str]:
    times = [signals.at for signals in challenge]
    found = []
    if any(not later > earlier for earlier, later in pairwise(times)):
        found.append("time stood or ran backwards")
    if any(later.number <= earlier.number for earlier, later in pairwise(challenge)):
        found.append("numbers did not rise")
    if any(later - earlier > 0.2 + 1e-9 for earlier, later in pairwise(times)):
        found.append("a hole in the frames")
    if len(times) - 1 < 10.0 * (times[-1] - times[0]) - 1e-6:
        found.append("too few frames a second")
    if times[-1] - times[0] > 25.0 + 1e-6:
        found.append("too long")
    if _longest(challenge, lambda signals: signals.repeated) > 0.15 + 1e-6:
        found.append("a picture that stood")
    if sum(signals.repeated for signals in challenge) > 0.1 * (len(challenge) + 1):
        found.append("too many repeated pictures")
    return found


def _face(challenge: Sequence[Signals], record: Record) -> list[str]:
    found = []
    if _longest(challenge, lambda signals: signals.faces > 1) > 0.4 + 1e-6:
        found.append("a second face")
    turns = [(step.cue_at, step.done_at) for step in record.steps if step.action in SIGNS]
    for lost in _runs(challenge, lambda signals: not _is_sane(signals.view)):
        in_turn = any(cue <= lost[0].at and lost[-1].at <= done for cue, done in turns)
        if lost[-1].at - lost[0].at > (1.5 if in_turn else 0.3) + 1e-6:
            found.append("the face was away")
    return found


def _motion(challenge: Sequence[Signals]) -> list[str]:
    found = []
    if any(signals.change is None for signals in challenge):
        found.append("a picture whose change was not measured")
    shifts = [signals.change.shift or 0.0 for signals in challenge if signals.change is not None]
    if any(shift > 1.0 for shift in shifts):
        found.append("a leap")
    for place, shift in enumerate(shifts[4:-4], start=4):
        around = [*shifts[place - 4 : place], *shifts[place + 1 : place + 5]]
        if shift > 0.15 and max(around) < 0.01:
            found.append("a cut")
    places = [(signals.at, signals.change.place) for signals in challenge if signals.change is not None]
    for at, place in places:
        near = [other for moment, other in places if at <= moment <= at + 3.0]
        if place is not None and places[-1][0] >= at + 3.0 and all(other == place for other in near):
            found.append("a face as still as a picture")
            break
    return found


def _identity(challenge: Sequence[Signals], record: Record) -> list[str]:
    embedded = [signals for signals in challenge if _is_sane(signals.view) and signals.view.likeness is not None]
    found = []
    if any(signals.view.likeness < 0.35 for signals in embedded):
        found.append("another person")
    starts = [record.started_at, *(step.done_at for step in record.steps)]
    ends = [*(step.cue_at for step in record.steps), record.last_at]
    for start, end in zip(starts, ends, strict=True):
        if not any(start <= signals.at <= end for signals in embedded):
            found.append("no embedded frame before a cue, or after the last action")
    frontal = [signals for signals in challenge if _is_sane(signals.view)]
    neutral = median(signals.view.yaw for signals in frontal) if frontal else 0.0
    for run in _runs(challenge, lambda signals: _is_sane(signals.view) and abs(signals.view.yaw - neutral) < 8.0):
        moments = [run[0].at, *(signals.at for signals in run if signals.view.likeness is not None), run[-1].at]
        if any(later - earlier > 0.3 + 0.1 + 1e-6 for earlier, later in pairwise(moments)):
            found.append("nobody knows who that was")
    return found


def _step(
    step: StepRecord, before: Sequence[Signals], during: Sequence[Signals], after: Sequence[Signals]
) -> list[str]:
    ahead = [signals.view for signals in before if _is_sane(signals.view)][-15:]
    if not ahead:
        return ["no neutral face before the cue"]
    found = [] if step.done_at - step.cue_at <= 6.0 + 0.25 else ["too slow"]
    yaw, pitch = median(view.yaw for view in ahead), median(view.pitch for view in ahead)
    back = [s.view for s in after if s.at <= step.done_at + 0.15 and _is_sane(s.view)]
    if step.action in SIGNS:
        sign = SIGNS[step.action]
        angles = [(s, sign * (s.view.yaw - yaw)) for s in during if _is_sane(s.view)]
        stays = _stays([view.yaw - yaw for view in back])
        return found + _turned(step, angles, 18.0, 10.0) + stays + _in_depth(angles) + _whose_head(angles)
    if any(abs(s.view.yaw - yaw) > 18.0 + GRACE_DEG for s in during if _is_sane(s.view)):
        found.append("a turn that nobody asked for")
    if step.action is Action.LOOK_UP:
        angles = [(s, s.view.pitch - pitch) for s in during if _is_sane(s.view)]
        return found + _turned(step, angles, 12.0, 8.0) + _stays([view.pitch - pitch for view in back])
    return found + _blinked(step, ahead, during, yaw)


def _turned(step: StepRecord, angles: list[tuple[Signals, float]], peak: float, onset: float) -> list[str]:
    found = []
    if not any(angle >= peak - GRACE_DEG for _, angle in angles):
        found.append("no peak")
    if any(angle <= -18.0 - GRACE_DEG for _, angle in angles):
        found.append("the wrong way")
    if any(angle >= onset + GRACE_DEG and s.at < step.cue_at + 0.2 - 1e-6 for s, angle in angles):
        found.append("faster than anybody reacts")
    if not any(angle >= onset - GRACE_DEG and s.at <= step.cue_at + 3.5 + 1e-6 for s, angle in angles):
        found.append("begun too late")
    return found


def _stays(angles: list[float]) -> list[str]:
    neutral = angles and all(abs(angle) <= 8.0 + GRACE_DEG for angle in angles)
    return [] if neutral else ["not neutral again"]


def _whose_head(angles: list[tuple[Signals, float]]) -> list[str]:
    compared = [s.view.turned_likeness for s, angle in angles if angle > 0 and s.view.turned_likeness is not None]
    if not compared:
        return ["nobody knows whose head was turned"]
    return ["another person's head was turned"] if min(compared) < 0.45 else []


def _in_depth(angles: list[tuple[Signals, float]]) -> list[str]:
    far = [(s.view, angle) for s, angle in angles if angle >= 14.0 - GRACE_DEG]
    deep = [view for view, _ in far if view.relief is not None and view.relief >= 0.12]
    wide = [
        view
        for view, angle in far
        if view.aspect is not None and view.aspect >= 0.9 * math.cos(math.radians(min(angle + GRACE_DEG, 80.0)))
    ]
    return [] if len(deep) >= 2 and len(wide) >= 2 else ["no head, or nobody saw one"]


def _blinked(step: StepRecord, ahead: Sequence[View], during: Sequence[Signals], yaw: float) -> list[str]:
    views = [*ahead, *(signals.view for signals in during if _is_sane(signals.view))]
    # Nearly the most open: a wild sample is no eye, and eyes that were closed before the cue may open after it.
    left, right = (
        sorted(getattr(view, eye) for view in views)[9 * len(views) // 10] for eye in ("left_eye", "right_eye")
    )

    def shut(signals: Signals) -> bool:
        view = signals.view
        return _is_sane(view) and view.left_eye < 0.6 * left and view.right_eye < 0.6 * right

    frame = max((later.at - earlier.at for earlier, later in pairwise(during)), default=0.0)
    closures = [
        run
        for run in _runs(during, shut)
        if run[-1].at - run[0].at <= 0.5 + frame
        and run[0].at >= step.cue_at + 0.2 - frame
        and all(abs(s.view.yaw - yaw) <= 8.0 + GRACE_DEG for s in run)
    ]
    wanted = 2 if step.action is Action.BLINK_TWICE else 1
    found = [] if len(closures) >= wanted else ["no blinks"]
    if closures and not any(run[0].at <= step.cue_at + 3.5 + frame for run in closures):
        found.append("begun too late")
    if wanted == 2 and not any(later[0].at - first[-1].at <= 1.1 + 2 * frame for first, later in pairwise(closures)):
        found.append("no pair of blinks")
    return found


def _blinks_again(before: Sequence[Signals], during: Sequence[Signals], after: Sequence[Signals]) -> bool:
    """Whether a second blink follows the first within 1.1 s; frames are granted to whoever timed them."""
    ahead = [signals.view for signals in before if _is_sane(signals.view)][-15:]
    eyes = [max(getattr(view, eye) for view in ahead) for eye in ("left_eye", "right_eye")] if ahead else [0.0, 0.0]
    late = [signals for signals in (*during, *after) if signals.at >= during[0].at + 0.3]
    shut = _runs(
        late, lambda s: _is_sane(s.view) and s.view.left_eye < 0.5 * eyes[0] and s.view.right_eye < 0.5 * eyes[1]
    )
    sure = [run for run in shut if len(run) >= 3 and run[-1].at - run[0].at <= 0.4]
    return any(0.1 < second[0].at - first[-1].at < 1.0 for first, second in pairwise(sure))


def _is_sane(view: View | None) -> bool:
    numbers = () if view is None else (view.yaw, view.pitch, view.left_eye, view.right_eye, view.relief, view.likeness)
    return view is not None and all(number is None or math.isfinite(number) for number in numbers)


def _runs(seen: Sequence[Signals], holds) -> list[list[Signals]]:
    runs: list[list[Signals]] = [[]]
    for signals in seen:
        if holds(signals):
            runs[-1].append(signals)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _longest(seen: Sequence[Signals], holds) -> float:
    return max((run[-1].at - run[0].at for run in _runs(seen, holds)), default=0.0)
