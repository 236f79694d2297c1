"""Bundles as an authority would make them, small ones."""

import hashlib
import io
from typing import Any

import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.delivery.clocks import Instant
from device.updates.bundle import Bundle, open_bundle
from device.wire.envelope import Kind, SigningKey, sign
from device.wire.fields import ClockState
from device.wire.update import FIRST_LINE, BundleKind, Member, UpdateClaims

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(b"update! " * 4))
KEYS = {KEY.kid: KEY.private.public_key()}
NOW = Instant(float(samples.NOW), 100.0, ClockState.SYNCED)
FILES = {"manifest.yaml": b"a: 1\n", "weights/one.tflite": b"weights" * 10, "weights/empty": b""}


def claims(files: dict[str, bytes] = FILES, **changes: Any) -> UpdateClaims:
    members = tuple(
        Member(path=path, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest()) for path, raw in files.items()
    )
    values: dict[str, Any] = {
        "iss": "likeness",
        "iat": samples.NOW,
        "exp": samples.NOW + 90 * 86_400,
        "kind": BundleKind.MODELS,
        "number": 7,
        "version": "7",
        "permille": 1000,
        "members": members,
    }
    return UpdateClaims(**(values | changes))


def bundle_bytes(files: dict[str, bytes] = FILES, key: SigningKey = KEY, **changes: Any) -> bytes:
    manifest = sign(Kind.UPDATE, claims(files, **changes).write(), key).raw
    return FIRST_LINE + manifest + b"\n" + b"".join(files.values())


def opened(raw: bytes) -> Bundle:
    return open_bundle(io.BytesIO(raw), KEYS)


def made(files: dict[str, bytes] = FILES, **changes: Any) -> Bundle:
    return opened(bundle_bytes(files, **changes))
