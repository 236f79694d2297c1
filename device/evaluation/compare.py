"""`likeness-terminal compare`: two pictures, or a file of pairs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from device.vision.embedding import Embedding, similarity
from device.vision.reference import PortraitError, PortraitReader

_MAX_PAIRS_BYTES = 256 * 1024 * 1024


class CompareError(ValueError):
    """The input cannot be compared; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison score of two pictures (cosine, -1..1) against the threshold."""

    score: float
    threshold: float

    @property
    def match(self) -> bool:
        """Whether the score reaches the threshold."""
        return self.score >= self.threshold

    def as_json(self) -> dict[str, float | bool]:
        """The promised keys."""
        return {"score": round(self.score, 6), "threshold": self.threshold, "match": self.match}


def compare_pictures(reader: PortraitReader, a: Path, b: Path, threshold: float) -> Comparison:
    """Compares the only face of `a` with that of `b`; raises CompareError when a picture has none or several."""
    try:
        return Comparison(similarity(reader.read(a).embedding, reader.read(b).embedding), threshold)
    except PortraitError as error:
        raise CompareError(str(error)) from None


def compare_pairs(reader: PortraitReader, pairs: Path, root: Path, output: TextIO, messages: TextIO) -> None:
    """Writes a,b,score for each pair of the CSV file `pairs`; the largest central face of a picture counts.

    The pictures lie under `root`; each is embedded once. One without a face leaves its scores empty and one line in
    `messages`, which also shows the progress when it is a terminal. Raises CompareError when the file, a picture or the
    folder is missing or unreadable.
    """
    rows = read_pairs(pairs)
    embeddings = dict(_embedded(reader, root, _names(rows, root, pairs), messages))
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(("a", "b", "score"))
    for a, b in rows:
        one, other = embeddings[a], embeddings[b]
        writer.writerow((a, b, "" if one is None or other is None else f"{similarity(one, other):.6f}"))


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Returns the columns a and b of a CSV file with a header; raises CompareError naming file and line."""
    try:
        if path.stat().st_size > _MAX_PAIRS_BYTES:
            raise CompareError(f"{path}: larger than {_MAX_PAIRS_BYTES // 1024 // 1024} MiB: split it")
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(_rows(path, csv.DictReader(file, strict=True)))
    except OSError as error:
        raise CompareError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise CompareError(f"{path}: not a CSV file in UTF-8: {error}") from None


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[tuple[str, str]]:
    if not {"a", "b"} <= set(reader.fieldnames or ()):
        raise CompareError(f"{path}:1: the header needs the columns a and b")
    for row in reader:
        a, b = row["a"], row["b"]
        if not a or not b:
            raise CompareError(f"{path}:{reader.line_num}: a or b is empty: name a picture in each")
        yield a, b


def _names(rows: Iterable[tuple[str, str]], root: Path, pairs: Path) -> list[str]:
    """Each picture once, in the order of the file; raises CompareError when one is missing, before any work is done."""
    if not root.is_dir():
        raise CompareError(f"{root}: not a folder: --root names the folder of the pictures")
    names = list(dict.fromkeys(name for row in rows for name in row))
    missing = [name for name in names if not is_file(root / name)]
    if missing:
        raise CompareError(
            f"{root / missing[0]}: no such picture ({len(missing)} of {len(names)} in {pairs} are missing)"
        )
    return names


def is_file(path: Path) -> bool:
    """Whether there is such a file; a list may name what no file system takes."""
    try:
        return path.is_file()
    except OSError:  # the name is too long
        return False


def _embedded(
    reader: PortraitReader, root: Path, names: list[str], messages: TextIO
) -> Iterator[tuple[str, Embedding | None]]:
    progress = messages.isatty()
    for number, name in enumerate(names, start=1):
        try:
            portrait = reader.read_central(root / name)
        except PortraitError as error:
            raise CompareError(str(error)) from None
        if portrait is None:
            messages.write(f"{root / name}: no face found: its scores stay empty\n")
        if progress:
            messages.write(f"\r{number} of {len(names)} pictures" + ("\n" if number == len(names) else ""))
            messages.flush()
        yield name, None if portrait is None else portrait.embedding
