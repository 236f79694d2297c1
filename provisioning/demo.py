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

from central.registry import ResultKeyEntry, TerminalEntry, public_key_text, registry_text
from device.delivery import keys as terminal_files
from device.delivery.keys import create_terminal_keys, write_private_file
from device.wire.keys import private_pem, public_pem
from device.wire.topics import Leaf, topic
from provisioning.certificates import Authority, create_authority
from provisioning.mosquitto import CENTRAL, DESK, BrokerPlan, access_list, configuration

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
    _write_broker(folder / "broker", authority, valid, port)
    requests, receipts = _write_central(folder / "central", authority, valid, port, rehearsal=rehearsal)
    places: dict[str, Path] = {}
    entries: dict[str, TerminalEntry] = {}
    for terminal in terminals:
        places[terminal] = folder / "terminals" / terminal
        entries[terminal] = _write_terminal(places[terminal], terminal, authority, valid)
        (places[terminal] / terminal_files.REQUEST_SIGNERS).write_bytes(requests)
        (places[terminal] / terminal_files.RECEIPT_SIGNERS).write_bytes(receipts)
    (folder / "central" / "registry.yaml").write_text(registry_text(entries))
    return DemoAuthority(
        folder, port, folder / "broker" / "mosquitto.conf", folder / "central" / "central.yaml", places, authority
    )


def _write_broker(folder: Path, authority: Authority, valid: _Validity, port: int) -> None:
    (folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    write_private_file(folder / "broker.key", _tls_pem(key))
    certificate = authority.issue_server(HOSTS, key.public_key(), valid.not_before, valid.not_after)
    (folder / "broker.pem").write_bytes(certificate)
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "crl.pem").write_bytes(authority.revocation_list((), valid.not_before, valid.not_after, 1))
    write_private_file(folder / "acl", access_list().encode())
    # Started by root, mosquitto would change to a user who cannot read these files.
    user = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() == 0 else None
    plan = BrokerPlan(folder, folder / "data", port, "127.0.0.1", user)
    (folder / "mosquitto.conf").write_text(configuration(plan))


def _write_central(
    folder: Path, authority: Authority, valid: _Validity, port: int, *, rehearsal: bool
) -> tuple[bytes, bytes]:
    """Returns the public keys (PEM) that sign requests and receipts."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "broker-ca.pem").write_bytes(authority.pem)
    for name in (CENTRAL, DESK):
        key = ec.generate_private_key(ec.SECP256R1())
        write_private_file(folder / f"{name}.key", _tls_pem(key))
        certificate = authority.issue_client(name, key.public_key(), valid.not_before, valid.not_after)
        (folder / f"{name}.pem").write_bytes(certificate)
    signers = {"requests": Ed25519PrivateKey.generate(), "receipts": Ed25519PrivateKey.generate()}
    for name, signer in signers.items():
        write_private_file(folder / f"{name}.key", private_pem(signer))
    settings = {
        "rehearsal": rehearsal,
        "ledger": "ledger.sqlite",
        "registry": "registry.yaml",
        "broker": {
            "host": "127.0.0.1",
            "port": port,
            "authority": "broker-ca.pem",
            "receiver": {"certificate": f"{CENTRAL}.pem", "key": f"{CENTRAL}.key"},
            "desk": {"certificate": f"{DESK}.pem", "key": f"{DESK}.key"},
        },
        "keys": {"requests": "requests.key", "receipts": "receipts.key"},
    }
    (folder / "central.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    return public_pem(signers["requests"].public_key()), public_pem(signers["receipts"].public_key())


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
