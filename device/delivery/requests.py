"""The request desk: nothing begins before signature, audience, boot, expiry, policy, use and reference are checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from device.delivery.clocks import Instant
from device.delivery.keys import TerminalKeys
from device.delivery.outbox import Outbox
from device.wire.claims import Grade, ReferenceMark, RequestEcho
from device.wire.envelope import EnvelopeError, Fault, Kind, open_envelope
from device.wire.evidence import EvidenceKind
from device.wire.fields import ClaimsError, FalseMatchRate, uuid7
from device.wire.plan import PlanError, guess_probability
from device.wire.request import Policy, RequestClaims
from device.wire.sealing import SealingError, commitment, reference_context, unseal


class Refusal(StrEnum):
    """Why a request is not begun; envelope faults have their own words (`device.wire.envelope.Fault`)."""

    MALFORMED = "malformed"
    OTHER_TERMINAL = "other-terminal"
    OTHER_BOOT = "other-boot"
    EXPIRED = "expired"
    USED = "used"
    POLICY_TOO_WEAK = "policy-too-weak"
    REFERENCE_NOT_FOR_US = "reference-not-for-us"
    GRADE_NOT_ASKED_FOR = "grade-not-asked-for"
    EVIDENCE_NOT_POSSIBLE = "evidence-not-possible"


_SENTENCES = {
    Refusal.MALFORMED: "The request cannot be read.",
    Refusal.OTHER_TERMINAL: "The request is for another terminal.",
    Refusal.OTHER_BOOT: "The request was made before this terminal was last started: central has to ask again.",
    Refusal.EXPIRED: "The request has expired: central has to ask again.",
    Refusal.USED: "The request was used before.",
    Refusal.POLICY_TOO_WEAK: "The request asks for less certainty than this terminal allows.",
    Refusal.GRADE_NOT_ASKED_FOR: "The request has no reference, and does not allow the printed card instead.",
    Refusal.EVIDENCE_NOT_POSSIBLE: "The request asks for evidence that this terminal cannot give.",
    Refusal.REFERENCE_NOT_FOR_US: "The reference was sealed for another terminal or request, or was changed.",
}


_NOT_BELIEVED = {*(fault.value for fault in Fault), Refusal.MALFORMED.value, Refusal.OTHER_TERMINAL.value}


class RequestRefusedError(ValueError):
    """A request is not begun: `reason` for machines, `sentence` for people; `believed` when it came from central."""

    def __init__(self, reason: str, sentence: str) -> None:
        self.reason, self.sentence = reason, sentence
        self.believed = reason not in _NOT_BELIEVED
        super().__init__(f"{reason}: {sentence}")


@dataclass(frozen=True, slots=True)
class PolicyFloor:
    """What no request may go below: the false match rate, and the chance of guessing the plan."""

    fmr: FalseMatchRate
    guess_probability: float = 0.1


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """What a session may begin with. Its text form shows the id and what it is for, nothing secret.

    Attributes:
        id: the request's id, used up from now on.
        echo: what the result has to repeat; None offline: nobody asked.
        nonce: the plan is derived from it.
        policy: how to judge.
        reference: the portrait, an encoded picture file; None when the printed card is to be read.
        mark: the reference as the result names it.
    """

    id: str
    echo: RequestEcho | None
    nonce: bytes = field(repr=False)
    policy: Policy
    reference: bytes | None = field(repr=False)
    mark: ReferenceMark | None


class RequestDesk:
    """Checks requests for one terminal during one boot."""

    def __init__(self, keys: TerminalKeys, boot: str, outbox: Outbox, floor: PolicyFloor) -> None:
        self._keys, self._boot, self._outbox, self._floor = keys, boot, outbox, floor

    def accept(self, raw: bytes, now: float | None) -> AcceptedRequest:
        """Checks an envelope, uses the request up and unseals its reference.

        Call it when the terminal is free: central repeats a request until it is answered.

        Args:
            raw: as it came from the broker.
            now: seconds since 1970; None when the clock is not to be believed. Then expiry is not checked: the
                boot id and the used ids still bar an old request.

        Raises:
            RequestRefusedError: with the first reason found.
            OutboxError: the use cannot be written down.
        """
        claims = self._read(raw)
        self._check(claims, now)
        reference = self._unsealed(claims)
        if not self._outbox.use(claims.jti, self._boot):
            raise _refused(Refusal.USED)
        sealed = claims.reference
        mark = ReferenceMark(commitment=sealed.commitment, grade=Grade.REQUEST) if sealed else None
        return AcceptedRequest(claims.jti, claims.echo(), claims.nonce, claims.policy, reference, mark)

    def offline(self, now: Instant, random: bytes) -> AcceptedRequest:
        """What a session begins with that nobody asked for: one attempt, against the printed card.

        Id and nonce are the terminal's own, made of `now` and 42 random bytes.
        """
        id_ = uuid7(max(0, int(now.unix_s * 1000)), random[:10])
        policy = Policy(fmr=self._floor.fmr, attempts=1, grades=(Grade.CARD,))
        return AcceptedRequest(id_, None, random[10:], policy, None, None)

    def _read(self, raw: bytes) -> RequestClaims:
        try:
            return RequestClaims.read(open_envelope(raw, Kind.REQUEST, self._keys.request_signers).payload)
        except EnvelopeError as error:
            raise RequestRefusedError(error.fault.value, "The request is not genuine, or too long.") from None
        except ClaimsError:
            raise _refused(Refusal.MALFORMED) from None

    def _check(self, claims: RequestClaims, now: float | None) -> None:
        if claims.aud != self._keys.terminal:
            raise _refused(Refusal.OTHER_TERMINAL)
        if claims.boot != self._boot:
            raise _refused(Refusal.OTHER_BOOT)
        if now is not None and now >= claims.exp:
            raise _refused(Refusal.EXPIRED)
        try:
            guess = guess_probability(claims.policy.actions, claims.policy.steps)
            other = claims.policy.alternative
            other_guess = 0.0 if other is None else guess_probability(other.actions, other.steps)
        except PlanError:
            raise _refused(Refusal.POLICY_TOO_WEAK) from None
        too_easy = guess > self._floor.guess_probability or other_guess > guess
        if claims.policy.fmr.rate > self._floor.fmr.rate or too_easy:
            raise _refused(Refusal.POLICY_TOO_WEAK)
        if claims.grade not in claims.policy.grades:
            raise _refused(Refusal.GRADE_NOT_ASKED_FOR)
        evidence = set(claims.policy.evidence)
        if evidence and (
            claims.policy.is_witnessed or self._keys.evidence_recipient is None or not evidence <= set(EvidenceKind)
        ):
            raise _refused(Refusal.EVIDENCE_NOT_POSSIBLE)
        if self._outbox.is_used(claims.jti):
            raise _refused(Refusal.USED)

    def _unsealed(self, claims: RequestClaims) -> bytes | None:
        if claims.reference is None:
            return None
        context = reference_context(request=claims.jti, terminal=claims.aud, purpose=claims.purpose)
        try:
            reference = unseal(claims.reference.sealed, self._keys.unsealing_key, context)
        except SealingError:
            raise _refused(Refusal.REFERENCE_NOT_FOR_US) from None
        if commitment(reference, claims.nonce) != claims.reference.commitment:
            raise _refused(Refusal.REFERENCE_NOT_FOR_US)
        return reference


def _refused(reason: Refusal) -> RequestRefusedError:
    return RequestRefusedError(reason.value, _SENTENCES[reason])
