"""The journal of a campaign: each trial is on the disk when it ends, and a campaign that was stopped goes on there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

from device.evaluation.redteam.gallery import GalleryError
from device.evaluation.redteam.trial import Trial

JOURNAL = "trials.jsonl"


class Journal:
    """One campaign's trials, a line each, below a line that says what they were measured with."""

    def __init__(self, folder: Path, heading: dict[str, Any]) -> None:
        """Opens or begins the journal in `folder`; raises GalleryError when it is another campaign's, or OSError."""
        path = folder / JOURNAL
        self.trials: list[Trial] = []
        whole = self._read(path, heading) if path.exists() else 0
        self._file: IO[str] = path.open("r+" if whole else "w", encoding="utf-8")
        if whole:
            self._file.truncate(whole)
            self._file.seek(whole)
        else:
            self._write(heading)

    def add(self, trial: Trial) -> None:
        """Keeps one more."""
        self.trials.append(trial)
        self._write(trial.as_json())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _read(self, path: Path, heading: dict[str, Any]) -> int:
        """Reads what is there; returns how many bytes of it are whole lines: the last may have been cut off."""
        content = path.read_bytes()
        content = content[: content.rfind(b"\n") + 1]
        try:
            first, *others = [json.loads(line) for line in content.splitlines()] or [None]
            self.trials = [Trial.from_json(each) for each in others]
        except (ValueError, TypeError):
            raise GalleryError(f"{path}: is no journal of a campaign: name another folder") from None
        if first not in (heading, None):
            raise GalleryError(f"{path}: belongs to another seed, runtime or models: name another folder")
        return len(content)

    def _write(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
