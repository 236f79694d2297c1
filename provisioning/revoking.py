"""Revocation: in the registry, for results; and in a list of revoked certificates, for the broker."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from device.durable import PUBLIC, replace_file
from provisioning.authority import OpenAuthority, check_clock
from provisioning.records import Records

CRL = "crl.pem"
CRL_LIFETIME = timedelta(days=60)
"""A broker refuses everybody once its list is older than this; a new one is written at half of it."""


def revoke(records: Records, terminal: str, now: datetime) -> bool:
    """Revokes keys, certificates and unused tokens of a terminal; returns False when they all were already."""
    known, moment = records.terminal(terminal), int(now.timestamp())
    with records.change() as database:
        changed = [
            database.execute(
                "UPDATE terminals SET revoked = 1 WHERE id = ? AND NOT revoked AND epoch > 0", (known.id,)
            ),
            database.execute("UPDATE result_keys SET revoked = 1 WHERE terminal = ? AND NOT revoked", (known.id,)),
            database.execute(
                "UPDATE certificates SET revoked_at = ? WHERE owner = ? AND revoked_at IS NULL", (moment, known.id)
            ),
            database.execute("DELETE FROM tokens WHERE terminal = ? AND used_by IS NULL", (known.id,)),
        ]
        return any(cursor.rowcount for cursor in changed)


def refresh_crl(folder: Path, authority: OpenAuthority, records: Records, now: datetime) -> datetime | None:
    """Writes the list when a certificate was revoked since, or half of its life is over; returns its end if it did."""
    check_clock(now)
    with records.alone():
        return _refresh(folder, authority, records, now)


def _refresh(folder: Path, authority: OpenAuthority, records: Records, now: datetime) -> datetime | None:
    revoked, before = records.revoked_certificates(now), _read(folder / CRL)
    if before is not None:
        listed = {entry.serial_number for entry in before}
        fresh = before.next_update_utc is not None and before.next_update_utc - now > CRL_LIFETIME / 2
        if fresh and listed == {serial for serial, _ in revoked} and before.last_update_utc <= now:
            return None
    since, until = now - timedelta(hours=1), now + CRL_LIFETIME
    written = authority.clients.revocation_list(revoked, since, until, _number(before) + 1)
    replace_file(folder / CRL, written, PUBLIC)
    return until


def _read(path: Path) -> x509.CertificateRevocationList | None:
    try:
        return x509.load_pem_x509_crl(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _number(crl: x509.CertificateRevocationList | None) -> int:
    if crl is None:
        return 0
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
