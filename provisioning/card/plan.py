"""What a technician says about a card, checked before anything is written."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

import yaml
from pydantic import Field, StringConstraints, ValidationError, field_validator

from device.settings import Settings
from device.wire.fields import TerminalId
from provisioning.vault import ProvisioningError

Package = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]{1,80}$")]
"""A Debian package's name (Debian policy, section 5.6.1)."""
_PSK_ROUNDS = 4096
_HASHED = re.compile(r"[0-9a-f]{64}")


class Wifi(Settings):
    """A network with WPA2 or WPA3 and a shared password; `country` as in ISO 3166-1."""

    ssid: Annotated[str, Field(min_length=1, max_length=32)]
    password: str = Field(repr=False)
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]

    @field_validator("ssid")
    @classmethod
    def _printable(cls, ssid: str) -> str:
        if not ssid.isprintable() or len(ssid.encode()) > 32:
            raise ValueError("a network's name has 1 to 32 bytes and no control characters")
        return ssid

    @field_validator("password")
    @classmethod
    def _wpa(cls, password: str) -> str:
        if not (8 <= len(password) <= 63 and password.isascii() and password.isprintable()):
            raise ValueError("a Wi-Fi password has 8 to 63 printable ASCII characters")
        return password

    @property
    def key(self) -> str:
        """The network's key (IEEE 802.11, annex J.4): it opens this network, and does not tell the password."""
        return hashlib.pbkdf2_hmac("sha1", self.password.encode(), self.ssid.encode(), _PSK_ROUNDS, 32).hex()


class CardPlan(Settings):
    """A card.

    Attributes:
        terminal: its id, and the computer's host name.
        wifi: None: a cable.
        technician_key: a public SSH key; with it there is a user `technician`, without it nobody can log in.
        packages: Debian packages besides those that likeness itself depends on.
    """

    terminal: TerminalId
    wifi: Wifi | None = None
    technician_key: (
        Annotated[str, StringConstraints(pattern=r"^(ssh-ed25519|ecdsa-sha2-\S+|ssh-rsa|sk-\S+) \S+( .*)?$")] | None
    ) = None
    packages: tuple[Package, ...] = ()


def make_plan(**said: object) -> CardPlan:
    """Returns the plan; raises ProvisioningError with one line."""
    try:
        return CardPlan.model_validate(said)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise ProvisioningError(f"{place}: {fault['msg'].removeprefix('Value error, ')}") from None


def terminal_yaml(host: str, port: int) -> str:
    """The configuration of a terminal that came by a card."""
    settings = {
        "camera": {"kind": "pi-camera", "calibration": "/var/lib/likeness/calibration.yaml"},
        "broker": {"host": host, "port": port},
        "keys": "/var/lib/likeness/keys",
        "outbox": "/var/lib/likeness/outbox.sqlite",
    }
    return yaml.safe_dump(settings, sort_keys=False)
