"""What leaves the authority for other hosts: central's keys, unsealed and of mode 0600, and the broker's files."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from central.subjects import write_pseudonym_key
from device.durable import PUBLIC, replace_file
from device.wire.keys import private_pem
from provisioning.authority import OpenAuthority
from provisioning.certificates import Authority
from provisioning.mosquitto import CENTRAL, DESK, worker_names
from provisioning.records import REGISTRY, Records
from provisioning.revoking import CRL

NUMBERS_KEY = "numbers.key"
LIFETIME = timedelta(days=365)


def write_central(
    authority: OpenAuthority, records: Records, folder: Path, broker: tuple[str, int], workers: int, now: datetime
) -> bool:
    """Writes central's folder, with an identity for each of its workers; returns whether anything changed.

    The evidence key is not among it: who can open evidence is not who receives it (`evidence-key`).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    users = (*worker_names(workers), DESK)
    changed = [_write_user(authority, records, folder, user, now) for user in users]
    secrets = {
        "requests.key": private_pem(authority.requests.private),
        "receipts.key": private_pem(authority.receipts.private),
    }
    changed += [replace_file(folder / name, content) for name, content in secrets.items()]
    changed.append(replace_file(folder / "broker-ca.pem", authority.broker.pem, PUBLIC))
    if not (folder / NUMBERS_KEY).exists():  # drawn here once: no other host needs it
        write_pseudonym_key(folder / NUMBERS_KEY)
        changed.append(True)
    if not (folder / "central.yaml").exists():  # from then on it is central's own
        changed.append(replace_file(folder / "central.yaml", _settings(broker, workers), PUBLIC))
    return any(changed)


def _settings(broker: tuple[str, int], workers: int) -> bytes:
    settings = {
        "ledger": "ledger.sqlite",
        "registry": REGISTRY,
        "broker": {
            "host": broker[0],
            "port": broker[1],
            "authority": "broker-ca.pem",
            "receiver": _identity(CENTRAL),
            "desk": _identity(DESK),
            "workers": [_identity(name) for name in worker_names(workers)[1:]],
        },
        "keys": {"requests": "requests.key", "receipts": "receipts.key", "numbers": NUMBERS_KEY},
    }
    return yaml.safe_dump(settings, sort_keys=False).encode()


def _identity(name: str) -> dict[str, str]:
    return {"certificate": f"{name}.pem", "key": f"{name}.key"}


def write_broker_keys(
    authority: OpenAuthority, crl: bytes, folder: Path, hosts: tuple[str, ...], now: datetime
) -> bool:
    """Writes what the broker's own files name: its key and certificate, whom it lets in, and whom no longer."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    changed = [replace_file(folder / "ca.pem", authority.clients.pem, PUBLIC)]
    changed.append(replace_file(folder / CRL, crl, PUBLIC))
    key = _private_key(folder / "broker.key")
    held = _certificate(folder / "broker.pem")
    if key is None or not _serves(authority.broker, held, key, now) or not _names(held, hosts):
        key = key or ec.generate_private_key(ec.SECP256R1())
        issued = authority.broker.issue_server(hosts, key.public_key(), now - timedelta(hours=1), now + LIFETIME)
        changed.append(replace_file(folder / "broker.key", private_pem(key)))
        changed.append(replace_file(folder / "broker.pem", issued, PUBLIC))
    return any(changed)


def _write_user(authority: OpenAuthority, records: Records, folder: Path, user: str, now: datetime) -> bool:
    """Gives one of central's users its key, once, and its certificate while less than a third of its life is left."""
    key = _private_key(folder / f"{user}.key")
    if key is not None and _serves(authority.clients, _certificate(folder / f"{user}.pem"), key, now):
        return False
    key = key or ec.generate_private_key(ec.SECP256R1())
    issued = authority.clients.issue_client(user, key.public_key(), now - timedelta(hours=1), now + LIFETIME)
    certificate = x509.load_pem_x509_certificate(issued)
    until = int(certificate.not_valid_after_utc.timestamp())
    with records.change() as database:
        row = (f"{certificate.serial_number:x}", user, until)
        database.execute("INSERT INTO certificates VALUES (?, ?, ?, NULL)", row)
    replace_file(folder / f"{user}.key", private_pem(key))
    replace_file(folder / f"{user}.pem", issued, PUBLIC)
    return True


def _private_key(place: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(place.read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _certificate(place: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(place.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _serves(issuer: Authority, held: x509.Certificate | None, key: ec.EllipticCurvePrivateKey, now: datetime) -> bool:
    """Whether a certificate is this key's, this authority's, and not to be renewed yet."""
    if held is None or held.public_key() != key.public_key() or held.issuer != issuer.certificate.subject:
        return False
    return held.not_valid_after_utc - now > LIFETIME / 3


def _names(held: x509.Certificate | None, hosts: tuple[str, ...]) -> bool:
    """Whether a certificate names exactly these hosts."""
    if held is None:
        return False
    names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names} == set(hosts)
