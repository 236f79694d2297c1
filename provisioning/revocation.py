"""The broker's revocation list: an expired one locks everybody out, so the alarm comes well before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALARM = timedelta(days=14)


class RevocationListError(ValueError):
    """The list, or the authority that should have signed it, cannot be read; the message is one line."""


@dataclass(frozen=True, slots=True)
class ListState:
    """What a look at the list found: whether all is well, and one line that says what is and what to do."""

    well: bool
    sentence: str


def look_at_list(path: Path, authority: Path, now: datetime, alarm: timedelta = ALARM) -> ListState:
    """Says how long the list serves; raises RevocationListError."""
    listed, issuer = _read(path, authority)
    until = listed.next_update_utc
    if not _is_signed_by(listed, issuer):
        return ListState(well=False, sentence=f"{path}: not signed by {authority}: the broker lets nobody in")
    if until is None:
        return ListState(well=False, sentence=f"{path}: does not say until when it serves: issue it with a next update")
    if listed.last_update_utc > now:
        return ListState(
            well=False, sentence=f"{path}: begins to serve on {listed.last_update_utc:%Y-%m-%d %H:%M} UTC only"
        )
    if until <= now:
        sentence = (
            f"{path}: EXPIRED on {until:%Y-%m-%d %H:%M} UTC: the broker lets nobody in; issue a new one, then reload"
        )
        return ListState(well=False, sentence=sentence)
    left = until - now
    sentence = f"{path}: {len(listed)} revoked, serves for {left.days} more days, until {until:%Y-%m-%d %H:%M} UTC"
    if left < alarm:
        return ListState(well=False, sentence=f"{sentence}: issue a new one and reload the broker")
    return ListState(well=True, sentence=sentence)


def _is_signed_by(listed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether the signature holds; a key of a kind that signs no lists, as of X25519, has signed none."""
    key = issuer.public_key()
    if not isinstance(key, Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey):
        return False
    return listed.is_signature_valid(key)


def _read(path: Path, authority: Path) -> tuple[x509.CertificateRevocationList, x509.Certificate]:
    at = path
    try:
        listed = x509.load_pem_x509_crl(path.read_bytes())
        at = authority
        return listed, x509.load_pem_x509_certificate(authority.read_bytes())
    except OSError as error:
        raise RevocationListError(f"{at}: cannot be read: {error.strerror or error}") from None
    except ValueError:
        what = "a revocation list" if at is path else "a certificate"
        raise RevocationListError(f"{at}: not {what} in PEM form") from None
