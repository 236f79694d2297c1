"""Evidence: what a request's policy may ask of a session beside its result, sealed so that only central reads it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from device.wire.fields import Binary, Claims, Code, Counter, Seconds, Sha256, TerminalId, Uuid7
from device.wire.plan import Action
from device.wire.sealing import SEALING_OVERHEAD_BYTES

MAX_SEALED_BYTES = 96 * 1024
MAX_PORTRAIT_BYTES = 44 * 1024
MAX_FRAMES = 1024


class EvidenceKind(StrEnum):
    """What may be asked for."""

    SIGNALS = "signals"
    PORTRAIT = "portrait"


EvidenceKinds = Annotated[tuple[EvidenceKind | Code, ...], Field(max_length=4)]


class EvidenceMark(Claims):
    """The evidence as the result names it: SHA-256 and number of the sealed bytes, and what is in them."""

    sha256: Sha256
    bytes: Annotated[Counter, Field(gt=SEALING_OVERHEAD_BYTES, le=MAX_SEALED_BYTES)]
    kinds: Annotated[EvidenceKinds, Field(min_length=1)]


class EvidenceClaims(Claims):
    """The evidence of the result at (`epoch`, `seq`), whose `jti` is `result`.

    Attributes:
        sealed: `device.wire.sealing.seal` of an `EvidencePack`; the result holds their SHA-256.
    """

    iss: TerminalId
    epoch: Counter
    seq: Annotated[Counter, Field(ge=1)]
    result: Uuid7
    sealed: Annotated[Binary, Field(min_length=SEALING_OVERHEAD_BYTES + 1, max_length=MAX_SEALED_BYTES)] = Field(
        repr=False
    )


class EvidenceCue(Claims):
    """When an action was asked for."""

    action: Action
    at_s: Seconds


Column = Annotated[tuple[Annotated[float, Field(ge=-360, le=360)] | None, ...], Field(max_length=MAX_FRAMES)]


class EvidenceSignals(Claims):
    """What was measured in the challenge, a column for each measure and a row for each frame; null where no face was.

    Attributes:
        at_s: seconds since the session's first frame.
        yaw_deg: positive when the customer turns to their own left.
        pitch_deg: positive when they look up.
        left_eye: openness of the customer's left eye, lid distance over eye width.
        right_eye: the same for the right eye.
        cues: what was asked for, and when.
    """

    at_s: Annotated[tuple[Seconds, ...], Field(max_length=MAX_FRAMES)]
    yaw_deg: Column
    pitch_deg: Column
    left_eye: Column
    right_eye: Column
    cues: Annotated[tuple[EvidenceCue, ...], Field(max_length=8)]

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        columns = (self.yaw_deg, self.pitch_deg, self.left_eye, self.right_eye)
        if any(len(column) != len(self.at_s) for column in columns):
            raise ValueError("every column has a value for each frame")
        return self


class EvidencePack(Claims):
    """What is sealed: JSON like all claims.

    Attributes:
        signals: when `signals` was asked for.
        portrait: a JPEG of the best compared frame's face, when `portrait` was asked for.
    """

    signals: EvidenceSignals | None = None
    portrait: Annotated[Binary, Field(min_length=1, max_length=MAX_PORTRAIT_BYTES)] | None = Field(
        default=None, repr=False
    )

    @property
    def kinds(self) -> tuple[EvidenceKind, ...]:
        """What is in it."""
        held = ((EvidenceKind.SIGNALS, self.signals), (EvidenceKind.PORTRAIT, self.portrait))
        return tuple(kind for kind, content in held if content is not None)
