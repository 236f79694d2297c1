"""A throw-away authority with everything that a broker, central and some terminals need, in one folder.

For demo and tests: all keys lie unencrypted beside each other, and nothing outlives a few days.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from central.registry import ResultKeyEntry, TerminalEntry, public_key_text, registry_text
from central.subjects import write_pseudonym_key
from device.delivery import keys as terminal_files
from device.delivery.keys import create_terminal_keys, write_private_file
from device.wire.keys import private_pem, public_pem
from device.wire.topics import Leaf, topic
from provisioning.certificates import Authority, create_authority
from provisioning.mosquitto import CENTRAL, DESK, BrokerPlan, access_list, configuration, worker_names

LIFETIME = timedelta(days=2)
HOSTS = ("127.0.0.1", "localhost")
OUTLET = "demo-outlet"


@dataclass(frozen=True, slots=True)
class DemoAuthority:
    """Where everything lies.

    Attributes:
        folder: the whole.
        port: the broker's port on 127.0.0.1.
        mosquitto: mosquitto.conf.
        central: central.yaml, for `likeness-central --config`.
        terminals: the folder of keys of each terminal, for `device.delivery.keys.load_terminal_keys`.
        authority: issues further certificates.
    """

    folder: Path
    port: int
    mosquitto: Path
    central: Path
    terminals: dict[str, Path]
    authority: Authority = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Validity:
    not_before: datetime
    not_after: datetime


def create_demo_authority(
    folder: Path,
    terminals: Sequence[str] = ("demo-1",),
    *,
    port: int,
    rehearsal: bool = False,
    workers: int = 1,
    now: datetime | None = None,
    lifetime: timedelta = LIFETIME,
) -> DemoAuthority:
    """Writes it all; raises FileExistsError rather than replace a key, and ValueError for an id that is none."""
    for terminal in terminals:
        topic(terminal, Leaf.STATUS)
        if terminal.startswith(CENTRAL):
            raise ValueError(f"{terminal}: names that begin with {CENTRAL!r} are central's own")
    moment = now or datetime.now(UTC)
    # An hour back: the clocks of two machines differ.
    valid = _Validity(moment - timedelta(hours=1), moment + lifetime)
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = create_authority("Likeness demo authority", valid.not_before, valid.not_after)
    _write_broker(folder / "broker", authority, valid, port, workers)
    public = _write_central(folder / "central", authority, valid, port, workers, rehearsal=rehearsal)
    places: dict[str, Path] = {}
    entries: dict[str, TerminalEntry] = {}
    for terminal in terminals:
        places[terminal] = folder / "terminals" / terminal
        entries[terminal] = _write_terminal(places[terminal], terminal, authority, valid)
        for name, pem in public.items():
            (places[terminal] / name).write_bytes(pem)
    (folder / "central" / "registry.yaml").write_text(registry_text(entries))
    return DemoAuthority(
        folder, port, folder / "broker" / "mosquitto.conf", folder / "central" / "central.yaml", places, authority
    )


def _write_broker(folder: Path, authority: Authority, valid: _Validity, port: int, workers: int) -> None:
    (folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    write_private_file(folder / "broker.key", _tls_pem(key))
    certificate = authority.issue_server(HOSTS, key.public_key(), valid.not_before, valid.not_after)
    (folder / "broker.pem").write_bytes(certificate)
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "crl.pem").write_bytes(authority.revocation_list((), valid.not_before, valid.not_after, 1))
    write_private_file(folder / "acl", access_list(workers).encode())
    # Started by root, mosquitto would change to a user who cannot read these files.
    user = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() == 0 else None
    plan = BrokerPlan(folder, folder / "data", port, "127.0.0.1", user)
    (folder / "mosquitto.conf").write_text(configuration(plan))


def _write_central(
    folder: Path, authority: Authority, valid: _Validity, port: int, workers: int, *, rehearsal: bool
) -> dict[str, bytes]:
    """Returns what each terminal has to know of central: public keys (PEM) by the name of their file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "broker-ca.pem").write_bytes(authority.pem)
    names = worker_names(workers)
    for name in (*names, DESK):
        key = ec.generate_private_key(ec.SECP256R1())
        write_private_file(folder / f"{name}.key", _tls_pem(key))
        certificate = authority.issue_client(name, key.public_key(), valid.not_before, valid.not_after)
        (folder / f"{name}.pem").write_bytes(certificate)
    requests, receipts, evidence = (
        Ed25519PrivateKey.generate(),
        Ed25519PrivateKey.generate(),
        X25519PrivateKey.generate(),
    )
    write_private_file(folder / "requests.key", private_pem(requests))
    write_private_file(folder / "receipts.key", private_pem(receipts))
    write_private_file(folder / "evidence.key", private_pem(evidence))
    write_pseudonym_key(folder / "numbers.key")
    settings = {
        "rehearsal": rehearsal,
        "ledger": "ledger.sqlite",
        "registry": "registry.yaml",
        "broker": {
            "host": "127.0.0.1",
            "port": port,
            "authority": "broker-ca.pem",
            "receiver": _identity(names[0]),
            "workers": [_identity(name) for name in names[1:]],
            "desk": _identity(DESK),
        },
        "keys": {"requests": "requests.key", "receipts": "receipts.key", "numbers": "numbers.key"},
        "console": {"evidence_key": "evidence.key"},
    }
    (folder / "central.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    return {
        terminal_files.REQUEST_SIGNERS: public_pem(requests.public_key()),
        terminal_files.RECEIPT_SIGNERS: public_pem(receipts.public_key()),
        terminal_files.EVIDENCE_RECIPIENT: public_pem(evidence.public_key()),
    }


def _identity(name: str) -> dict[str, str]:
    return {"certificate": f"{name}.pem", "key": f"{name}.key"}


def _write_terminal(folder: Path, terminal: str, authority: Authority, valid: _Validity) -> TerminalEntry:
    keys = create_terminal_keys(folder)
    certificate = authority.issue_client(terminal, keys.tls, valid.not_before, valid.not_after)
    (folder / terminal_files.TLS_CERTIFICATE).write_bytes(certificate)
    (folder / terminal_files.BROKER_AUTHORITY).write_bytes(authority.pem)
    return TerminalEntry(
        outlet=OUTLET,
        result_keys=(ResultKeyEntry(public=public_key_text(keys.result)),),
        unsealing_key=public_key_text(keys.unsealing),
    )


def _tls_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
