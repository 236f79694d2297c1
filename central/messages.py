"""What terminals say beside their results: births, health, replies, evidence. Each is verified before it is read."""

from __future__ import annotations

from typing import TypeVar

from central.registry import Registry
from central.verify import RefusedError
from device.wire.birth import BirthClaims
from device.wire.command import ReplyClaims
from device.wire.envelope import Envelope, EnvelopeError, Fault, Kind, open_envelope
from device.wire.evidence import EvidenceClaims
from device.wire.fields import ClaimsError
from device.wire.health import HealthClaims

Said = TypeVar("Said", BirthClaims, HealthClaims, ReplyClaims, EvidenceClaims)
KINDS: dict[type, Kind] = {
    BirthClaims: Kind.BIRTH,
    HealthClaims: Kind.HEALTH,
    ReplyClaims: Kind.REPLY,
    EvidenceClaims: Kind.EVIDENCE,
}


def open_message(raw: bytes, terminal: str, registry: Registry, said: type[Said]) -> tuple[Envelope, Said]:
    """Verifies a message that came on a topic of `terminal`; raises RefusedError, also for a revoked key."""
    try:
        envelope = open_envelope(raw, KINDS[said], registry.keys)
        claims = said.read(envelope.payload)
    except EnvelopeError as error:
        raise RefusedError(error.fault.value) from None
    except ClaimsError:
        raise RefusedError(Fault.MALFORMED.value) from None
    owner = registry.owners[envelope.kid]
    if not owner.terminal == terminal == claims.iss:
        raise RefusedError("other-terminal")
    if owner.revoked:
        raise RefusedError("revoked")
    return envelope, claims
