"""Verification without storage, for servers that keep results in a place of their own; docs/central.md shows how.

Two steps. `open_result` needs the message and the registry only: most of the work, and it can be done anywhere.
`judge` needs to know what is held around the result's place and what was asked; from there on it decides custody.
Nothing here reads a clock, a file or a network.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from central.assessment import Asked, Distrust, contradiction, disagreement
from central.registry import Registry
from device.wire.anchor import AnchorClaims
from device.wire.chain import ChainPosition, Standing, Surroundings, classify
from device.wire.claims import ResultClaims, ResultPlace
from device.wire.envelope import Envelope, EnvelopeError, Fault, Kind, SigningKey, open_envelope, sign
from device.wire.fields import ClaimsError
from device.wire.receipt import MAX_ENTRIES, ReceiptClaims, ReceiptEntry, Verdict

_UNLINKED = {
    Standing.FORK: Distrust.FORK,
    Standing.STALE_EPOCH: Distrust.STALE_EPOCH,
    Standing.UNANCHORED_EPOCH: Distrust.UNANCHORED_EPOCH,
}


class RefusedError(ValueError):
    """A message that cannot be verified: nobody is owed a receipt for it. Its text is the reason, a code."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A result or an anchor (seq 0) whose signature holds, from the terminal whose topic it came on.

    Attributes:
        sha256: digest of the envelope.
        position: its place in the terminal's chain.
        claims: of a result; None for an anchor, and when they cannot be read, as those of a later version.
        distrust: what it says against itself; chain and request are not looked at yet.
    """

    terminal: str
    envelope: Envelope = field(repr=False)
    sha256: str
    position: ChainPosition
    claims: ResultClaims | None
    distrust: Distrust | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a result stands, and what central thinks of it.

    Attributes:
        standing: its place; a duplicate is to be receipted with the verdict it had and not kept again.
        distrust: why it is quarantined; None when it is accepted.
    """

    standing: Standing
    distrust: Distrust | None

    @property
    def linked(self) -> bool:
        """Whether it holds its place in the chain."""
        return self.standing not in _UNLINKED

    @property
    def verdict(self) -> Verdict:
        """What the receipt says."""
        return Verdict.QUARANTINED if self.distrust else Verdict.ACCEPTED


def open_result(raw: bytes, terminal: str, registry: Registry, *, rehearsal: bool = False) -> Opened:
    """Verifies `raw`, which came on `terminal`'s own result topic.

    Args:
        raw: the envelope as it arrived.
        terminal: the terminal that the topic names.
        registry: every terminal with its keys.
        rehearsal: also believe results that come from no camera; never in production.

    Raises:
        RefusedError: the message cannot be verified: count it, keep nothing, send no receipt.
    """
    try:
        envelope = _open(raw, registry)
        signer, position = _place(envelope)
    except EnvelopeError as error:
        raise RefusedError(error.fault.value) from None
    except ClaimsError:
        raise RefusedError(Fault.MALFORMED.value) from None
    owner = registry.owners[envelope.kid]
    if not owner.terminal == terminal == signer:
        raise RefusedError("other-terminal")
    claims, distrust = None, None
    if envelope.kind is Kind.RESULT:
        try:
            claims = ResultClaims.read(envelope.payload)
            distrust = _against_itself(claims, rehearsal=rehearsal)
        except ClaimsError:
            distrust = Distrust.MALFORMED_CLAIMS
    if owner.revoked:
        distrust = Distrust.REVOKED
    return Opened(terminal, envelope, envelope.sha256, position, claims, distrust)


def judge(opened: Opened, known: Surroundings, asked: Asked | None = None, answers: int = 0) -> Judgement:
    """Decides what becomes of a result.

    Args:
        opened: from `open_result`.
        known: what is held around its place.
        asked: the request that `opened.claims.request` names; None when it was never made.
        answers: how many accepted results that request has.
    """
    standing = classify(opened.position, opened.sha256, known)
    distrust = _UNLINKED.get(standing) or opened.distrust
    if distrust is None and opened.claims is not None and opened.claims.request is not None:
        distrust = _against_request(opened.claims, asked, answers)
    return Judgement(standing, distrust)


def sign_receipt(
    central: str, terminal: str, entries: tuple[ReceiptEntry, ...], now: int, key: SigningKey
) -> list[Envelope]:
    """Signs the receipts of one terminal: one for each 256 entries; to be sent once the results are on the disk."""
    receipts = []
    for start in range(0, len(entries), MAX_ENTRIES):
        some = entries[start : start + MAX_ENTRIES]
        receipts.append(
            sign(Kind.RECEIPT, ReceiptClaims(iss=central, aud=terminal, iat=now, entries=some).write(), key)
        )
    return receipts


def digest(raw: bytes) -> str:
    """The digest under which a message that was refused is counted."""
    return hashlib.sha256(raw).hexdigest()


def _open(raw: bytes, registry: Registry) -> Envelope:
    try:
        return open_envelope(raw, Kind.RESULT, registry.keys)
    except EnvelopeError as error:
        if error.fault is not Fault.WRONG_TYPE:
            raise
        return open_envelope(raw, Kind.ANCHOR, registry.keys)


def _place(envelope: Envelope) -> tuple[str, ChainPosition]:
    if envelope.kind is Kind.ANCHOR:
        anchor = AnchorClaims.read(envelope.payload)
        return anchor.iss, anchor.position
    place = ResultPlace.read(envelope.payload)
    return place.iss, ChainPosition(place.epoch, place.seq, place.prev)


def _against_itself(claims: ResultClaims, *, rehearsal: bool) -> Distrust | None:
    if not claims.is_live and not rehearsal:
        return Distrust.NOT_LIVE
    return contradiction(claims)


def _against_request(claims: ResultClaims, asked: Asked | None, answers: int) -> Distrust | None:
    if asked is None:
        return Distrust.UNKNOWN_REQUEST
    distrust = disagreement(claims, asked)
    if distrust is None and answers >= asked.policy.attempts:
        return Distrust.TOO_MANY_RESULTS
    return distrust
