"""Central's configuration: one YAML file; paths in it are relative to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from central.ledger import MAX_BATCH, POSTGRESQL
from central.rule_settings import RuleSettings
from device.settings import Settings, SettingsError, load_settings, read_private_file
from device.wire.envelope import SigningKey
from device.wire.fields import Name
from device.wire.keys import KeyFormatError, parse_signing_key


class IdentitySettings(Settings):
    """A client certificate and its key."""

    certificate: Path
    key: Path


class BrokerSettings(Settings):
    """Where the broker is, whom to trust, and who we are.

    Attributes:
        receiver: the identity of `run`.
        workers: identities of further `run --worker 2` and so on, which share the work with the first.
        desk: the identity of `request` and `command`.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    authority: Path
    receiver: IdentitySettings
    workers: tuple[IdentitySettings, ...] = ()
    desk: IdentitySettings


class KeySettings(Settings):
    """Central's signing keys, one for each purpose."""

    requests: Path
    receipts: Path


class CentralSettings(Settings):
    """The whole file.

    Attributes:
        name: central's name in requests and receipts.
        rehearsal: accept results of recordings and rehearsals, and mark them; never in production.
        ledger: an SQLite file, or a `postgresql://` address without a password (libpq finds it in ~/.pgpass).
        repeat_requests_s: how often an unanswered request or command is sent again.
        batch: how many results are written in one transaction at most.
        rules: what raises an alarm.
        metrics_port: port of the Prometheus metrics on 127.0.0.1, for the first worker; the next have the next ones.
    """

    name: Name = "central"
    rehearsal: bool = False
    ledger: str | Path
    registry: Path
    broker: BrokerSettings
    keys: KeySettings
    repeat_requests_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    batch: Annotated[int, Field(ge=1, le=MAX_BATCH)] = 500
    rules: RuleSettings = RuleSettings()
    metrics_port: Annotated[int, Field(ge=1024, le=65535)] | None = None

    @field_validator("ledger")
    @classmethod
    def _without_password(cls, value: str | Path) -> str | Path:
        if isinstance(value, str) and value.startswith(POSTGRESQL) and urlsplit(value).password:
            raise ValueError("holds a password: put that into ~/.pgpass, of mode 0600, instead")
        return value


def load_central(path: Path) -> CentralSettings:
    """Loads the file with every path made absolute; raises SettingsError."""
    settings = load_settings(path, CentralSettings)
    base, broker = path.parent.absolute(), settings.broker

    def identity(entry: IdentitySettings) -> IdentitySettings:
        return IdentitySettings(certificate=base / entry.certificate, key=base / entry.key)

    placed = broker.model_copy(
        update={
            "authority": base / broker.authority,
            "receiver": identity(broker.receiver),
            "workers": tuple(map(identity, broker.workers)),
            "desk": identity(broker.desk),
        }
    )
    keys = KeySettings(requests=base / settings.keys.requests, receipts=base / settings.keys.receipts)
    address = isinstance(settings.ledger, str) and settings.ledger.startswith(POSTGRESQL)
    ledger = settings.ledger if address else base / settings.ledger
    places = {"ledger": ledger, "registry": base / settings.registry, "broker": placed, "keys": keys}
    return settings.model_copy(update=places)


def load_signing_key(path: Path) -> SigningKey:
    """Loads one of central's signing keys; raises SettingsError."""
    try:
        return parse_signing_key(read_private_file(path))
    except KeyFormatError as error:
        raise SettingsError([f"{path}: {error}"]) from None
