"""Updates: the manifest that the authority signs, for whom it is, and what a terminal says of the updates it took.

A bundle is a file: a first line, the manifest's envelope on the second, then the members' bytes, one after the other in
the manifest's order. Everything that could be a surprise, names and sizes above all, is under the signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from device.wire.fields import Claims, Code, Counter, Name, Sha256, TerminalId, UnixTime

FIRST_LINE = b"likeness-update-1\n"
MAX_MEMBER_BYTES = 64 * 1024 * 1024
MAX_BUNDLE_BYTES = 256 * 1024 * 1024
WHOLE = 1000

MemberPath = Annotated[
    str,
    StringConstraints(max_length=160, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*){0,7}$"),
]
"""A relative path whose parts begin with no dot."""
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}$")]


class BundleKind(StrEnum):
    """What a bundle replaces."""

    FIRMWARE = "firmware"
    MODELS = "models"
    CONFIGURATION = "configuration"


class Member(Claims):
    """One file of a bundle."""

    path: MemberPath
    bytes: Annotated[Counter, Field(le=MAX_MEMBER_BYTES)]
    sha256: Sha256


class UpdateClaims(Claims):
    """The manifest of a bundle.

    Attributes:
        iss: the authority's name.
        iat: seconds since 1970.
        exp: seconds since 1970; not to be installed from then on, where the clock is believed.
        kind: what it replaces.
        number: rises with each bundle of a kind; a terminal never goes back.
        version: for people; that of firmware rises, too.
        terminals: for whom; absent: for all.
        permille: the share of them that is to have it now; who belongs to it, `is_drawn` says.
        members: its files, in the order of their bytes.
    """

    iss: Name
    iat: UnixTime
    exp: UnixTime
    kind: BundleKind
    number: Annotated[Counter, Field(ge=1)]
    version: Version
    terminals: Annotated[tuple[TerminalId, ...], Field(min_length=1, max_length=1000)] | None = None
    permille: Annotated[int, Field(ge=1, le=WHOLE)]
    members: Annotated[tuple[Member, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _can_be_unpacked(self) -> Self:
        paths = {member.path for member in self.members}
        folders = {path[:end] for path in paths for end, sign in enumerate(path) if sign == "/"}
        if len(paths) < len(self.members) or paths & folders:
            raise ValueError("a path stands twice, or is a file and a folder")
        if self.total_bytes > MAX_BUNDLE_BYTES:
            raise ValueError("a bundle is too large")
        return self

    @property
    def total_bytes(self) -> int:
        """The bytes of all members."""
        return sum(member.bytes for member in self.members)

    @property
    def content_sha256(self) -> str:
        """One digest for all members."""
        return listing_digest((member.path, member.sha256) for member in self.members)


class UpdateState(StrEnum):
    """How an update stands on a terminal."""

    IN_USE = "in-use"
    ON_TRIAL = "on-trial"
    FAILED = "failed"


class UpdateMark(Claims):
    """What a terminal says of one update; `reason` says why it failed."""

    kind: BundleKind | Code
    number: Counter
    state: UpdateState | Code
    reason: Code | None = None


def is_drawn(kind: BundleKind, number: int, terminal: str, permille: int) -> bool:
    """Whether a terminal belongs to the first `permille` of an update: whoever does, does so in a larger share, too."""
    told = f"likeness/v1/canary\0{kind}\0{number}\0{terminal}".encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "big") * WHOLE < permille << 64


def listing_digest(files: Iterable[tuple[str, str]]) -> str:
    """One SHA-256 for files, by their paths and digests."""
    lines = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def version_parts(version: str) -> tuple[int, ...]:
    """A version as numbers: 0.10 is newer than 0.9, and 1.0 no newer than 1."""
    parts = [int(part) for part in version.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
