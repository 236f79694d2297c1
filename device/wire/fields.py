"""The types that claims are made of, and their base: strict when written, unknown fields ignored when read."""

from __future__ import annotations

import base64
import json
import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, ValidationError

TERMINAL_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"
"""A terminal's id is a level of its topics and the common name of its certificate: nothing else is safe in both."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


class ClaimsError(ValueError):
    """Claims cannot be read; the message names the field and the rule, never a value."""


class ClockState(StrEnum):
    """How far the wall clock of the terminal may be believed."""

    NEVER_SYNCED = "never-synced"
    SYNCED = "synced"
    STEPPED = "stepped"


class FalseMatchRate(StrEnum):
    """How often two different people may be taken for one; which score that takes, the model's measurement says."""

    ONE_IN_1000 = "1e-3"
    ONE_IN_10000 = "1e-4"

    @property
    def rate(self) -> float:
        """The rate as a number."""
        return float(self.value)


def encode_base64url(raw: bytes) -> str:
    """Returns `raw` as base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """The reverse of `encode_base64url`; raises ValueError for whatever that would not have written."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url without padding")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(raw) != text:
        raise ValueError("bits that belong to no byte are not zero")
    return raw


def unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Makes a JSON object (`object_pairs_hook`); raises ValueError for a name that stands twice.

    One reader would take the first value and another the last, and both believe the signature.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _bytes_of(value: object) -> object:
    return decode_base64url(value) if isinstance(value, str) else value


def uuid7(unix_ms: int, random: bytes) -> str:
    """Returns a UUID of version 7 (RFC 9562, section 5.7) from milliseconds since 1970 and 10 random bytes."""
    if len(random) != 10 or not 0 <= unix_ms < 2**48:
        raise ValueError("a UUIDv7 takes 48 bits of milliseconds and 10 random bytes")
    raw = bytearray(unix_ms.to_bytes(6, "big") + random)
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


Binary = Annotated[bytes, BeforeValidator(_bytes_of), PlainSerializer(encode_base64url, when_used="json")]
"""Bytes that stand in JSON as base64url without padding."""
Nonce = Annotated[Binary, Field(min_length=16, max_length=64)]
TerminalId = Annotated[str, StringConstraints(pattern=TERMINAL_PATTERN)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$")]
"""A word for machines, such as `no-face`."""
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/+-]{1,64}$")]
"""An id that someone else chose: outlet, attendant, transaction, pseudonym, version."""
Sentence = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]*$")]
"""Text for people, safe to print: no control character and nothing that turns the direction of writing."""
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
"""A language's tag (RFC 5646), such as zh-CN."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Uuid7 = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]
UnixTime = Annotated[int, Field(ge=0, lt=2**40)]
Counter = Annotated[int, Field(ge=0, lt=2**53)]
"""A whole number that every JSON reader holds exactly (RFC 8259, section 6)."""
Share = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=-1, le=1)]
"""A cosine."""
Seconds = Annotated[float, Field(ge=0, le=3600)]


class Claims(BaseModel):
    """Base of everything that is signed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, hide_input_in_errors=True, defer_build=True
    )

    def write(self) -> bytes:
        """Returns the JSON text, UTF-8, that is to be signed; absent values are left out."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def read(cls, payload: bytes) -> Self:
        """Returns the claims of a verified payload; raises ClaimsError."""
        try:
            claims = cls.model_validate_json(payload, extra="ignore")
            json.loads(payload, object_pairs_hook=unique_members)  # pydantic keeps the last of two without a word
        except ValidationError as error:
            # Only place and rule: the offending value may be secret, and is hostile.
            fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(map(str, fault["loc"])) or "claims"
            raise ClaimsError(f"{place[:80]}: {fault['type']}") from None
        except (ValueError, RecursionError):
            raise ClaimsError("claims: duplicate_member") from None
        return claims
