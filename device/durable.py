"""Files that a power cut leaves whole: either as they were, or as they were to become."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE, PUBLIC = 0o600, 0o644


def replace_file(path: Path, raw: bytes, mode: int | None = PRIVATE) -> bool:
    """Gives `path` these bytes in one step; returns False, and writes nothing, when it has them already.

    A `mode` of None is for file systems that know none, such as a card's boot partition.
    """
    if _holds(path, raw, mode):
        return False
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode or PUBLIC)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return True


def point_at(link: Path, target: str) -> None:
    """Makes `link` a symbolic link to its neighbour `target` in one step; raises OSError where no link may stand."""
    draft = link.with_name(f".{link.name}.new")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)
    sync_folder(link.parent)


def move(source: Path, target: Path) -> None:
    """Puts `source` in the place of `target` in one step."""
    source.replace(target)
    sync_folder(target.parent)


def remove_folder(path: Path) -> None:
    """Removes a folder that nothing points at any more; a cut leaves the rest of it for the next run."""
    shutil.rmtree(path)
    sync_folder(path.parent)


def shred(path: Path) -> None:
    """Overwrites a file with zeros and removes it; a flash card may keep old blocks all the same."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink()
    sync_folder(path.parent)


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Holds the lock file `path`, and says whether it could: otherwise another process does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether another process holds the lock file `path`; touches nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sync_folder(path: Path) -> None:
    """Makes sure that the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _holds(path: Path, raw: bytes, mode: int | None) -> bool:
    try:
        return path.read_bytes() == raw and mode in (None, path.stat().st_mode & 0o777)
    except FileNotFoundError:
        return False
