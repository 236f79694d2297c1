"""Private keys at rest: encrypted under a passphrase that systemd hands to the terminal's services alone.

The passphrase is a systemd credential, sealed to this machine (systemd-creds(1)). Where nobody hands one over, as at a
desk, keys lie plain in files of mode 0600; a plain key is read in any case.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from device.settings import SettingsError, read_private_file

CREDENTIAL = "likeness.keys"
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def passphrase(environ: Mapping[str, str] = os.environ) -> bytes | None:
    """What keys are encrypted under; None when this process was given nothing. Raises SettingsError."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    path = Path(folder) / CREDENTIAL
    try:
        return path.read_bytes().strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror or error}"]) from None


def read_private_key(path: Path) -> bytes:
    """Returns a private key's file as unencrypted PKCS #8; raises SettingsError."""
    raw = read_private_file(path)
    if _ENCRYPTED not in raw:
        return raw
    given = passphrase()
    if given is None:
        raise SettingsError([f"{path}: is encrypted for the terminal's services: as root, use likeness-service"])
    try:
        key = serialization.load_pem_private_key(raw, given)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        advice = "was it copied from another machine? enrol with a new token"
        raise SettingsError([f"{path}: this machine's credential does not open it: {advice}"]) from None
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
