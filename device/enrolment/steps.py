"""Enrolment and rotation, step by step: each step may be the last before a cut, and is then taken again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.x509.oid import NameOID

from device.delivery.at_rest import passphrase
from device.delivery.keys import (
    RESULT_KEY,
    TLS_KEY,
    UNSEALING_KEY,
    TerminalKeys,
    load_terminal_keys,
    write_private_file,
)
from device.durable import replace_file
from device.enrolment.generations import Generations
from device.enrolment.identity import (
    REQUEST,
    TRUST,
    Trust,
    accept_bundle,
    certificate_of,
    installed_identity,
    read_trust,
)
from device.settings import SettingsError
from device.wire.enrolment import (
    EnrolmentClaims,
    EnrolmentError,
    IdentityClaims,
    Token,
    read_request,
    write_request,
)
from device.wire.envelope import SigningKey
from device.wire.keys import private_pem

RENEWAL_SHARE = 1 / 3
"""A certificate is renewed when less than this share of its life is left."""


def is_enrolled_by(generations: Generations, token: Token) -> bool:
    """Whether the keys in use came by this very token."""
    current = generations.current
    return current is not None and read_trust(current).token == token.id.hex()


def prepare_enrolment(generations: Generations, token: Token) -> bytes:
    """Returns the request file for a token; keys are made the first time only."""
    pending = generations.pending
    if pending is None or read_trust(pending).token != token.id.hex() or _is_rotation(pending):
        trust = Trust(root=token.root, server=token.server, token=token.id.hex())
        result, unsealing = SigningKey(Ed25519PrivateKey.generate()), X25519PrivateKey.generate()
        pending = generations.begin(lambda folder: _fill(folder, token.terminal, result, unsealing, trust, token))
    return (pending / REQUEST).read_bytes()


def current_keys(generations: Generations) -> TerminalKeys:
    """The keys in use; raises EnrolmentError."""
    if generations.current is None:
        raise EnrolmentError(f"{generations.keys}: this terminal is not enrolled: likeness-terminal enrol comes first")
    try:
        return load_terminal_keys(generations.current)
    except SettingsError as error:
        raise EnrolmentError(str(error)) from None


def prepare_rotation(generations: Generations, *, new_keys: bool) -> bytes:
    """Returns the request file of a rotation, approved by the result key in use; a pending one goes on."""
    keys, pending = current_keys(generations), generations.pending
    # A request with new keys may have been answered already: it is never given up for a smaller one.
    if pending is None or (new_keys and not _has_new_keys(pending, keys)):
        result = SigningKey(Ed25519PrivateKey.generate()) if new_keys else keys.result_key
        unsealing = X25519PrivateKey.generate() if new_keys else keys.unsealing_key
        trust, voucher = read_trust(generations.keys), keys.result_key
        pending = generations.begin(lambda folder: _fill(folder, keys.terminal, result, unsealing, trust, voucher))
    return (pending / REQUEST).read_bytes()


def finish(generations: Generations, bundle: bytes, now: datetime) -> IdentityClaims:
    """Checks the authority's answer and puts the pending keys in use; raises EnrolmentError and changes nothing."""
    pending = generations.pending
    if pending is None:
        raise EnrolmentError("this terminal waits for no bundle: make a request first (likeness-terminal enrol --out)")
    identity = accept_bundle(pending, bundle, generations.current, now)
    generations.install()
    return identity


def renewal_due(generations: Generations, now: datetime) -> tuple[bool, datetime]:
    """Whether the certificate in use is to be renewed, and until when it serves."""
    if generations.current is None:
        raise EnrolmentError(f"{generations.keys}: this terminal is not enrolled: likeness-terminal enrol comes first")
    certificate = certificate_of(installed_identity(generations.current))
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return until - now < (until - since) * RENEWAL_SHARE, until


def _is_rotation(folder: Path) -> bool:
    return read_request((folder / REQUEST).read_bytes())[0].approval is not None


def _has_new_keys(folder: Path, keys: TerminalKeys) -> bool:
    public = keys.result_key.private.public_key().public_bytes_raw()
    return read_request((folder / REQUEST).read_bytes())[0].result != public


def _fill(
    folder: Path,
    terminal: str,
    result: SigningKey,
    unsealing: X25519PrivateKey,
    trust: Trust,
    voucher: Token | SigningKey,
) -> None:
    tls = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, terminal)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(tls, hashes.SHA256())
    claims = EnrolmentClaims(
        iss=terminal,
        csr=csr.public_bytes(serialization.Encoding.DER),
        unsealing=unsealing.public_key().public_bytes_raw(),
    )
    for name, key in ((RESULT_KEY, result.private), (UNSEALING_KEY, unsealing), (TLS_KEY, tls)):
        write_private_file(folder / name, private_pem(key, passphrase()))
    replace_file(folder / TRUST, trust.write())
    replace_file(folder / REQUEST, write_request(claims, result, voucher))
