"""The slip's code as a session carries it: drawn when it begins, as its digest takes longer than a result may."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from device.wire.slip import ENTROPY_BYTES, slip_code, slip_digest


@dataclass(frozen=True, slots=True)
class SlipCode:
    """What only the customer will hold, and its digest, which the result bears."""

    code: str = field(repr=False)
    digest: str = field(repr=False)


def draw_code() -> SlipCode:
    """Draws the code of one session."""
    code = slip_code(secrets.token_bytes(ENTROPY_BYTES))
    return SlipCode(code, slip_digest(code))
