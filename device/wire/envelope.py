"""The envelope of every trusted message: a JWS in compact form (RFC 7515), signed with Ed25519 (RFC 9864).

Algorithm and type are pinned by the reader, the key comes from the reader's registry, and the signature is
checked over the very bytes that arrived.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from device.wire.fields import decode_base64url, unique_members

ALGORITHM = "Ed25519"
MAX_HEADER_CHARACTERS = 256

VerificationKeys = Mapping[str, Ed25519PublicKey]
"""Key id -> public key: the reader's registry."""


class Kind(StrEnum):
    """What is in an envelope; the value is its `typ`."""

    AUTHORITY = "likeness-authority+jwt"
    IDENTITY = "likeness-identity+jwt"
    ENROLMENT = "likeness-enrolment+jwt"
    APPROVAL = "likeness-approval+jwt"
    RESULT = "likeness-result+jwt"
    BIRTH = "likeness-birth+jwt"
    REQUEST = "likeness-request+jwt"
    RECEIPT = "likeness-receipt+jwt"
    COMMAND = "likeness-command+jwt"
    REPLY = "likeness-reply+jwt"
    HEALTH = "likeness-health+jwt"
    EVIDENCE = "likeness-evidence+jwt"
    ANCHOR = "likeness-anchor+jwt"
    UPDATE = "likeness-update+jwt"

    @property
    def max_bytes(self) -> int:
        """Size of the longest envelope of this kind."""
        return _MAX_BYTES[self]


_MAX_BYTES = {
    Kind.AUTHORITY: 16 * 1024,
    Kind.IDENTITY: 8 * 1024,
    Kind.ENROLMENT: 4 * 1024,
    Kind.APPROVAL: 1024,
    Kind.RESULT: 16 * 1024,
    Kind.BIRTH: 4 * 1024,
    Kind.REQUEST: 120 * 1024,
    Kind.RECEIPT: 96 * 1024,
    Kind.COMMAND: 4 * 1024,
    Kind.REPLY: 4 * 1024,
    Kind.HEALTH: 4 * 1024,
    Kind.EVIDENCE: 176 * 1024,
    Kind.ANCHOR: 4 * 1024,
    Kind.UPDATE: 160 * 1024,
}


class Fault(StrEnum):
    """Why an envelope is not to be trusted."""

    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    WRONG_ALGORITHM = "wrong-algorithm"
    WRONG_TYPE = "wrong-type"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"


class EnvelopeError(ValueError):
    """An envelope is not to be trusted; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.value)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Signed bytes.

    Attributes:
        kind: what it is.
        kid: id of the key that signed.
        payload: the claims, as they were signed.
        raw: the whole envelope, ASCII.
    """

    kind: Kind
    kid: str
    payload: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the whole envelope, 64 hexadecimal digits: what chain and receipts name."""
        return hashlib.sha256(self.raw).hexdigest()


def key_id(key: Ed25519PublicKey) -> str:
    """The key's id: its JWK thumbprint with SHA-256 (RFC 7638), base64url, 43 characters."""
    return OKPKey.import_key(key).thumbprint()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its id."""

    private: Ed25519PrivateKey = field(repr=False)
    kid: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kid", key_id(self.private.public_key()))


def sign(kind: Kind, payload: bytes, key: SigningKey) -> Envelope:
    """Signs `payload`; raises EnvelopeError(OVERSIZED) when nobody would accept the envelope."""
    header = {"alg": ALGORITHM, "typ": kind.value, "kid": key.kid}
    jwk = OKPKey.import_key(key.private)
    raw = jws.serialize_compact(header, payload, jwk, algorithms=[ALGORITHM]).encode()
    if len(raw) > kind.max_bytes:
        raise EnvelopeError(Fault.OVERSIZED)
    return Envelope(kind, key.kid, payload, raw)


def open_envelope(raw: bytes, kind: Kind, keys: VerificationKeys) -> Envelope:
    """Verifies an envelope that must be of `kind` and signed by one of `keys`; raises EnvelopeError."""
    if len(raw) > kind.max_bytes:
        raise EnvelopeError(Fault.OVERSIZED)
    kid = _checked_header(raw, kind)
    key = keys.get(kid)
    if key is None:
        raise EnvelopeError(Fault.UNKNOWN_KEY)
    try:
        opened = jws.deserialize_compact(raw, OKPKey.import_key(key), algorithms=[ALGORITHM], registry=_REGISTRY)
    except JoseError:
        raise EnvelopeError(Fault.BAD_SIGNATURE) from None
    return Envelope(kind, kid, opened.payload, raw)


def kind_among(raw: bytes, kinds: Collection[Kind]) -> Kind:
    """Says as which of `kinds` an envelope is to be opened, where a topic carries several; raises EnvelopeError.

    Nothing is verified: it is what the envelope claims to be, and `open_envelope` pins it.
    """
    if len(raw) > max(kind.max_bytes for kind in kinds):
        raise EnvelopeError(Fault.OVERSIZED)
    claimed = _header(raw)["typ"]
    for kind in kinds:
        if claimed == kind.value:
            return kind
    raise EnvelopeError(Fault.WRONG_TYPE)


def _checked_header(raw: bytes, kind: Kind) -> str:
    """Returns the key id of a header whose `alg` and `typ` are as pinned."""
    header = _header(raw)
    if header["alg"] != ALGORITHM:
        raise EnvelopeError(Fault.WRONG_ALGORITHM)
    if header["typ"] != kind.value:
        raise EnvelopeError(Fault.WRONG_TYPE)
    return str(header["kid"])


def _header(raw: bytes) -> dict[str, Any]:
    """Returns a header that has exactly `alg`, `typ` and `kid`, the last one a string."""
    parts = raw.split(b".", 3)
    if len(parts) != 3 or len(parts[0]) > MAX_HEADER_CHARACTERS or not all(parts):
        raise EnvelopeError(Fault.MALFORMED)
    try:
        header = json.loads(decode_base64url(parts[0].decode("ascii")), object_pairs_hook=unique_members)
    except (ValueError, RecursionError):
        raise EnvelopeError(Fault.MALFORMED) from None
    if not isinstance(header, dict) or header.keys() != {"alg", "typ", "kid"} or not isinstance(header["kid"], str):
        raise EnvelopeError(Fault.MALFORMED)
    return header


class _Registry(jws.JWSRegistry):
    """joserfc's own limit on the payload is lower than our longest envelopes."""

    max_payload_length = max(_MAX_BYTES.values())


_REGISTRY = _Registry(algorithms=[ALGORITHM])
