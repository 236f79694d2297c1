"""Motion from picture to picture: does it go on smoothly, as before a camera, or jump and stand, as footage does?

A cut shows as one change that neither the changes before nor those after it explain. Fast heads and jolted phones
change as much, but not in one picture alone: the frames around tell them from a cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from device.liveness.rules import Rules
from device.liveness.sway import Pace, Sway, watch_pace, watch_sway
from device.signals import Signals

_BEFORE, _AFTER = 3, 2  # changes that explain one between them; the verdict on a change waits for the two after it
_LONGEST_STALL = 5  # near copies in a row; after more the face was still
_TREMBLE = 0.01  # face sizes: the landmarks' own noise


@dataclass(frozen=True, slots=True)
class Move:
    """A change between two true pictures that both show the face; units as in `Change`, time in seconds."""

    over_s: float
    shift: float
    face: float
    copies: int


@dataclass(frozen=True, slots=True)
class Motion:
    """What is carried from frame to frame.

    Attributes:
        moves: the last changes, oldest first.
        copies: near copies since the last of them.
        moving: how many frames were seen in motion.
        stalled: how many of these were near copies between two that moved.
        sway: how the face sways.
        pace: the time that each frame number takes.
    """

    moves: tuple[Move, ...] = ()
    copies: int = 0
    moving: int = 0
    stalled: int = 0
    sway: Sway = Sway()
    pace: Pace = Pace()


def watch_motion(motion: Motion, signals: Signals, rules: Rules) -> Motion:
    """Takes one frame."""
    change = signals.change
    place = change.place if change is not None else None
    motion = replace(
        motion, sway=watch_sway(motion.sway, signals.at, place, rules.sway_s), pace=watch_pace(motion.pace, signals)
    )
    if change is None:
        return replace(motion, moves=(), copies=0)
    if not change.new and (change.shift or 0.0) <= rules.max_jump:  # a copy whose face moved is none
        return replace(motion, copies=motion.copies + 1)
    if change.face is None or change.shift is None:
        return motion
    return _add(motion, Move(signals.at - change.since, change.shift, change.face, motion.copies), rules)


def jumped(motion: Motion, rules: Rules) -> bool:
    """Whether a cut is among the last changes."""
    if motion.moves and motion.moves[-1].shift > rules.max_shift:
        return True
    if len(motion.moves) <= _AFTER:
        return False
    at = len(motion.moves) - 1 - _AFTER
    move, others = motion.moves[at], (*motion.moves[:at], *motion.moves[at + 1 :])
    shift = move.over_s * max(other.shift / other.over_s for other in others)
    face = move.over_s * max(other.face / other.over_s for other in others)
    moved = move.shift - shift > rules.max_jump and move.shift > rules.max_jump_ratio * (shift + _TREMBLE)
    return moved or move.face - face > rules.max_face_jump


def stalls(motion: Motion, rules: Rules) -> bool:
    """Whether a motion stands still in every other frame or so: footage was stretched."""
    return motion.moving >= rules.min_moving_frames and motion.stalled > rules.max_stalled_share * motion.moving


def _add(motion: Motion, move: Move, rules: Rules) -> Motion:
    moves = (*motion.moves, move)[-(_BEFORE + 1 + _AFTER) :]
    motion = replace(motion, moves=moves, copies=0)
    if len(moves) < 2 or move.copies > _LONGEST_STALL or not all(_moves(each, rules) for each in moves[-2:]):
        return motion
    return replace(motion, moving=motion.moving + 1 + move.copies, stalled=motion.stalled + move.copies)


def _moves(move: Move, rules: Rules) -> bool:
    return move.shift >= rules.moving_shift or move.face >= rules.moving_face
