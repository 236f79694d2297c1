"""What central gives for a result: custody, and a verdict."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from device.wire.fields import Claims, Code, Counter, Name, Sha256, TerminalId, UnixTime

MAX_ENTRIES = 256


class Verdict(StrEnum):
    """What central thinks of a result that it holds; the terminal's row may go either way."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"


class ReceiptEntry(Claims):
    """One envelope that central holds: its place, SHA-256, verdict, and why it is quarantined.

    A result; an anchor, at seq 0; evidence, at its result's place; or a health message that asked for it, at epoch 0,
    seq 0, where nothing else stands.
    """

    epoch: Counter
    seq: Counter
    sha256: Sha256
    verdict: Verdict | Code
    reason: Code | None = None


class ReceiptClaims(Claims):
    """A receipt for up to 256 envelopes of one terminal: `iss` is central, `aud` the terminal."""

    iss: Name
    aud: TerminalId
    iat: UnixTime
    entries: Annotated[tuple[ReceiptEntry, ...], Field(min_length=1, max_length=MAX_ENTRIES)]
