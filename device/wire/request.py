"""What central asks of a terminal: one session, once, now."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from device.wire.claims import Grade, RequestEcho
from device.wire.evidence import EvidenceKinds
from device.wire.fields import (
    Binary,
    Claims,
    Code,
    FalseMatchRate,
    Name,
    Nonce,
    Sha256,
    TerminalId,
    UnixTime,
    Uuid,
    Uuid7,
)
from device.wire.light import LightChoice
from device.wire.plan import DEFAULT_ACTIONS, DEFAULT_STEPS, Action
from device.wire.sealing import MAX_REFERENCE_BYTES, SEALING_OVERHEAD_BYTES


class Alternative(Claims):
    """Another plan, at least as hard to guess, which the customer may choose before the challenge begins.

    Attributes:
        actions: the action set to derive it from.
        steps: how many actions it has.
    """

    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=8)]
    steps: Annotated[int, Field(ge=1, le=8)]


class Policy(Claims):
    """How the session is to be judged.

    Attributes:
        fmr: the false match rate whose threshold has to be reached; the terminal knows the score that this takes with
            its model, and refuses a higher rate than its own configuration allows.
        actions: the action set to derive the plan from.
        steps: how many actions the plan has.
        alternative: what the customer may do instead; a terminal refuses one that is easier to guess.
        attempts: how many sessions the customer may try, cancelled ones counted.
        light: `experimental` shows the coloured light where there is a ring; `off` for whoever asks for it.
        grades: the grades of reference that will do. A request without a reference asks for the printed card, which
            has to be among them; or, where `witnessed` is the only one, for the attendant's word, and nobody is looked
            at. A terminal that does not know that grade refuses.
        evidence: what to send with the result, sealed to central. A terminal without central's evidence key refuses.
    """

    fmr: FalseMatchRate = FalseMatchRate.ONE_IN_1000
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=8)] = tuple(sorted(DEFAULT_ACTIONS))
    steps: Annotated[int, Field(ge=1, le=8)] = DEFAULT_STEPS
    alternative: Alternative | None = None
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    light: LightChoice = LightChoice.OFF
    grades: Annotated[tuple[Grade | Code, ...], Field(min_length=1, max_length=4)] = (Grade.REQUEST,)
    evidence: EvidenceKinds = ()

    @property
    def is_witnessed(self) -> bool:
        """Whether no face is to be looked at, and the attendant vouches."""
        return self.grades == (Grade.WITNESSED,)


class SealedReference(Claims):
    """The portrait, readable by the one terminal only.

    Attributes:
        sealed: `device.wire.sealing.seal` of the picture file.
        commitment: `device.wire.sealing.commitment` of the picture file; checked after unsealing.
    """

    sealed: Annotated[
        Binary, Field(min_length=SEALING_OVERHEAD_BYTES + 1, max_length=MAX_REFERENCE_BYTES + SEALING_OVERHEAD_BYTES)
    ] = Field(repr=False)
    commitment: Sha256


class RequestClaims(Claims):
    """A request.

    Attributes:
        iss: the central server.
        aud: the terminal.
        jti: the request's id; used once.
        iat: seconds since 1970.
        exp: seconds since 1970; not to be begun from then on.
        boot: the boot id of the terminal that this request is for.
        nonce: drawn for this request; the plan is derived from it.
    """

    iss: Name
    aud: TerminalId
    jti: Uuid7
    iat: UnixTime
    exp: UnixTime
    boot: Uuid
    nonce: Nonce = Field(repr=False)
    purpose: Code
    outlet: Name
    attendant: Name
    transaction: Name
    subject: Name = Field(repr=False)
    policy: Policy
    reference: SealedReference | None = None

    @property
    def grade(self) -> Grade:
        """The grade of the reference that is to be compared."""
        if self.reference is not None:
            return Grade.REQUEST
        return Grade.WITNESSED if self.policy.is_witnessed else Grade.CARD

    def echo(self) -> RequestEcho:
        """What the result has to repeat."""
        return RequestEcho(
            id=self.jti,
            purpose=self.purpose,
            outlet=self.outlet,
            attendant=self.attendant,
            transaction=self.transaction,
            subject=self.subject,
        )
