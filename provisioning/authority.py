"""The authority: its root and issuing key, two X.509 authorities, and central's keys.

Everything secret lies in the vault; every other file can be written again from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from device.durable import PUBLIC, replace_file
from device.wire.enrolment import AuthorityClaims
from device.wire.envelope import Kind, SigningKey, open_envelope, sign
from device.wire.keys import parse_signing_key, parse_unsealing_key, private_pem
from provisioning.certificates import Authority, create_authority
from provisioning.vault import COST, ProvisioningError, open_vault, write_vault

VAULT = "authority.vault"
STATEMENT = "authority.jws"
CLIENTS, BROKER, ENDPOINT = "clients-ca.pem", "broker-ca.pem", "endpoint.pem"
LIFETIME = timedelta(days=3650)
EARLIEST = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
_SIGNERS = ("root", "issuing", "requests", "receipts", "updates")
_NAME = "name"


@dataclass(frozen=True, slots=True)
class OpenAuthority:
    """An authority whose vault was opened.

    Attributes:
        root: signs the statement; its key id is what tokens name.
        issuing: signs identities.
        requests: central's key for requests and commands.
        receipts: central's key for receipts.
        updates: signs updates; it never leaves the vault.
        evidence: central's key that evidence is sealed to.
        clients: issues the certificates of terminals and of central's users.
        broker: issues the broker's certificate.
        endpoint: key and certificate of `serve`; tokens name the certificate by its hash.
        tokens: the secret that tokens' secrets are derived from.
        statement: the root's signed statement.
    """

    name: str
    root: SigningKey
    issuing: SigningKey
    requests: SigningKey
    receipts: SigningKey
    updates: SigningKey
    evidence: X25519PrivateKey = field(repr=False)
    clients: Authority
    broker: Authority
    endpoint: Authority
    tokens: bytes = field(repr=False)
    statement: bytes = field(repr=False)

    @property
    def pin(self) -> str:
        """SHA-256 of the endpoint's certificate."""
        return hashlib.sha256(self.endpoint.certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def check_clock(now: datetime) -> None:
    """Refuses to sign anything by a clock that was never set."""
    if now < EARLIEST:
        raise ProvisioningError(f"this computer's clock says {now:%Y-%m-%d}: set it (timedatectl), then run again")


def create(folder: Path, passphrase: str, name: str, now: datetime, *, cost: int = COST) -> bool:
    """Makes the authority, or what an interrupted run or an older version left out; returns whether it had to."""
    check_clock(now)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = not (folder / VAULT).exists()
    if made:
        write_vault(folder / VAULT, _new_secrets(name, now), passphrase, cost=cost)
    elif (more := _with_update_key(open_vault(folder / VAULT, passphrase), now)) is not None:
        write_vault(folder / VAULT, more, passphrase, cost=cost)
        made = True
    return any([made, *write_public_files(folder, open_authority(folder, passphrase))])


def write_public_files(folder: Path, authority: OpenAuthority) -> list[bool]:
    """Writes what everybody may read; says of each file whether it was missing."""
    contents = {
        STATEMENT: authority.statement,
        CLIENTS: authority.clients.pem,
        BROKER: authority.broker.pem,
        ENDPOINT: authority.endpoint.pem,
    }
    return [replace_file(folder / name, content, PUBLIC) for name, content in contents.items()]


def open_authority(folder: Path, passphrase: str) -> OpenAuthority:
    """Opens the vault; raises ProvisioningError or SettingsError."""
    if not (folder / VAULT).exists():
        raise ProvisioningError(f"{folder}: holds no authority: likeness-provision authority init {folder} makes one")
    secrets = open_vault(folder / VAULT, passphrase)
    if "updates" not in secrets:
        raise ProvisioningError(
            f"{folder}: was made by an older version: likeness-provision authority init {folder} adds what is new"
        )
    return OpenAuthority(
        name=secrets[_NAME].decode(),
        **{signer: parse_signing_key(secrets[signer]) for signer in _SIGNERS},
        evidence=parse_unsealing_key(secrets["evidence"]),
        clients=_x509_authority(secrets, "clients"),
        broker=_x509_authority(secrets, "broker"),
        endpoint=_x509_authority(secrets, "endpoint"),
        tokens=secrets["tokens"],
        statement=secrets["statement"],
    )


def _new_secrets(name: str, now: datetime) -> dict[str, bytes]:
    signers = {signer: SigningKey(Ed25519PrivateKey.generate()) for signer in _SIGNERS}
    evidence = X25519PrivateKey.generate()
    since, until = now - timedelta(hours=1), now + LIFETIME
    clients = create_authority(f"{name} clients", since, until)
    broker = create_authority(f"{name} broker", since, until)
    public = {signer: key.private.public_key().public_bytes_raw() for signer, key in signers.items()}
    statement = AuthorityClaims(
        iss=name,
        iat=int(now.timestamp()),
        serial=1,
        issuing=public["issuing"],
        clients=clients.pem.decode(),
        broker=broker.pem.decode(),
        requests=public["requests"],
        receipts=public["receipts"],
        evidence=evidence.public_key().public_bytes_raw(),
        updates=public["updates"],
    )
    secrets = {signer: private_pem(key.private) for signer, key in signers.items()}
    secrets |= {"evidence": private_pem(evidence), "tokens": Ed25519PrivateKey.generate().private_bytes_raw()}
    for role, made in (("clients", clients), ("broker", broker), ("endpoint", _endpoint(name, since, until))):
        secrets |= {f"{role}.key": private_pem(made.key), f"{role}.pem": made.pem}
    envelope = sign(Kind.AUTHORITY, statement.write(), signers["root"])
    return secrets | {_NAME: name.encode(), "statement": envelope.raw}


def _with_update_key(secrets: dict[str, bytes], now: datetime) -> dict[str, bytes] | None:
    """The secrets of an authority of before there were updates, with their key; None when it is there."""
    if "updates" in secrets:
        return None
    root, key = parse_signing_key(secrets["root"]), SigningKey(Ed25519PrivateKey.generate())
    held = open_envelope(secrets["statement"], Kind.AUTHORITY, {root.kid: root.private.public_key()})
    claims = AuthorityClaims.read(held.payload)
    public = key.private.public_key().public_bytes_raw()
    newer = claims.model_copy(update={"updates": public, "serial": claims.serial + 1, "iat": int(now.timestamp())})
    statement = sign(Kind.AUTHORITY, newer.write(), root).raw
    return secrets | {"updates": private_pem(key.private), "statement": statement}


def _endpoint(name: str, since: datetime, until: datetime) -> Authority:
    """Key and self-signed certificate of the endpoint: pinned by its hash, so that its name does not matter."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{name} endpoint")])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), since, until)
    return Authority(key, builder.sign(key, hashes.SHA256()))


def _x509_authority(secrets: Mapping[str, bytes], role: str) -> Authority:
    key = serialization.load_pem_private_key(secrets[f"{role}.key"], None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ProvisioningError(f"the vault's key {role} is of another kind: restore the vault from its backup")
    return Authority(key, x509.load_pem_x509_certificate(secrets[f"{role}.pem"]))
