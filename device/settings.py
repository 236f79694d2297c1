"""Reads YAML into a pydantic model; every fault is reported with file:line and what to do."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

MAX_BYTES = 256 * 1024
Model = TypeVar("Model", bound=BaseModel)


class Settings(BaseModel):
    """Base of every model read from a file: unknown keys are faults, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SettingsError(ValueError):
    """A settings file cannot be used; `faults` has one `file:line: what` each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class _DuplicateKeyFinder:
    """Walks a composed YAML document: line of each path, and every key that stands twice in one mapping."""

    def __init__(self, root: yaml.Node | None) -> None:
        self.lines: dict[tuple[str | int, ...], int] = {}
        self.duplicates: list[tuple[int, str]] = []
        if root is not None:
            self._walk(root, (), set())

    def _walk(self, node: yaml.Node, path: tuple[str | int, ...], above: set[int]) -> None:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in above:  # an alias that points at its own parent
            return
        inside = above | {id(node)}
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                if name in seen:
                    self.duplicates.append((key.start_mark.line + 1, ".".join(map(str, (*path, name)))))
                seen.add(name)
                self.lines[(*path, name)] = key.start_mark.line + 1
                self._walk(value, (*path, name), inside)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._walk(value, (*path, index), inside)

    def line(self, path: tuple[str | int, ...]) -> int:
        """The line of the deepest part of `path` that the file holds."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse_settings(text: str, name: str, model: type[Model]) -> Model:
    """Returns `text` (YAML) as `model`; raises SettingsError with every fault, each line beginning with `name`:line."""
    try:
        tokens_with_alias = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, yaml.SafeLoader))
        if tokens_with_alias:
            raise SettingsError([f"{name}:1: YAML aliases (*name) are not supported: write the value out"])
        places = _DuplicateKeyFinder(yaml.compose(text, yaml.SafeLoader))
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise SettingsError([f"{name}:{line}: not YAML: {error.problem or error.context}"]) from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        why = str(error).splitlines()[0] if str(error) else "nested too deep"
        raise SettingsError([f"{name}:1: not YAML: {why}"]) from None
    if places.duplicates:
        raise SettingsError([f"{name}:{line}: {key}: stands twice: remove one" for line, key in places.duplicates])
    if not isinstance(document, dict):
        raise SettingsError([f"{name}:1: expected a mapping (key: value), found {_kind(document)}"])
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise SettingsError(sorted(_faults(error, name, places), key=_by_line)) from None


def load_settings(path: Path, model: type[Model]) -> Model:
    """Returns the file as `model`; raises SettingsError when it is missing, unreadable, too large or wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror or error}"]) from None
    if len(raw) > MAX_BYTES:
        raise SettingsError([f"{path}: larger than {MAX_BYTES // 1024} KiB: not a settings file"])
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsError([f"{path}:{line}: not UTF-8 text"]) from None
    return parse_settings(text, str(path), model)


def read_private_file(path: Path) -> bytes:
    """Returns the bytes of a secret file; raises SettingsError when others than its owner may read or write it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(MAX_BYTES)
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror or error}"]) from None
    if mode not in (0o600, 0o400):
        raise SettingsError([f"{path}: its mode is {mode:04o}, so that others may touch a secret: chmod 600 it"])
    return raw


def _faults(error: ValidationError, name: str, places: _DuplicateKeyFinder) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        path = fault["loc"]
        shown = ".".join(map(str, path)) or "document"
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "is not a known key: remove it or mend its spelling"
        elif fault["type"] == "missing":
            message = "is missing: add it"
        elif fault["type"] != "value_error":
            message = f"{message} (found {fault['input']!r:.60})"
        yield f"{name}:{places.line(path)}: {shown}: {message}"


def _by_line(fault: str) -> tuple[int, str]:
    line = fault.rsplit(": ", 2)[0].rpartition(":")[2] if fault.count(": ") >= 2 else ""
    return (int(line) if line.isdigit() else 0, fault)


def _kind(document: object) -> str:
    return "nothing" if document is None else f"a {type(document).__name__}"
