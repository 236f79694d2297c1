"""The desk: makes a signed request with the reference sealed to the one terminal that is to use it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from central.connection import Connection
from central.messages import open_message
from central.registry import Registry
from central.verify import RefusedError
from device.wire.birth import BirthClaims, Presence
from device.wire.command import Command, CommandClaims
from device.wire.envelope import Envelope, Kind, SigningKey, sign
from device.wire.fields import uuid7
from device.wire.request import Policy, RequestClaims, SealedReference
from device.wire.sealing import MAX_REFERENCE_BYTES, commitment, reference_context, seal

PICTURE_MARKS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class DeskError(RuntimeError):
    """The request cannot be made; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What is asked of a terminal.

    Attributes:
        subject: the customer's pseudonym, never a document's number.
        reference: an encoded picture (JPEG or PNG), or None for the printed card, which the policy has to allow.
        lifetime_s: seconds during which the session may begin.
    """

    terminal: str
    purpose: str
    outlet: str
    attendant: str
    transaction: str
    subject: str = field(repr=False)
    policy: Policy
    reference: bytes | None = field(repr=False)
    lifetime_s: int = 300


def read_picture(path: Path) -> bytes:
    """Reads a reference; raises DeskError when it is no JPEG or PNG, or too large to send."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_REFERENCE_BYTES + 1)
    except OSError as error:
        raise DeskError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not raw.startswith(PICTURE_MARKS):
        raise DeskError(f"{path}: is not a JPEG or PNG picture")
    if len(raw) > MAX_REFERENCE_BYTES:
        raise DeskError(f"{path}: is larger than {MAX_REFERENCE_BYTES // 1024} KiB: scale the portrait down")
    return raw


def wait_for_birth(
    connection: Connection,
    terminal: str,
    registry: Registry,
    limit_s: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> BirthClaims:
    """Waits for the terminal to be on the line, as its retained status says; raises DeskError."""
    deadline = monotonic() + limit_s
    while (remaining := deadline - monotonic()) > 0:
        for delivery in connection.collect(1, remaining):
            connection.acknowledge(delivery)
            try:
                _, birth = open_message(delivery.payload, terminal, registry, BirthClaims)
            except RefusedError:
                continue
            if birth.presence == Presence.ONLINE:
                return birth
    raise DeskError(f"terminal {terminal} is not on the line: start it, or give it more time with --wait")


def make_request(
    errand: Errand, boot: str, central: str, registry: Registry, key: SigningKey, now: float
) -> tuple[RequestClaims, Envelope]:
    """Draws nonce and id, seals the reference and signs; `now` is seconds since 1970."""
    nonce = secrets.token_bytes(32)
    request = uuid7(int(now * 1000), secrets.token_bytes(10))
    reference = None
    if errand.reference is not None:
        context = reference_context(request=request, terminal=errand.terminal, purpose=errand.purpose)
        reference = SealedReference(
            sealed=seal(errand.reference, registry.unsealing_key(errand.terminal), context),
            commitment=commitment(errand.reference, nonce),
        )
    claims = RequestClaims(
        iss=central,
        aud=errand.terminal,
        jti=request,
        iat=int(now),
        exp=int(now) + errand.lifetime_s,
        boot=boot,
        nonce=nonce,
        purpose=errand.purpose,
        outlet=errand.outlet,
        attendant=errand.attendant,
        transaction=errand.transaction,
        subject=errand.subject,
        policy=errand.policy,
        reference=reference,
    )
    return claims, sign(Kind.REQUEST, claims.write(), key)


def make_command(
    command: Command, terminal: str, boot: str, counter: int, central: str, key: SigningKey, now: float, lifetime_s: int
) -> tuple[CommandClaims, Envelope]:
    """Draws an id and signs; `now` is seconds since 1970."""
    claims = CommandClaims(
        iss=central,
        aud=terminal,
        jti=uuid7(int(now * 1000), secrets.token_bytes(10)),
        iat=int(now),
        exp=int(now) + lifetime_s,
        boot=boot,
        counter=counter,
        command=command,
    )
    return claims, sign(Kind.COMMAND, claims.write(), key)
