"""Reads a bundle from a stream: the signature first, then nothing but what it vouches for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from device.durable import PUBLIC, sync_folder
from device.wire.envelope import EnvelopeError, Fault, Kind, VerificationKeys, open_envelope
from device.wire.fields import ClaimsError
from device.wire.update import FIRST_LINE, Member, UpdateClaims

CHUNK = 1 << 20


class UpdateError(ValueError):
    """An update cannot be installed; one line that says why and what to do. `code` says the same to machines."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose signature holds; its members follow in `stream`."""

    claims: UpdateClaims
    stream: BinaryIO

    @property
    def name(self) -> str:
        """Kind and number, for people."""
        return f"{self.claims.kind} update {self.claims.number} (version {self.claims.version})"


def open_bundle(stream: BinaryIO, keys: VerificationKeys) -> Bundle:
    """Reads up to the members; raises UpdateError."""
    if stream.read(len(FIRST_LINE)) != FIRST_LINE:
        raise UpdateError("no-bundle", "is no update bundle: use one that likeness-provision update make wrote")
    line = stream.readline(Kind.UPDATE.max_bytes + 1)
    try:
        envelope = open_envelope(line.removesuffix(b"\n"), Kind.UPDATE, keys)
        return Bundle(UpdateClaims.read(envelope.payload), stream)
    except EnvelopeError as error:
        if error.fault is Fault.UNKNOWN_KEY:
            raise UpdateError("foreign", "was signed by a foreign authority: bring one of this terminal's") from None
        raise UpdateError("tampered", f"was tampered with or is damaged ({error.fault}): copy it again") from None
    except ClaimsError as error:
        why = f"says what this version does not understand ({error}): install a newer package first"
        raise UpdateError("not-understood", why) from None


def unpack(bundle: Bundle, folder: Path) -> None:
    """Writes every member below the new folder `folder`, and makes sure of it; raises UpdateError."""
    folder.mkdir()
    for member in bundle.claims.members:
        place = folder / member.path
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PUBLIC)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in member_bytes(bundle.stream, member):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    check_end(bundle.stream)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
    sync_folder(folder.parent)


def member_bytes(stream: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yields a member's bytes; raises UpdateError at its end when they are not those that were signed."""
    left, digest = member.bytes, hashlib.sha256()
    while left:
        chunk = stream.read(min(left, CHUNK))
        if not chunk:
            raise UpdateError("cut-short", f"is cut short in {member.path}: copy it again")
        left -= len(chunk)
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != member.sha256:
        raise UpdateError("tampered", f"was tampered with or is damaged ({member.path}): copy it again")


def check_end(stream: BinaryIO) -> None:
    """Nothing may follow the last member; raises UpdateError."""
    if stream.read(1):
        raise UpdateError("tampered", "was tampered with or is damaged (goes on after its end): copy it again")
