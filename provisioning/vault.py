"""The vault: every private key of the authority in one file, sealed with a key that scrypt makes of the passphrase."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from device.durable import replace_file
from device.settings import read_private_file
from device.wire.fields import decode_base64url, encode_base64url

FORM = "likeness-vault-1"
MIN_PASSPHRASE = 12
COST = 2**16
"""scrypt's N with r = 8: 64 MiB and about a fifth of a second for each guess."""


class ProvisioningError(ValueError):
    """A technician's command cannot be done; the message is one line that says what to do."""


def write_vault(path: Path, secrets: Mapping[str, bytes], passphrase: str, *, cost: int = COST) -> None:
    """Seals the secrets into `path`, mode 0600, in one step."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise ProvisioningError(f"the passphrase is too short: take {MIN_PASSPHRASE} characters or more")
    salt, nonce = os.urandom(16), os.urandom(12)
    plain = json.dumps({name: encode_base64url(secret) for name, secret in secrets.items()}).encode()
    head = {"form": FORM, "cost": cost, "salt": encode_base64url(salt), "nonce": encode_base64url(nonce)}
    sealed = AESGCM(_key(passphrase, salt, cost)).encrypt(nonce, plain, FORM.encode())
    replace_file(path, json.dumps(head | {"sealed": encode_base64url(sealed)}).encode())


def open_vault(path: Path, passphrase: str) -> dict[str, bytes]:
    """Returns the secrets; raises ProvisioningError or SettingsError."""
    raw = read_private_file(path)
    try:
        document = json.loads(raw)
        salt, nonce, sealed = (decode_base64url(document[name]) for name in ("salt", "nonce", "sealed"))
        cost = {(FORM, 2**power): 2**power for power in range(1, 21)}[document["form"], document["cost"]]
        key = _key(passphrase, salt, cost)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ProvisioningError(f"{path}: is no vault, or a damaged one: restore it from the backup") from None
    try:
        plain = AESGCM(key).decrypt(nonce, sealed, FORM.encode())
    except (InvalidTag, ValueError):
        raise ProvisioningError(f"{path}: the passphrase is wrong, or the file was changed") from None
    return {name: decode_base64url(text) for name, text in json.loads(plain).items()}


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())
