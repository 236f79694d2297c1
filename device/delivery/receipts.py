"""Receipts: only what central signed for this terminal lets a result leave the outbox."""

from __future__ import annotations

from device.wire.envelope import EnvelopeError, Kind, VerificationKeys, open_envelope
from device.wire.fields import ClaimsError
from device.wire.receipt import ReceiptClaims, ReceiptEntry


class ReceiptRefusedError(ValueError):
    """The receipt does not count; the message is its reason code."""


def open_receipt(raw: bytes, terminal: str, signers: VerificationKeys) -> tuple[ReceiptEntry, ...]:
    """Verifies a receipt and returns its entries; raises ReceiptRefusedError.

    A replayed receipt does no harm: it names digests, and a digest names one result of one chain.
    """
    try:
        claims = ReceiptClaims.read(open_envelope(raw, Kind.RECEIPT, signers).payload)
    except EnvelopeError as error:
        raise ReceiptRefusedError(error.fault.value) from None
    except ClaimsError:
        raise ReceiptRefusedError("malformed") from None
    if claims.aud != terminal:
        raise ReceiptRefusedError("other-terminal")
    return claims.entries
