"""Inspects keys and permissions: what lies in the keys' folder, and what the terminal's user may do."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from device.config import TerminalSettings
from device.delivery.keys import RESULT_KEY, TLS_KEY, UNSEALING_KEY, TerminalKeys
from device.doctor.trust import Keys, Permissions
from device.enrolment.identity import BUNDLE, REQUEST, installed_identity
from device.settings import SettingsError
from device.wire.enrolment import EnrolmentError, read_request

SECRETS = (RESULT_KEY, UNSEALING_KEY, TLS_KEY)
TPM = Path("/dev/tpmrm0")


def inspect_keys(folder: Path, keys: TerminalKeys) -> Keys:
    """Looks at the folder of keys that were loaded, so that their pairs and modes are right; raises SettingsError."""
    _check_against_enrolment(folder, keys)
    try:
        authority = x509.load_pem_x509_certificate(keys.tls.authority.read_bytes())
    except (OSError, ValueError):
        raise SettingsError([f"{keys.tls.authority}: not a certificate"]) from None
    secrets = [folder / name for name in SECRETS]
    loose = [path.name for path in secrets if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        loose.append(f"{folder}/")
    return Keys(
        terminal=keys.terminal,
        epoch=keys.epoch,
        folder=str(folder),
        loose=tuple(loose),
        not_before=keys.tls.not_before,
        not_after=keys.tls.not_after,
        authority_until=authority.not_valid_after_utc,
        encrypted=all(b"ENCRYPTED PRIVATE KEY" in path.read_bytes() for path in secrets),
        tpm=TPM.exists(),
    )


def inspect_permissions(settings: TerminalSettings, config: Path) -> Permissions:
    """What this process may do; the doctor is the terminal's own user by now."""
    nodes = [node for node in _nodes(settings) if not os.access(node, os.R_OK | os.W_OK)]
    files = [config, *([settings.camera.calibration] if settings.camera.calibration else [])]
    unreadable = [path for path in files[:1] if not os.access(path, os.R_OK)]
    changeable = [path for path in files if os.access(path, os.R_OK) and stat.S_IMODE(path.stat().st_mode) & 0o022]
    folder = settings.outbox.parent
    return Permissions(
        user=_name(os.geteuid()),
        groups=tuple(sorted(_group(number) for number in {os.getegid(), *os.getgroups()})),
        denied=tuple(map(str, nodes)),
        unreadable=tuple(map(str, unreadable)),
        open_files=tuple(map(str, changeable)),
        unwritable=() if os.access(folder, os.W_OK | os.X_OK) else (str(folder),),
    )


def become_owner(settings: TerminalSettings) -> None:
    """Started by root, goes on as the user to whom the terminal's files belong: what root may is no answer.

    Raises SettingsError when that user does not exist.
    """
    folder = next((path for path in (settings.keys, settings.outbox.parent) if path.is_dir()), None)
    if os.geteuid() != 0 or folder is None or (owner := folder.stat().st_uid) == 0:
        return
    try:
        user = pwd.getpwuid(owner)
    except KeyError:
        raise SettingsError([f"{folder}: belongs to user {owner}, who does not exist: chown it"]) from None
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(owner)


def _check_against_enrolment(folder: Path, keys: TerminalKeys) -> None:
    """Keys that were enrolled are still those that the authority was shown."""
    if not (folder / BUNDLE).exists():
        return
    try:
        identity = installed_identity(folder.resolve())
        document, _, asked = read_request((folder / REQUEST).read_bytes())
    except (EnrolmentError, OSError) as error:
        raise SettingsError([f"{folder}: {error}"]) from None
    unsealing: X25519PrivateKey = keys.unsealing_key
    ours = (keys.terminal, keys.result_key.private.public_key().public_bytes_raw())
    if ours != (identity.aud, document.result) or unsealing.public_key().public_bytes_raw() != asked.unsealing:
        raise SettingsError([f"{folder}: the keys are not those that were enrolled"])


def _nodes(settings: TerminalSettings) -> Iterator[Path]:
    if settings.panel.factory == "pi":
        yield from sorted(Path("/dev").glob("gpiochip*"))
    if settings.camera.kind == "usb-camera":
        yield from Path("/dev").glob(f"video{settings.camera.index}")
    if settings.camera.kind == "pi-camera":
        for pattern in ("video*", "media*", "dma_heap/*"):
            yield from sorted(Path("/dev").glob(pattern))


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
