"""The judge: takes one message from a terminal's result topic and decides custody and verdict."""

from __future__ import annotations

import hashlib
import logging

from central.assessment import Distrust, contradiction, disagreement
from central.custody import Custody, OpenGap
from central.ledger import Ledger
from central.registry import Registry
from device.wire.chain import ChainPosition, Standing, classify
from device.wire.claims import ResultClaims, ResultPlace
from device.wire.envelope import Envelope, EnvelopeError, Fault, Kind, VerificationKeys, open_envelope
from device.wire.fields import ClaimsError
from device.wire.receipt import ReceiptEntry, Verdict
from device.wire.request import RequestClaims

LOG = logging.getLogger(__name__)
_UNLINKED = {
    Standing.FORK: Distrust.FORK,
    Standing.STALE_EPOCH: Distrust.STALE_EPOCH,
    Standing.UNANCHORED_EPOCH: Distrust.UNANCHORED_EPOCH,
}


class Judge:
    """Verifies results against registry, ledger and themselves; call `judge` inside `Ledger.batch`."""

    def __init__(self, registry: Registry, ledger: Ledger, own_requests: VerificationKeys, *, rehearsal: bool) -> None:
        self._registry, self._ledger, self._rehearsal = registry, ledger, rehearsal
        self._own_requests = own_requests

    def judge(self, terminal: str, raw: bytes, now: int) -> ReceiptEntry | None:
        """Takes `raw`, from `terminal`'s own topic, into custody.

        Returns:
            The entry for the receipt; None when the message cannot be verified: nobody is owed a receipt for it.
        """
        try:
            envelope = open_envelope(raw, Kind.RESULT, self._registry.keys)
            place = ResultPlace.read(envelope.payload)
        except EnvelopeError as error:
            self._refuse(terminal, raw, error.fault.value, now)
            return None
        except ClaimsError:
            self._refuse(terminal, raw, Fault.MALFORMED.value, now)
            return None
        if not self._registry.owners[envelope.kid].terminal == terminal == place.iss:
            self._refuse(terminal, raw, "other-terminal", now)
            return None
        known = self._ledger.find(envelope.sha256)
        if known is None:
            known = self._examine(terminal, envelope, ChainPosition(place.epoch, place.seq, place.prev), now)
            self._ledger.take(known)
            LOG.info(
                "result terminal=%s epoch=%d seq=%d outcome=%s verdict=%s reason=%s",
                terminal, place.epoch, place.seq, known.outcome, known.verdict, known.reason,
            )  # fmt: skip
        return ReceiptEntry(
            epoch=place.epoch, seq=place.seq, sha256=known.sha256, verdict=known.verdict, reason=known.reason
        )

    def _refuse(self, terminal: str, raw: bytes, reason: str, now: int) -> None:
        LOG.warning("message refused terminal=%s reason=%s bytes=%d", terminal, reason, len(raw))
        self._ledger.refuse(terminal, hashlib.sha256(raw).hexdigest(), reason, now)

    def _examine(self, terminal: str, envelope: Envelope, position: ChainPosition, now: int) -> Custody:
        standing = self._stand(terminal, position, envelope.sha256, now)
        claims: ResultClaims | None = None
        reason: Distrust | None
        try:
            claims = ResultClaims.read(envelope.payload)
            reason = _UNLINKED.get(standing) or self._distrust(claims, envelope.kid)
        except ClaimsError:
            reason = _UNLINKED.get(standing, Distrust.MALFORMED_CLAIMS)
        return Custody(
            terminal=terminal,
            position=position,
            sha256=envelope.sha256,
            linked=standing not in _UNLINKED,
            verdict=Verdict.QUARANTINED if reason else Verdict.ACCEPTED,
            reason=reason.value if reason else None,
            received=now,
            envelope=envelope.raw,
            outcome=claims.outcome if claims else "",
            source=claims.capture.source if claims else "",
            request=claims.request.id if claims and claims.request else None,
        )

    def _stand(self, terminal: str, position: ChainPosition, sha256: str, now: int) -> Standing:
        """Classifies the place, and notes or fills gaps."""
        epoch = self._registry.terminals[terminal].epoch
        known = self._ledger.surroundings(terminal, epoch, position)
        standing = classify(position, sha256, known)
        if standing is Standing.GAP:
            gap = OpenGap(terminal, position.epoch, known.head.seq + 1, position.seq - 1)
            LOG.warning("gap terminal=%s epoch=%d first=%d last=%d", terminal, gap.epoch, gap.first, gap.last)
            self._ledger.open_gap(gap, now)
        elif standing is Standing.FILLS_GAP:
            self._ledger.fill_gap(terminal, position.epoch, position.seq)
        return standing

    def _distrust(self, claims: ResultClaims, kid: str) -> Distrust | None:
        if self._registry.owners[kid].revoked:
            return Distrust.REVOKED
        if not claims.is_live and not self._rehearsal:
            return Distrust.NOT_LIVE
        return contradiction(claims) or self._against_request(claims)

    def _against_request(self, claims: ResultClaims) -> Distrust | None:
        if claims.request is None:
            return None
        raw = self._ledger.request(claims.request.id)
        if raw is None:
            return Distrust.UNKNOWN_REQUEST
        try:
            request = RequestClaims.read(open_envelope(raw, Kind.REQUEST, self._own_requests).payload)
        except EnvelopeError:  # made with a key that is no longer central's
            return Distrust.UNKNOWN_REQUEST
        if self._ledger.answers(request.jti) >= request.policy.attempts:
            return Distrust.TOO_MANY_RESULTS
        return disagreement(claims, request)
