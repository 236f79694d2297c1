"""The keys' folder in generations, so that new keys take the place of the old ones in one step.

`keys` is a symbolic link to the generation in use, `keys.pending` one to the generation that waits for the authority's
answer; generations are neighbours named `keys.` and eight hexadecimal digits. Renaming the second link over the first
is the one step that counts. A cut anywhere leaves a generation that no link names, which the next run removes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path

from device.durable import move, point_at, remove_folder, sync_folder
from device.wire.enrolment import EnrolmentError


class Generations:
    """The generations of one keys' folder."""

    def __init__(self, keys: Path) -> None:
        """Takes the folder that the configuration names; removes what an interrupted run left."""
        self.keys = keys
        self._waiting = keys.with_name(f"{keys.name}.pending")
        if keys.exists() and not keys.is_symlink():
            raise EnrolmentError(f"{keys}: is a plain folder that enrolment did not make: move it away, then run again")
        self._sweep()

    @property
    def current(self) -> Path | None:
        """The generation in use."""
        return self._target(self.keys)

    @property
    def pending(self) -> Path | None:
        """The generation that waits for an answer."""
        return self._target(self._waiting)

    def begin(self, fill: Callable[[Path], None]) -> Path:
        """Makes the pending generation, which is either whole or not there; one before it is given up."""
        self.keys.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = self.keys.with_name(f"{self.keys.name}.{secrets.token_hex(4)}")
        made.mkdir(mode=0o700)
        fill(made)
        sync_folder(made)
        point_at(self._waiting, made.name)
        self._sweep()
        return made

    def install(self) -> None:
        """Puts the pending generation in use, and removes the one before."""
        move(self._waiting, self.keys)
        self._sweep()

    def _target(self, link: Path) -> Path | None:
        return link.resolve() if link.is_symlink() and link.is_dir() else None

    def _sweep(self) -> None:
        if not self.keys.parent.is_dir():
            return
        kept = {self.current, self.pending}
        name = re.compile(re.escape(self.keys.name) + r"\.[0-9a-f]{8}")
        for path in list(self.keys.parent.iterdir()):
            if name.fullmatch(path.name) and path.resolve() not in kept:
                remove_folder(path)
