"""Sealing bytes to one key (HPKE, RFC 9180, base mode), and committing to a picture without showing it.

HPKE does not say who sealed: what is sealed is only as trustworthy as the signed envelope around it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

MAX_REFERENCE_BYTES = 60 * 1024
SEALING_OVERHEAD_BYTES = 48
"""A 32-byte encapsulated key before, and a 16-byte tag after the ciphertext."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class SealingError(ValueError):
    """Sealed bytes cannot be opened: made for another key or context, or changed."""


@dataclass(frozen=True, slots=True)
class SealingContext:
    """What sealed bytes are bound to, so that they open nowhere else.

    Attributes:
        kind: what is sealed: `reference` or `evidence`.
        subject: id of the request, or of the result.
        terminal: id of the terminal.
        purpose: the request's purpose.
        direction: `to-terminal` or `to-central`.
    """

    kind: str
    subject: str
    terminal: str
    purpose: str
    direction: str

    def info(self) -> bytes:
        """HPKE's `info`: every field after its length in two bytes, big endian."""
        fields = ("likeness/v1/seal", self.kind, self.subject, self.terminal, self.purpose, self.direction)
        return b"".join(len(raw).to_bytes(2, "big") + raw for raw in (field.encode() for field in fields))


def reference_context(*, request: str, terminal: str, purpose: str) -> SealingContext:
    """The context of a reference that central sends with a request."""
    return SealingContext("reference", request, terminal, purpose, "to-terminal")


def evidence_context(*, result: str, terminal: str, purpose: str) -> SealingContext:
    """The context of the evidence that a terminal sends with a result."""
    return SealingContext("evidence", result, terminal, purpose, "to-central")


def seal(plaintext: bytes, recipient: X25519PublicKey, context: SealingContext) -> bytes:
    """Returns encapsulated key (32 bytes), ciphertext and tag (16 bytes), in this order."""
    return _SUITE.encrypt(plaintext, recipient, context.info())


def unseal(sealed: bytes, key: X25519PrivateKey, context: SealingContext) -> bytes:
    """Returns the plaintext; raises SealingError."""
    try:
        return _SUITE.decrypt(sealed, key, context.info())
    except InvalidTag:
        raise SealingError("cannot be opened with this key in this context") from None


def commitment(reference: bytes, nonce: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) of the picture file, keyed with the request's nonce; 64 hexadecimal digits.

    A bare hash would tell everybody who holds the same portrait that it was used.
    """
    return hmac.new(nonce, b"likeness/v1/reference\0" + reference, hashlib.sha256).hexdigest()
