"""The registry: which terminals there are, and which keys are theirs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from pydantic import Field, StringConstraints

from device.settings import Settings, SettingsError, load_settings
from device.wire.envelope import key_id
from device.wire.fields import Counter, Name, TerminalId, decode_base64url, encode_base64url

LOG = logging.getLogger(__name__)
PublicKeyText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""32 bytes in base64url: the raw form of an Ed25519 or X25519 public key."""


class ResultKeyEntry(Settings):
    """A key that signs, or signed, results; a revoked one still verifies, but its results are quarantined."""

    public: PublicKeyText
    revoked: bool = False


class TerminalEntry(Settings):
    """One terminal; `epoch` is the chain epoch that its results have to stand in."""

    outlet: Name
    epoch: Counter = 1
    result_keys: Annotated[tuple[ResultKeyEntry, ...], Field(min_length=1)]
    unsealing_key: PublicKeyText
    revoked: bool = False


class RegistryFile(Settings):
    """The registry as it stands in its YAML file."""

    terminals: dict[TerminalId, TerminalEntry]


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """Whose key it is, and whether its results still count."""

    terminal: str
    revoked: bool


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry with its keys ready for use.

    Attributes:
        keys: every result key by id, revoked ones too.
        owners: whose key an id is.
        terminals: the entries by terminal.
    """

    keys: dict[str, Ed25519PublicKey]
    owners: dict[str, KeyOwner]
    terminals: dict[str, TerminalEntry]

    def unsealing_key(self, terminal: str) -> X25519PublicKey:
        """The key that references for this terminal are sealed to; raises KeyError."""
        return X25519PublicKey.from_public_bytes(decode_base64url(self.terminals[terminal].unsealing_key))


def load_registry(path: Path) -> Registry:
    """Loads the registry; raises SettingsError."""
    entries = load_settings(path, RegistryFile).terminals
    keys: dict[str, Ed25519PublicKey] = {}
    owners: dict[str, KeyOwner] = {}
    for terminal, entry in entries.items():
        for key in entry.result_keys:
            public = Ed25519PublicKey.from_public_bytes(decode_base64url(key.public))
            kid = key_id(public)
            if kid in keys:
                raise SettingsError([f"{path}: terminals.{terminal}: this result key is another terminal's, too"])
            keys[kid] = public
            owners[kid] = KeyOwner(terminal, entry.revoked or key.revoked)
    return Registry(keys, owners, dict(entries))


class LiveRegistry:
    """The registry as its file stands now: a revocation counts for the next result, without a restart."""

    def __init__(self, path: Path) -> None:
        """Loads the file; raises SettingsError."""
        self._path, self._stamp = path, _stamp(path)
        self._registry = load_registry(path)

    def current(self) -> Registry:
        """The registry; the one before, as long as the file cannot be used, which is said once."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._registry = load_registry(self._path)
                LOG.info("registry read again terminals=%d", len(self._registry.terminals))
            except SettingsError as error:
                LOG.error("the registry of before stays in force: %s", error)
        return self._registry


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def registry_text(entries: dict[str, TerminalEntry]) -> str:
    """Returns the YAML text of a registry file."""
    document = {"terminals": {name: entry.model_dump(mode="json") for name, entry in sorted(entries.items())}}
    return yaml.safe_dump(document, sort_keys=False)


def public_key_text(key: Ed25519PublicKey | X25519PublicKey) -> str:
    """Returns a public key as it stands in the registry."""
    return encode_base64url(key.public_bytes_raw())
