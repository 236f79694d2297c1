"""Answers to one cue: a turn, a look up or blinks, each watched from the cue until it is complete or wrong.

`watch` is a fold over frames. What it returns is the same answer, further on; `passed_at` or `wrong` end it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

from device.liveness.blinks import Blink
from device.liveness.continuity import Track
from device.liveness.evidence import Ending, StepRecord
from device.liveness.rules import Rules
from device.signals import View
from device.wire.plan import EYE_ACTIONS, TURNS, Action

FAR_END_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one cue so far; times in seconds on the frames' clock.

    Attributes:
        action: what was asked for.
        cue_at: when its cue was lit.
        onset_at: when the answer began.
        peak_deg: the greatest angle so far in the direction asked for.
        far_end: (angle, relief, aspect over the turn's cosine) of the frames with the greatest angles.
        turned_likeness: the least likeness of a turned frame; None before one was compared.
        last_seen: (time, angle) of the newest frame with a face.
        losses: how often the face was lost since the cue.
        neutral_since: since when the face looks straight ahead again.
        blinks: the blinks that count.
        done_at: when the answer was complete: the head was back, or no second blink could come.
        passed_at: when that was clear.
        wrong: what was done instead.
    """

    action: Action
    cue_at: float
    onset_at: float | None = None
    peak_deg: float = 0.0
    far_end: tuple[tuple[float, float, float], ...] = ()
    turned_likeness: float | None = None
    last_seen: tuple[float, float] | None = None
    losses: int = 0
    lost: bool = False
    neutral_since: float | None = None
    blinks: tuple[Blink, ...] = ()
    done_at: float | None = None
    passed_at: float | None = None
    wrong: Ending | None = None

    def may_lose_face(self, rules: Rules) -> bool:
        """At the far end of a turn the landmarks may be lost for longer, once."""
        far = self.last_seen is not None and self.last_seen[1] >= rules.turn_peak_deg
        return self.action in TURNS and far and self.losses <= 1

    @property
    def relief(self) -> float | None:
        """Median relief over the far end of a turn."""
        return median(relief for _, relief, _ in self.far_end) if self.far_end else None

    @property
    def aspect(self) -> float | None:
        """Median aspect over the far end of a turn, over the cosine of the turn."""
        return median(aspect for _, _, aspect in self.far_end) if self.far_end else None

    def record(self) -> StepRecord:
        """This answer as evidence."""
        return StepRecord(
            action=self.action,
            cue_at=self.cue_at,
            onset_at=self.onset_at,
            done_at=None if self.passed_at is None else self.done_at,
            peak_deg=self.peak_deg,
            relief=self.relief,
            aspect=self.aspect,
            turned_likeness=self.turned_likeness,
            passed=self.passed_at is not None and self.wrong is None,
        )


def watch(answer: Answer, at: float, view: View | None, track: Track, blink: Blink | None, rules: Rules) -> Answer:
    """Takes one frame into the answer."""
    if view is None:
        answer = replace(answer, lost=True, losses=answer.losses + (not answer.lost), neutral_since=None)
    else:
        answer = replace(answer, lost=False)
        turned = track.yaw_from_neutral(view)
        if answer.action in TURNS:
            answer = _watch_turn(answer, at, turned if answer.action is Action.TURN_LEFT else -turned, view, rules)
        elif abs(turned) >= rules.turn_peak_deg:
            answer = replace(answer, wrong=Ending.WRONG_ACTION)
        elif answer.action in EYE_ACTIONS:
            eyes_open = track.eyes.closed_at is None
            answer = _watch_blinks(answer, at, turned, eyes_open, blink, rules)
        else:
            answer = _watch_look_up(answer, at, track.pitch_from_neutral(view), rules)
    if answer.wrong is None and answer.passed_at is None and _too_late(answer, at, rules):
        return replace(answer, wrong=Ending.CHALLENGE_NOT_ANSWERED)
    return answer


def _watch_turn(answer: Answer, at: float, angle: float, view: View, rules: Rules) -> Answer:
    if -angle >= rules.turn_peak_deg:
        return replace(answer, wrong=Ending.WRONG_ACTION)
    if answer.last_seen is not None and abs(angle - answer.last_seen[1]) > rules.max_turn_deg_s * (
        at - answer.last_seen[0]
    ):
        return replace(answer, wrong=Ending.FACE_JUMPED)
    answer = _watch_angle(answer, at, angle, rules.turn_onset_deg, rules)
    answer = _watch_far_end(replace(answer, last_seen=(at, angle)), angle, view, rules)
    if _returned(answer, at, rules.turn_peak_deg, rules):
        return replace(_passed(answer, at), wrong=_far_end_fault(answer, rules) or answer.wrong)
    return answer


def _watch_far_end(answer: Answer, angle: float, view: View, rules: Rules) -> Answer:
    """Keeps the frames that tell a head from a picture; after a loss another head could have come."""
    if angle > 0 and (likeness := view.turned_likeness) is not None:
        before = answer.turned_likeness
        answer = replace(answer, turned_likeness=likeness if before is None else min(before, likeness))
    if answer.losses or view.relief is None or view.aspect is None or angle < rules.far_end_deg:
        return answer
    measured = (angle, view.relief, view.aspect / math.cos(math.radians(min(angle, 80.0))))
    return replace(answer, far_end=tuple(sorted((*answer.far_end, measured), reverse=True)[:FAR_END_FRAMES]))


def _far_end_fault(answer: Answer, rules: Rules) -> Ending | None:
    relief, aspect = answer.relief, answer.aspect
    if answer.losses and len(answer.far_end) < rules.min_far_end_frames:
        return Ending.FACE_LOST
    if relief is None or aspect is None or len(answer.far_end) < rules.min_far_end_frames:
        return Ending.FLAT_FACE
    if relief < rules.min_relief or aspect < rules.min_turned_aspect:
        return Ending.FLAT_FACE
    # Whose head it was that turned has to be known too.
    return Ending.PERSON_NOT_FOLLOWED if answer.turned_likeness is None else None


def _watch_look_up(answer: Answer, at: float, angle: float, rules: Rules) -> Answer:
    answer = _watch_angle(answer, at, angle, rules.look_up_onset_deg, rules)
    return _passed(answer, at) if _returned(answer, at, rules.look_up_peak_deg, rules) else answer


def _watch_angle(answer: Answer, at: float, angle: float, onset_deg: float, rules: Rules) -> Answer:
    if answer.onset_at is None and angle >= onset_deg:
        early = at - answer.cue_at < rules.min_reaction_s
        answer = replace(answer, onset_at=at, wrong=Ending.EARLY_ACTION if early else answer.wrong)
    neutral_since = (answer.neutral_since or at) if abs(angle) < rules.neutral_deg else None
    return replace(answer, peak_deg=max(answer.peak_deg, angle), neutral_since=neutral_since)


def _returned(answer: Answer, at: float, peak_deg: float, rules: Rules) -> bool:
    held = answer.neutral_since is not None and at - answer.neutral_since >= rules.neutral_hold_s
    return held and answer.onset_at is not None and answer.peak_deg >= peak_deg


def _passed(answer: Answer, at: float) -> Answer:
    """A movement is done when the head is back, and passed once it has stayed there."""
    return replace(answer, done_at=answer.neutral_since, passed_at=at)


def _watch_blinks(
    answer: Answer, at: float, turned: float, eyes_open: bool, blink: Blink | None, rules: Rules
) -> Answer:
    """A blink is single or one of a pair by what follows within `blink_pair_s`, and footage cannot be both."""
    if answer.passed_at is None and blink is not None and _counts(blink, answer.cue_at, turned, rules):
        answer = _add_blink(answer, blink, rules)
    if not answer.blinks or answer.wrong is not None or answer.passed_at is not None:
        return answer
    twice = answer.action is Action.BLINK_TWICE
    if len(answer.blinks) == 2:
        return replace(answer, done_at=at, passed_at=at) if twice else replace(answer, wrong=Ending.WRONG_ACTION)
    # Eyes that are closed now may be the second blink's: what it is shows when they open.
    if not eyes_open or at - answer.blinks[0].end <= rules.blink_pair_s:
        return answer
    return replace(answer, wrong=Ending.WRONG_ACTION) if twice else replace(answer, done_at=at, passed_at=at)


def _counts(blink: Blink, cue_at: float, turned: float, rules: Rules) -> bool:
    """People blink unasked every few seconds: a closure that began too early is no answer, and no offence either."""
    timely = blink.start - cue_at >= rules.min_reaction_s
    lasts = rules.min_blink_s <= blink.duration <= rules.max_blink_s and blink.depth <= rules.max_blink_openness
    return timely and lasts and abs(turned) <= rules.blink_still_deg


def _add_blink(answer: Answer, blink: Blink, rules: Rules) -> Answer:
    if answer.blinks:
        paired = blink.start - answer.blinks[0].end <= rules.blink_pair_s
        return replace(answer, blinks=(*answer.blinks, blink)) if paired else answer
    if blink.start - answer.cue_at > rules.max_reaction_s:
        return replace(answer, wrong=Ending.CHALLENGE_NOT_ANSWERED)
    return replace(answer, onset_at=blink.start, blinks=(blink,))


def _too_late(answer: Answer, at: float, rules: Rules) -> bool:
    waited = at - answer.cue_at
    # A blink that began in time is known only when it ends.
    begun_by = rules.max_reaction_s + (rules.max_blink_s if answer.action in EYE_ACTIONS else 0.0)
    return waited > rules.max_step_s or (answer.onset_at is None and waited > begun_by)
