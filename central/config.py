"""Central's configuration: one YAML file; paths in it are relative to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StringConstraints, field_validator

from central.ledger import MAX_BATCH, POSTGRESQL
from central.rule_settings import RuleSettings
from device.settings import Settings, SettingsError, load_settings, read_private_file
from device.wire.envelope import SigningKey
from device.wire.fields import Name
from device.wire.keys import KeyFormatError, parse_signing_key

Port = Annotated[int, Field(ge=1, le=65535)]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


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
    port: Port = 8883
    authority: Path
    receiver: IdentitySettings
    workers: tuple[IdentitySettings, ...] = ()
    desk: IdentitySettings


class KeySettings(Settings):
    """Central's signing keys, one for each purpose; and `numbers`, under which it keeps customers' phone numbers."""

    requests: Path
    receipts: Path
    numbers: Path | None = None


class WebSettings(Settings):
    """A web application on loopback.

    Attributes:
        port: port on 127.0.0.1.
        address: where browsers find it; an https address when a reverse proxy stands before it.
        store: what it keeps of its own, an SQLite file.
        timezone: of the times that it shows, as in `Asia/Kolkata`.
    """

    port: Port
    address: Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+$")] | None = None
    store: Path
    timezone: str = "UTC"

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers say it."""
        return self.address or f"http://127.0.0.1:{self.port}"

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS."""
        return self.origin.startswith("https://")

    @field_validator("address")
    @classmethod
    def _beyond_loopback_by_tls(cls, value: str | None) -> str | None:
        if value and value.startswith("http:") and urlsplit(value).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("what people type would go over the network unencrypted: give an https address")
        return value

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError("is not a time zone that this system knows, such as Asia/Kolkata or UTC") from None
        return value


class ConsoleSettings(WebSettings):
    """The console: a web application for auditors; its store holds accounts, sign-ins and counts.

    Attributes:
        evidence_key: central's evidence key, when auditors shall see what was measured in a session.
        idle_minutes: for how long nobody has to do anything before the sign-in ends.
        hours: after how many hours it ends in any case.
    """

    port: Port = 8470
    store: Path = Path("console.sqlite")
    evidence_key: Path | None = None
    idle_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 30
    hours: Annotated[float, Field(gt=0, le=7 * 24)] = 10


class PublicSettings(WebSettings):
    """The public page, for customers with a slip; its store holds who looked for what is not there, for minutes.

    Attributes:
        region: the country (ISO 3166-1) of numbers that are typed without one, as in `IN`.
    """

    port: Port = 8471
    store: Path = Path("public.sqlite")
    region: Region | None = None


class CentralSettings(Settings):
    """The whole file.

    Attributes:
        name: central's name in requests and receipts.
        rehearsal: accept results of recordings and rehearsals, and mark them; never in production.
        ledger: an SQLite file, or a `postgresql://` address without a password (libpq finds it in ~/.pgpass).
        repeat_requests_s: how often an unanswered request or command is sent again.
        batch: how many results are written in one transaction at most.
        rules: what raises an alarm.
        console: how `console` serves its pages.
        public: how `public` serves its page.
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
    console: ConsoleSettings = ConsoleSettings()
    public: PublicSettings = PublicSettings()
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
    keys = KeySettings(
        requests=base / settings.keys.requests,
        receipts=base / settings.keys.receipts,
        numbers=base / settings.keys.numbers if settings.keys.numbers else None,
    )
    address = isinstance(settings.ledger, str) and settings.ledger.startswith(POSTGRESQL)
    ledger = settings.ledger if address else base / settings.ledger
    console = settings.console
    evidence_key = base / console.evidence_key if console.evidence_key else None
    console = console.model_copy(update={"store": base / console.store, "evidence_key": evidence_key})
    places = {
        "ledger": ledger,
        "registry": base / settings.registry,
        "broker": placed,
        "keys": keys,
        "console": console,
        "public": settings.public.model_copy(update={"store": base / settings.public.store}),
    }
    return settings.model_copy(update=places)


def load_signing_key(path: Path) -> SigningKey:
    """Loads one of central's signing keys; raises SettingsError."""
    try:
        return parse_signing_key(read_private_file(path))
    except KeyFormatError as error:
        raise SettingsError([f"{path}: {error}"]) from None
