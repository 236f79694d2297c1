"""What a session leaves behind: one record for each step and for the whole, and why a session ended early."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.wire.plan import Action


class Ending(StrEnum):
    """Why a session ended before every step was answered."""

    WITNESSED = "witnessed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    CONSENT_NOT_GIVEN = "consent-not-given"
    CARD_NOT_READ = "card-not-read"
    NO_GOOD_VIEW = "no-good-view"
    CHALLENGE_NOT_ANSWERED = "challenge-not-answered"
    CHALLENGE_TOO_LONG = "challenge-too-long"
    WRONG_ACTION = "wrong-action"
    EARLY_ACTION = "early-action"
    UNPROMPTED_ACTION = "unprompted-action"
    FLAT_FACE = "flat-face"
    FACE_JUMPED = "face-jumped"
    PERSON_CHANGED = "person-changed"
    PERSON_NOT_FOLLOWED = "person-not-followed"
    SEVERAL_FACES = "several-faces"
    FACE_LOST = "face-lost"
    FACE_TOO_STILL = "face-too-still"
    FRAMES_JUMPED = "frames-jumped"
    FRAMES_MISTIMED = "frames-mistimed"
    FRAMES_REPEATED = "frames-repeated"
    FRAMES_OUT_OF_ORDER = "frames-out-of-order"
    FRAMES_MISSING = "frames-missing"
    CAPTURE_ENDED = "capture-ended"
    REFERENCE_UNUSABLE = "reference-unusable"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of the plan; times in seconds on the frames' clock, None when it did not come to that.

    Attributes:
        action: what was asked for.
        cue_at: when the cue was lit.
        onset_at: when the answer began.
        done_at: when the answer was complete and the face neutral again.
        peak_deg: the greatest angle of a turn or look, 0 for blinks.
        relief: the median relief at the far end of a turn; None where it was not measured.
        aspect: the median aspect there over the cosine of the turn, about 1 for a head; None where it was not measured.
        turned_likeness: the least likeness of the turned head to the frontal one; None where it was not compared.
        passed: every rule for this step held.
    """

    action: Action
    cue_at: float
    onset_at: float | None = None
    done_at: float | None = None
    peak_deg: float = 0.0
    relief: float | None = None
    aspect: float | None = None
    turned_likeness: float | None = None
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """The challenge so far.

    Attributes:
        started_at: seconds, the first frame of the challenge.
        last_at: seconds, its newest frame.
        steps: one for each cue that was given.
        frames: how many frames were seen since `started_at`.
        repeated: how many of them repeated the frame before.
        longest_gap_s: the greatest distance of neighbouring frames.
        embedded: how many frames were embedded.
        least_likeness: the least cosine score of any two of those.
    """

    started_at: float
    last_at: float
    steps: tuple[StepRecord, ...] = ()
    frames: int = 1
    repeated: int = 0
    longest_gap_s: float = 0.0
    embedded: int = 0
    least_likeness: float | None = None

    @property
    def fps(self) -> float:
        """Frames a second over the challenge; 0 for a single frame."""
        span = self.last_at - self.started_at
        return (self.frames - 1) / span if span > 0 else 0.0
