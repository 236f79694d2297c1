"""One-time tokens. Their secrets are derived from the vault's: nothing else on the authority's disk is worth one."""

from __future__ import annotations

import hmac
import os
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from device.wire.enrolment import Server, Token, TokenProof, token_proof
from provisioning.authority import OpenAuthority, check_clock
from provisioning.records import Records
from provisioning.vault import ProvisioningError

LIFETIME = timedelta(days=7)


def make_token(
    authority: OpenAuthority,
    records: Records,
    terminal: str,
    now: datetime,
    lifetime: timedelta = LIFETIME,
    server: tuple[str, int] | None = None,
) -> Token:
    """Makes a token for a terminal; an unused one before it is void from now on."""
    check_clock(now)
    known = records.terminal(terminal)
    identifier, expires = os.urandom(8), int((now + lifetime).timestamp())
    with records.change() as database:
        database.execute("DELETE FROM tokens WHERE terminal = ? AND used_by IS NULL", (known.id,))
        database.execute("INSERT INTO tokens VALUES (?, ?, ?, NULL)", (identifier.hex(), known.id, expires))
    return Token(
        terminal=known.id,
        id=identifier,
        secret=_secret(authority, identifier, known.id),
        expires=expires,
        root=authority.root.kid,
        server=None if server is None else Server(host=server[0], port=server[1], pin=authority.pin),
    )


def check_token(
    authority: OpenAuthority, records: Records, shown: TokenProof, terminal: str, request: str, now: datetime
) -> None:
    """Checks that a token vouches for this request of `terminal`; raises ProvisioningError."""
    again = f"make a new one: likeness-provision token {terminal}"
    known = records.token(shown.id.hex())
    if known is None:
        raise ProvisioningError(f"the token is unknown here or was replaced: {again}")
    owner, expires, used_by = known
    if owner != terminal:
        raise ProvisioningError(f"the token is for terminal {owner}, the request is from {terminal}: use its own token")
    if not hmac.compare_digest(shown.proof, token_proof(_secret(authority, shown.id, owner), request)):
        raise ProvisioningError("the request was not made with the token that it names")
    if used_by is not None and used_by != request:
        raise ProvisioningError(f"the token was used already, by another request: {again}")
    if used_by is None and now.timestamp() >= expires:
        raise ProvisioningError(
            f"the token expired on {datetime.fromtimestamp(expires, UTC):%Y-%m-%d %H:%M} UTC: {again}"
        )


def _secret(authority: OpenAuthority, identifier: bytes, terminal: str) -> bytes:
    info = b"likeness/v1/token\0" + identifier + terminal.encode()
    return HKDF(hashes.SHA256(), 16, None, info).derive(authority.tokens)
