"""Continuity: the same single person, in every frame, without holes, from the first cue to the last answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

from device.liveness.blinks import Blink, EyeTrack, lose_eyes, watch_eyes
from device.liveness.evidence import Ending, Record
from device.liveness.motion import Motion, jumped, stalls, watch_motion
from device.liveness.rules import Rules
from device.signals import Signals, View

NEUTRAL_MEMORY = 15


@dataclass(frozen=True, slots=True)
class Track:
    """What is carried from frame to frame.

    Attributes:
        eyes: the person's open eyes and a closure under way.
        neutral_yaws: yaw, degrees, of the last frames that looked straight ahead; `neutral_pitches` the same.
        lost_since: since when no face is found.
        several_since: since when more than one face is found.
        repeated_since: since when the picture does not change.
        narrow_since: since when the face is narrower than a head that looks this way can be.
        frontal_since: since when the face is near-frontal.
        embedded_at: when a near-frontal frame was last embedded; `turned_at` a turned one.
        motion: how the pictures change.
    """

    eyes: EyeTrack = EyeTrack()
    neutral_yaws: tuple[float, ...] = ()
    neutral_pitches: tuple[float, ...] = ()
    lost_since: float | None = None
    several_since: float | None = None
    repeated_since: float | None = None
    narrow_since: float | None = None
    frontal_since: float | None = None
    embedded_at: float | None = None
    turned_at: float | None = None
    motion: Motion = Motion()

    def yaw_from_neutral(self, view: View) -> float:
        """Degrees that the head is turned away from the person's own neutral; positive to their left."""
        return view.yaw - (median(self.neutral_yaws) if self.neutral_yaws else 0.0)

    def pitch_from_neutral(self, view: View) -> float:
        """Degrees that the head is raised from the person's own neutral."""
        return view.pitch - (median(self.neutral_pitches) if self.neutral_pitches else 0.0)

    def learn_neutral(self, view: View) -> Track:
        """Takes a frame that looks straight ahead into the person's own neutral."""
        return replace(
            self,
            neutral_yaws=(*self.neutral_yaws, view.yaw)[-NEUTRAL_MEMORY:],
            neutral_pitches=(*self.neutral_pitches, view.pitch)[-NEUTRAL_MEMORY:],
        )


def follow(track: Track, signals: Signals, rules: Rules) -> tuple[Track, Blink | None]:
    """Takes one frame into the track; returns it and the blink that ended with this frame, if one did."""
    view, at = signals.view, signals.at
    frontal = view is not None and abs(track.yaw_from_neutral(view)) <= rules.frontal_deg
    eyes, blink = track.eyes, None
    if view is not None and frontal:
        eyes, blink = watch_eyes(eyes, at, view.left_eye, view.right_eye, rules.closed_share)
    else:
        eyes = lose_eyes(eyes)
    track = replace(
        track,
        eyes=eyes,
        lost_since=_since(track.lost_since, view is None, at),
        several_since=_since(track.several_since, signals.faces > 1, at),
        repeated_since=_since(track.repeated_since, signals.repeated, at),
        narrow_since=_since(track.narrow_since, view is not None and _is_narrow(track, view, rules), at),
        frontal_since=_since(track.frontal_since, frontal, at),
        embedded_at=at if view is not None and view.likeness is not None else track.embedded_at,
        turned_at=at if view is not None and view.turned_likeness is not None else track.turned_at,
        motion=watch_motion(track.motion, signals, rules),
    )
    return track, blink


def broken(track: Track, record: Record, signals: Signals, rules: Rules, *, turning: bool) -> Ending | None:
    """Returns what breaks the chain of frames; `record` already holds the frame. None while it holds."""
    at = signals.at
    # A frame whose change could not be measured may hide a cut.
    if record.longest_gap_s > rules.max_gap_s or signals.change is None:
        return Ending.FRAMES_MISSING
    if fault := _fault_of_motion(track.motion, rules):
        return fault
    if _lasted(track.repeated_since, at) > rules.max_repeated_s:
        return Ending.FRAMES_REPEATED
    if _lasted(track.several_since, at) > rules.max_several_faces_s:
        return Ending.SEVERAL_FACES
    if _lasted(track.lost_since, at) > (rules.max_lost_in_turn_s if turning else rules.max_lost_s):
        return Ending.FACE_LOST
    if _lasted(track.narrow_since, at) > rules.max_narrow_s:
        return Ending.FLAT_FACE
    if _is_another(record, signals, rules):
        return Ending.PERSON_CHANGED
    if _unembedded_for(track, at) > rules.max_unembedded_s:
        return Ending.PERSON_NOT_FOLLOWED
    return None


def _fault_of_motion(motion: Motion, rules: Rules) -> Ending | None:
    if not motion.pace.rising:
        return Ending.FRAMES_OUT_OF_ORDER
    if motion.pace.ratio > rules.max_pace_ratio:
        return Ending.FRAMES_MISTIMED
    if jumped(motion, rules):
        return Ending.FRAMES_JUMPED
    if stalls(motion, rules):
        return Ending.FRAMES_REPEATED
    still = motion.sway.least is not None and motion.sway.least < rules.min_sway
    return Ending.FACE_TOO_STILL if still else None


def extend(record: Record, signals: Signals) -> Record:
    """Counts one more frame of the challenge."""
    likeness = signals.view.likeness if signals.view is not None else None
    least = record.least_likeness
    if likeness is not None:
        least = likeness if least is None else min(least, likeness)
    return replace(
        record,
        last_at=signals.at,
        frames=record.frames + 1,
        repeated=record.repeated + signals.repeated,
        longest_gap_s=max(record.longest_gap_s, signals.at - record.last_at),
        embedded=record.embedded + (likeness is not None),
        least_likeness=least,
    )


def embedding_due(track: Track, signals: Signals, frame_s: float, rules: Rules) -> bool:
    """Whether this near-frontal frame is to be embedded: at least five a second, and the first after each absence.

    `frame_s` is the distance of neighbouring frames: a frame is due when the next one would come too late.
    """
    view = signals.view
    if view is None or abs(track.yaw_from_neutral(view)) > rules.frontal_deg:
        return False
    if track.frontal_since is None or track.embedded_at is None or track.embedded_at < track.frontal_since:
        return True
    return signals.at + frame_s - track.embedded_at > rules.embed_every_s + 1e-6


def turned_embedding_due(track: Track, signals: Signals, rules: Rules) -> bool:
    """Whether this turned frame is to be embedded: ten a second, as far as faces compare."""
    view = signals.view
    if view is None or not rules.frontal_deg < abs(track.yaw_from_neutral(view)) <= rules.compared_deg:
        return False
    return track.turned_at is None or signals.at - track.turned_at >= rules.embed_in_turn_every_s - 1e-6


def _is_another(record: Record, signals: Signals, rules: Rules) -> bool:
    turned = signals.view.turned_likeness if signals.view is not None else None
    if turned is not None and not turned >= rules.min_turned_likeness:
        return True
    return record.least_likeness is not None and record.least_likeness < rules.min_likeness


def _is_narrow(track: Track, view: View, rules: Rules) -> bool:
    if view.aspect is None or view.aspect >= rules.min_aspect:
        return False
    # A nod changes the aspect too: it counts only near the frontal pitch.
    near = view.nod is not None and abs(view.nod) < rules.aspect_deg
    return near and abs(track.yaw_from_neutral(view)) < rules.aspect_deg


def _since(before: float | None, lasts: bool, at: float) -> float | None:
    if not lasts:
        return None
    return at if before is None else before


def _lasted(since: float | None, at: float) -> float:
    return 0.0 if since is None else at - since


def _unembedded_for(track: Track, at: float) -> float:
    if track.frontal_since is None:
        return 0.0
    embedded_at = track.embedded_at if track.embedded_at is not None else track.frontal_since
    return at - max(embedded_at, track.frontal_since)
