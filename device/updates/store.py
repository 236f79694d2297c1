"""The releases on the card and the one file that says which of them are in force.

    updates/state.json      what is in force, on trial, and what failed: replaced in one step, and nothing else counts
    updates/firmware-7/     a release; folders that the state does not name are leftovers

The state is written before what it says is done; a cut leaves either state whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from device.durable import PRIVATE, remove_folder, replace_file
from device.settings import load_settings
from device.updates.state import Release, Slot, State
from device.wire.fields import ClaimsError
from device.wire.update import BundleKind, listing_digest

LOG = logging.getLogger(__name__)
STATE, LOCK = "state.json", "lock"


class _Places(BaseModel):
    """The little that has to be known of a terminal's configuration before it is known which program is to read it."""

    model_config = ConfigDict(extra="ignore")

    outbox: Path
    updates: Path | None = None


class Store:
    """The updates' folder of one terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> State:
        """What counts now. Without a readable state the package's own is in force, and no number comes twice."""
        try:
            return State.read((self.folder / STATE).read_bytes())
        except FileNotFoundError:
            return self._from_folders()
        except PermissionError:
            return State()  # whoever may not look here may not open the keys either, and is told so there
        except (ClaimsError, OSError) as error:
            LOG.error("the state of updates is damaged: the package's own is in force: %s", error)
            return self._from_folders()

    def stamp(self) -> tuple[int, int]:
        """Another one when the state was written again."""
        try:
            status = (self.folder / STATE).stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_ino)

    def in_force(self, kind: BundleKind) -> Path | None:
        """The folder of the release in force; None: the package's own."""
        current = self.read().slot(kind).current
        return None if current is None else self.place(kind, current.number)

    def place(self, kind: BundleKind, number: int) -> Path:
        """Where a release lies."""
        return self.folder / f"{kind.value}-{number}"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until no other process works here."""
        descriptor = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def change(self, change: Callable[[State], State]) -> State:
        """Writes what `change` makes of the state; call it `alone`."""
        before = self.read()
        after = change(before)
        if after != before:
            replace_file(self.folder / STATE, after.write())
        return after

    def mend(self) -> None:
        """Writes the state where there is none that can be read, so that no number is forgotten; call it `alone`."""
        state = self.read()
        replace_file(self.folder / STATE, state.write())

    def sweep(self) -> None:
        """Removes every release that the state does not name; call it `alone`."""
        state = self.read()
        slots = [(kind, state.slot(kind)) for kind in BundleKind]
        named = {
            self.place(kind, release.number)
            for kind, slot in slots
            for release in (slot.current, slot.previous)
            if release is not None
        }
        for place in self._releases():
            if place not in named:
                remove_folder(place)

    def is_sound(self, kind: BundleKind, release: Release) -> bool:
        """Whether every file of a release is as it was installed."""
        return seal(self.place(kind, release.number)) == release.seal

    def _releases(self) -> list[Path]:
        name = re.compile(f"({'|'.join(BundleKind)})-[0-9]{{1,16}}")
        return [path for path in self.folder.iterdir() if name.fullmatch(path.name)] if self.folder.is_dir() else []

    def _from_folders(self) -> State:
        floors = dict.fromkeys(BundleKind, 0)
        for place in self._releases():
            kind, _, number = place.name.rpartition("-")
            floors[BundleKind(kind)] = max(floors[BundleKind(kind)], int(number))
        return State().model_copy(update={kind.value: Slot(floor=floor) for kind, floor in floors.items()})


def package_version() -> str:
    """The version of the program that runs."""
    return importlib.metadata.version("likeness")


def updates_folder(outbox: Path, updates: Path | None) -> Path:
    """Where updates lie: where the configuration says so, or else beside the outbox."""
    return updates or outbox.with_name("updates")


def store_of(config: Path) -> Store:
    """The store of the terminal with this configuration; raises SettingsError."""
    places = load_settings(config, _Places)
    return Store(config.parent.absolute() / updates_folder(places.outbox, places.updates))


def seal(folder: Path) -> str | None:
    """One digest of every file below a folder; None when it cannot be read or holds anything but files and folders."""
    files: list[tuple[str, str]] = []
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                return None
            if path.is_file():
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                files.append((path.relative_to(folder).as_posix(), digest))
    except OSError:
        return None
    return listing_digest(files)


def free_bytes(folder: Path) -> int:
    """Room on the card."""
    return shutil.disk_usage(folder).free
