"""What a terminal signs about a session: the result."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from device.wire.evidence import EvidenceMark
from device.wire.fields import (
    Claims,
    ClockState,
    Code,
    Counter,
    FalseMatchRate,
    Language,
    Name,
    Nonce,
    Score,
    Seconds,
    Sentence,
    Sha256,
    Share,
    TerminalId,
    UnixTime,
    Uuid,
    Uuid7,
)
from device.wire.light import COLOURS_IN_CODE, Colour, LightChoice, LightVerdict
from device.wire.plan import Action

LIVE_SOURCES = frozenset({"pi-camera", "usb-camera"})
"""The capture sources that central accepts outside rehearsal mode."""


class Outcome(StrEnum):
    """How a session ended. Whoever reads another word treats it as not verified."""

    VERIFIED = "verified"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    WITNESSED = "witnessed"
    FAULT = "fault"


class Grade(StrEnum):
    """Where a reference came from, the surest first; the last one has none: the attendant vouches for the customer."""

    REQUEST = "request"
    CARD = "card"
    WITNESSED = "witnessed"


class RequestEcho(Claims):
    """What the request said, repeated so that a result stands alone."""

    id: Uuid7
    purpose: Code
    outlet: Name
    attendant: Name
    transaction: Name
    subject: Name = Field(repr=False)


class Comparison(Claims):
    """The comparison of probe and reference; `match` is `score >= threshold`.

    `fmr` is the false match rate that the threshold stands for.
    """

    score: Score
    threshold: Score
    fmr: FalseMatchRate | Code
    match: bool

    def is_as_strict_as(self, wanted: FalseMatchRate) -> bool:
        """Whether the threshold stands for `wanted` or a lower rate; false for a word that is not known."""
        return any(self.fmr == level and level.rate <= wanted.rate for level in FalseMatchRate)


class StepTiming(Claims):
    """One step of the challenge; seconds since the session's first frame."""

    action: Action
    cue_s: Seconds
    onset_s: Seconds | None = None
    done_s: Seconds | None = None
    passed: bool


class Light(Claims):
    """The coloured light beside the challenge; docs/light.md. Whatever it says, it makes no result better.

    Attributes:
        experimental: true as long as nobody measured it under a real ring.
        choice: what the request asked for.
        verdict: what became of it.
        colours: what the ring showed, a beginning of the derived code.
        starts_s: when each colour began, seconds since the session's first frame.
        correlation: of the light in the face, less that behind it, with the code, at the latency that fits best.
        latency_s: that latency.
        gain: the ring's light in the face, at full duty, over all other light there.
        background_gain: the same behind the face.
    """

    experimental: bool = True
    choice: LightChoice | Code
    verdict: LightVerdict | Code
    colours: Annotated[tuple[Colour, ...], Field(max_length=COLOURS_IN_CODE)] = ()
    starts_s: Annotated[tuple[Seconds, ...], Field(max_length=COLOURS_IN_CODE)] = ()
    correlation: Score | None = None
    latency_s: Seconds | None = None
    gain: float | None = None
    background_gain: float | None = None


class Challenge(Claims):
    """The challenge: what it was derived from, what it was, and how it went.

    Attributes:
        salt: drawn by the terminal when the session started.
        session: the session's id, an input of the derivation.
        actions: the action set the plan was drawn from.
        alternative: the customer chose the alternative that the request offered.
        plan: the derived actions, in the order of their cues.
        pauses_s: the derived seconds of neutral face before each cue.
        steps: what happened; shorter than the plan when the session ended early.
        guess_probability: the chance that a recording made without knowing the plan holds it.
        light: the coloured light; absent when the terminal has no ring and none was asked for.
    """

    salt: Nonce
    session: Name
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=8)]
    plan: Annotated[tuple[Action, ...], Field(min_length=1, max_length=8)]
    pauses_s: Annotated[tuple[Seconds, ...], Field(min_length=1, max_length=8)]
    alternative: bool = False
    steps: Annotated[tuple[StepTiming, ...], Field(max_length=8)]
    guess_probability: Share
    light: Light | None = None


class Capture(Claims):
    """Where the frames came from: source, how many, and how many a second."""

    source: Code
    frames: Counter
    fps: Annotated[float, Field(ge=0, le=1000)]


class ReferenceMark(Claims):
    """Which reference was compared, without being it.

    Attributes:
        commitment: `device.wire.sealing.commitment` of the picture and the request's nonce.
        grade: `request` when central sent it, `card` when it was read from a printed card before the camera. Which
            card that was, nobody knows.
    """

    commitment: Sha256
    grade: Grade | Code


class SpokenConsent(Claims):
    """The consent text that the terminal's voice read out.

    Attributes:
        version: of the text that was spoken.
        language: in which it was spoken, the last one that the customer chose.
        whole: what the check is for and the text were played to their end before the customer answered. That somebody
            heard it nobody can know.
    """

    version: Name
    language: Language
    whole: bool


class Software(Claims):
    """What ran: the firmware's version and digest, inference runtime, and the digests of models and configuration."""

    firmware: Name
    firmware_sha256: Sha256 | None = None
    runtime: Name
    models_sha256: Sha256
    configuration_sha256: Sha256


class ResultClaims(Claims):
    """A result; docs/protocol.md explains each claim.

    Attributes:
        iss: the terminal.
        jti: the result's id; a UUID of version 7.
        iat: seconds since 1970 by the terminal's clock, as far as `clock` lets one believe it.
        epoch: the chain's epoch.
        seq: place in the epoch's chain, from 1.
        prev: SHA-256 of the envelope before; 64 zeros for the first.
        boot: the terminal's boot id.
        uptime_s: seconds since that boot; does not jump when the wall clock does.
        clock: trust state of the wall clock.
        offline: the session had no request; the terminal drew the nonce.
        nonce: the request's nonce, or the terminal's own.
        request: what the request said; absent when offline.
        consent: version of the consent text that was shown.
        spoken: the consent text that was read out; absent when the terminal has no voice.
        outcome: how the session ended.
        reasons: why, for machines, most important first.
        sentence: why, for people.
        comparison: absent when nothing was compared.
        challenge: absent when the session ended before one was derived.
        reference: absent when there was none.
        evidence: absent when none was asked for, or there was none to give.
        slip: digest of the code on the customer's slip (`device.wire.slip`); absent when none was given.
    """

    iss: TerminalId
    jti: Uuid7
    iat: UnixTime
    epoch: Counter
    seq: Annotated[Counter, Field(ge=1)]
    prev: Sha256
    boot: Uuid
    uptime_s: Annotated[float, Field(ge=0)]
    clock: ClockState | Code
    offline: bool
    nonce: Nonce = Field(repr=False)
    request: RequestEcho | None = None
    consent: Name
    spoken: SpokenConsent | None = None
    outcome: Outcome | Code
    reasons: Annotated[tuple[Code, ...], Field(max_length=16)] = ()
    sentence: Sentence
    comparison: Comparison | None = None
    challenge: Challenge | None = None
    capture: Capture
    reference: ReferenceMark | None = None
    evidence: EvidenceMark | None = None
    slip: Sha256 | None = Field(default=None, repr=False)
    software: Software

    @model_validator(mode="after")
    def _request_or_offline(self) -> Self:
        if self.offline != (self.request is None):
            raise ValueError("a result is offline exactly when it answers no request")
        return self

    @property
    def is_verified(self) -> bool:
        """Whether the terminal says `verified`; false for every word that is not known."""
        return self.outcome == Outcome.VERIFIED

    @property
    def is_live(self) -> bool:
        """Whether the frames came from a camera, and not from a recording or a rehearsal."""
        return self.capture.source in LIVE_SOURCES


class ResultPlace(Claims):
    """The claims that place a result; read when the rest of it cannot be."""

    iss: TerminalId
    epoch: Counter
    seq: Annotated[Counter, Field(ge=1)]
    prev: Sha256
