"""Reads tests/vectors as any implementation would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.wire.envelope import Kind
from device.wire.fields import decode_base64url

VECTORS = Path(__file__).parents[1] / "vectors"


def read(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def public_keys() -> dict[Kind, dict[str, Ed25519PublicKey]]:
    """Which keys sign which kind."""
    groups = read("keys")
    signers = {
        name: {key["kid"]: Ed25519PublicKey.from_public_bytes(decode_base64url(key["x"])) for key in groups[name]}
        for name in ("results", "requests", "receipts", "updates")
    }
    return dict.fromkeys(Kind, signers["results"]) | {
        Kind.REQUEST: signers["requests"],
        Kind.COMMAND: signers["requests"],
        Kind.RECEIPT: signers["receipts"],
        Kind.UPDATE: signers["updates"],
    }
