"""Test sets for `evaluate`: which pictures are compared, and whose they are."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from device.evaluation.compare import CompareError, is_file

MAX_LIST_BYTES = 256 * 1024 * 1024
MAX_FOLDER_PICTURES = 5000  # every pair of them: 12 million
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".pgm", ".ppm"})
_REFERENCES, _PROBES = ("a", "reference", "document"), ("b", "probe", "live")


class TestSetError(CompareError):
    """A test set cannot be used; the message is one line that says what to do."""

    __test__ = False


@dataclass(frozen=True, slots=True, eq=False)
class TestSet:
    """Pairs of pictures with known subjects.

    Attributes:
        name: for the report.
        root: the folder of the pictures.
        pictures: their names below `root`, each once.
        subjects: whose each picture is.
        pairs: (N, 2) indices into `pictures`: the reference and the probe.
    """

    __test__ = False  # pytest: not a test

    name: str
    root: Path
    pictures: tuple[str, ...]
    subjects: tuple[str, ...]
    pairs: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Groups:
    """What is known of subjects: the names of the labels, and each subject's values ("" when unknown)."""

    labels: tuple[str, ...]
    values: dict[str, tuple[str, ...]]


def subject_of(picture: str) -> str:
    """Whose a picture is by its name: the folder it lies in, else the file's name up to the last underscore."""
    path = PurePosixPath(picture)
    return path.parent.name or path.stem.rpartition("_")[0] or path.stem


def read_folder(folder: Path) -> TestSet:
    """Every picture below `folder` against every other, the first by name as reference; raises TestSetError."""
    try:
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES and path.is_file())
    except OSError as error:
        raise TestSetError(f"{_line(folder)}: cannot be read: {error.strerror}") from None
    if not 2 <= len(found) <= MAX_FOLDER_PICTURES:
        limits = f"give a folder with 2 to {MAX_FOLDER_PICTURES}"
        raise TestSetError(f"{_line(folder)}: {len(found)} pictures: {limits}")
    names = tuple(path.relative_to(folder).as_posix() for path in found)
    pairs = np.stack(np.triu_indices(len(names), 1), axis=1).astype(np.int64)
    return _checked(TestSet(_name(folder), folder, names, tuple(map(subject_of, names)), pairs), folder)


def read_list(path: Path, root: Path) -> TestSet:
    """The pairs of a CSV file with a header; raises TestSetError naming file and line.

    The columns are a and b (or reference and probe, or document and live). The optional columns subject_a and subject_b
    say whose the pictures are, else their names do (`subject_of`); the optional column same, 1 or 0, must agree.
    """
    if not root.is_dir():
        raise TestSetError(f"{_line(root)}: not a folder: --root names the folder of the pictures")
    subjects: dict[str, str] = {}
    number: dict[str, int] = {}
    pairs = []
    for where, row in _rows(path, of_pairs=True):
        pair = _pair(row, where)
        for picture, subject in pair:
            if subjects.setdefault(picture, subject) != subject:
                raise TestSetError(f"{where}: {_line(picture)} belongs to two subjects: mend the list")
            number.setdefault(picture, len(number))
        pairs.append((number[pair[0][0]], number[pair[1][0]]))
    missing = [name for name in subjects if not is_file(root / name)]
    if missing:
        count = f"{len(missing)} of {len(subjects)} in {_line(path)} are missing"
        raise TestSetError(f"{_line(root / missing[0])}: no such picture ({count})")
    indices = np.array(pairs, np.int64).reshape(-1, 2)
    return _checked(TestSet(_name(path), root, tuple(subjects), tuple(subjects.values()), indices), path)


def read_groups(path: Path) -> Groups:
    """Labels of subjects: a CSV file with a header, the subject in its first column; raises TestSetError.

    A column of whole numbers, ages for instance, becomes decades; NA and an empty field are unknown.
    """
    rows = [row for _, row in _rows(path)]
    if not rows or len(rows[0]) < 2:
        raise TestSetError(
            f"{_line(path)}: needs a header, a column of subjects and one of labels, and a line for each"
        )
    subject, *labels = rows[0]
    known = [{label: "" if row[label].upper() == "NA" else row[label] for label in labels} for row in rows]
    for label in labels:
        if all(row[label].isdecimal() and len(row[label]) < 4 for row in known if row[label]):
            for row in known:
                row[label] = _decade(row[label])
    values = {row[subject]: tuple(each[label] for label in labels) for row, each in zip(rows, known, strict=True)}
    return Groups(tuple(map(_line, labels)), values)


def _pair(row: dict[str, str], where: str) -> tuple[tuple[str, str], tuple[str, str]]:
    a = next((row[name] for name in _REFERENCES if name in row), "")
    b = next((row[name] for name in _PROBES if name in row), "")
    if not a or not b:
        raise TestSetError(f"{where}: a or b is empty: name a picture in each")
    if a == b:
        raise TestSetError(f"{where}: a picture is compared with itself: remove the line")
    one, other = row.get("subject_a") or subject_of(a), row.get("subject_b") or subject_of(b)
    same = row.get("same", "")
    if same not in {"", "0", "1"}:
        raise TestSetError(f"{where}: same is {same!r:.20}: write 1 for one person, 0 for two")
    if same and (same == "1") != (one == other):
        names = f"subjects {_line(one)} and {_line(other)}: add the columns subject_a and subject_b"
        raise TestSetError(f"{where}: same is {same}, but the names say {names}")
    return (a, one), (b, other)


def _rows(path: Path, *, of_pairs: bool = False) -> Iterator[tuple[str, dict[str, str]]]:
    """Each line as a dictionary, with its place; raises TestSetError for what is no CSV file."""
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise TestSetError(f"{_line(path)}: larger than {MAX_LIST_BYTES // 1024 // 1024} MiB: split it")
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            fields = list(reader.fieldnames or ())
            if of_pairs and not (set(_REFERENCES) & set(fields) and set(_PROBES) & set(fields)):
                raise TestSetError(f"{_line(path)}:1: the header needs the columns a and b")
            for row in reader:
                yield f"{_line(path)}:{reader.line_num}", {name: row[name].strip() for name in fields}
    except OSError as error:
        raise TestSetError(f"{_line(path)}: cannot be read: {error.strerror or error}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise TestSetError(f"{_line(path)}: not a CSV file in UTF-8: {error}") from None


def _checked(test: TestSet, source: Path) -> TestSet:
    """Raises TestSetError unless there is something to measure: pairs of one subject, and pairs of two."""
    subjects = np.unique(np.array(test.subjects, object).astype(str), return_inverse=True)[1]
    genuine = int(np.count_nonzero(subjects[test.pairs[:, 0]] == subjects[test.pairs[:, 1]]))
    for kind, count in (("one subject", genuine), ("two subjects", len(test.pairs) - genuine)):
        if not count:
            rule = "a picture's subject is its folder, or its name up to the last underscore"
            raise TestSetError(f"{_line(source)}: no pair of {kind}: {rule}")
    return test


def _name(source: Path) -> str:
    """The folder's name, where the file's or the last folder's own says nothing."""
    source = source.absolute()
    return _line(source.parent.name if source.stem in {"pairs", "images"} else source.stem)


def _decade(age: str) -> str:
    return f"{int(age) // 10 * 10}-{int(age) // 10 * 10 + 9}" if age else ""


def _line(text: object) -> str:
    """The text on one printable line."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(text))
