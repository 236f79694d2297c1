"""Makes the bundles of updates: what goes into one, its number, and the manifest that the update key signs."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from pathlib import Path

from pydantic import ValidationError

from device.wire.envelope import EnvelopeError, Kind, open_envelope, sign
from device.wire.update import FIRST_LINE, MAX_MEMBER_BYTES, BundleKind, Member, UpdateClaims, listing_digest
from provisioning.authority import OpenAuthority, check_clock
from provisioning.records import Records
from provisioning.vault import ProvisioningError

LIFETIME = timedelta(days=90)
_MODEL_FILES = {".yaml", ".tflite", ".csv", ".json"}


@dataclass(frozen=True, slots=True)
class Content:
    """What a bundle brings: its files, and a version if they say one."""

    files: Mapping[str, bytes]
    version: str | None = None

    @property
    def sha256(self) -> str:
        """One digest for all files."""
        return listing_digest((path, hashlib.sha256(raw).hexdigest()) for path, raw in self.files.items())

    @property
    def firmware_sha256(self) -> str:
        """The digest by which results name this firmware."""
        sources = {path: raw for path, raw in self.files.items() if path.startswith("device/") and path.endswith(".py")}
        return Content(sources).sha256


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom: these terminals, or all (None), and the share of them that is to have it now."""

    terminals: tuple[str, ...] | None = None
    permille: int = 1000


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle; `repeated` when this very manifest was signed before."""

    claims: UpdateClaims
    raw: bytes
    repeated: bool


def published_at(folder: Path, kind: str) -> Path | None:
    """Where the authority keeps the bundle that terminals fetch; None for a word that is no kind."""
    return folder / "updates" / f"{kind}.update" if kind in set(BundleKind) else None


def gather(kind: BundleKind, source: Path) -> Content:
    """Reads what a bundle of a kind is made of; raises ProvisioningError or OSError."""
    if kind is BundleKind.FIRMWARE:
        return _wheel(source)
    if kind is BundleKind.MODELS:
        if not (source / "manifest.yaml").is_file():
            raise ProvisioningError(f"{source}: is no folder of models: there is no manifest.yaml in it")
        places = sorted(path for path in source.iterdir() if path.suffix in _MODEL_FILES and path.is_file())
        return Content({path.name: path.read_bytes() for path in places})
    return Content({"terminal.yaml": source.read_bytes()})


def make_update(
    authority: OpenAuthority,
    records: Records,
    kind: BundleKind,
    content: Content,
    audience: Audience,
    now: datetime,
    lifetime: timedelta = LIFETIME,
    *,
    renumber: bool = False,
) -> Made:
    """Signs a bundle; the same content keeps its number, so that its share can grow, unless it is to be renumbered.

    Raises ProvisioningError.
    """
    check_clock(now)
    with records.alone():
        before = _newest(authority, records, kind)
        newest = None if before is None else before[0]
        number = _number(newest, content, audience, renumber=renumber)
        claims = _claims(authority.name, kind, number, content, audience, now, lifetime)
        if before is not None and _says_the_same(before[0], claims, now, lifetime):
            return Made(before[0], _bundle(before[1], before[0], content), repeated=True)
        try:
            manifest = sign(Kind.UPDATE, claims.write(), authority.updates).raw
        except EnvelopeError:
            count = len(claims.members)
            raise ProvisioningError(f"{count} files are too many for one manifest: leave some out") from None
        with records.change() as database:
            database.execute("INSERT OR REPLACE INTO updates VALUES (?, ?, ?)", (kind.value, claims.number, manifest))
    return Made(claims, _bundle(manifest, claims, content), repeated=False)


def _number(newest: UpdateClaims | None, content: Content, audience: Audience, *, renumber: bool) -> int:
    if newest is None:
        return 1
    if newest.content_sha256 != content.sha256 or renumber:
        return newest.number + 1
    if audience.permille < newest.permille:
        out = f"update {newest.number} is out for {newest.permille / 10:g} % already"
        raise ProvisioningError(f"{out}: a share can only grow, leave --canary out")
    return newest.number


def _claims(
    name: str,
    kind: BundleKind,
    number: int,
    content: Content,
    audience: Audience,
    now: datetime,
    lifetime: timedelta,
) -> UpdateClaims:
    try:
        return UpdateClaims(
            iss=name,
            iat=int(now.timestamp()),
            exp=int((now + lifetime).timestamp()),
            kind=kind,
            number=number,
            version=content.version or str(number),
            terminals=audience.terminals,
            permille=audience.permille,
            members=tuple(
                Member(path=path, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())
                for path, raw in sorted(content.files.items())
            ),
        )
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"])) or "the bundle"
        raise ProvisioningError(f"{place}: {fault['msg'].removeprefix('Value error, ')}") from None


def _newest(authority: OpenAuthority, records: Records, kind: BundleKind) -> tuple[UpdateClaims, bytes] | None:
    manifest = records.newest_update(kind.value)
    if manifest is None:
        return None
    keys = {authority.updates.kid: authority.updates.private.public_key()}
    try:
        return UpdateClaims.read(open_envelope(manifest, Kind.UPDATE, keys).payload), manifest
    except ValueError:
        raise ProvisioningError("the records of updates are damaged: restore records.sqlite from its backup") from None


def _says_the_same(before: UpdateClaims, after: UpdateClaims, now: datetime, lifetime: timedelta) -> bool:
    dates = {"iat", "exp"}
    fresh = before.exp - now.timestamp() > lifetime.total_seconds() / 2
    return fresh and before.model_dump(exclude=dates) == after.model_dump(exclude=dates)


def _bundle(manifest: bytes, claims: UpdateClaims, content: Content) -> bytes:
    return FIRST_LINE + manifest + b"\n" + b"".join(content.files[member.path] for member in claims.members)


def _wheel(source: Path) -> Content:
    try:
        with zipfile.ZipFile(source) as wheel:
            listed = [entry for entry in wheel.infolist() if not entry.is_dir()]
            if any(entry.file_size > MAX_MEMBER_BYTES for entry in listed):
                raise ProvisioningError(f"{source}: holds a file of more than {MAX_MEMBER_BYTES >> 20} MiB")
            files = {entry.filename: wheel.read(entry) for entry in listed}
    except zipfile.BadZipFile:
        raise ProvisioningError(f"{source}: is no wheel: make one with pip wheel --no-deps .") from None
    metadata = next((raw for path, raw in files.items() if path.endswith(".dist-info/METADATA")), b"")
    headers = BytesHeaderParser().parsebytes(metadata)
    if headers["Name"] != "likeness" or "device/__main__.py" not in files:
        raise ProvisioningError(f"{source}: is not a wheel of likeness")
    return Content(files, headers["Version"])
