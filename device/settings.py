"""Reads YAML into a pydantic model; every fault is reported with file:line and what to do."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MERGE = "tag:yaml.org,2002:merge"
_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
Model = TypeVar("Model", bound=BaseModel)


class Settings(BaseModel):
    """Base of every model read from a file: unknown keys are faults, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class SettingsError(ValueError):
    """A settings file cannot be used; `faults` has one `file:line: what` each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class _Document:
    """A composed YAML document: the line of each path, and what no settings file may hold."""

    def __init__(self, root: yaml.Node | None) -> None:
        self.lines: dict[tuple[str | int, ...], int] = {}
        self.faults: list[tuple[int, str]] = []
        if root is not None:
            self._walk(root, ())

    def _walk(self, node: yaml.Node, path: tuple[str | int, ...]) -> None:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            self._walk_mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._walk(value, (*path, index))
        elif not _is_text(node.value):
            self._blame(node, path, "holds a NUL or half a character: write plain text")

    def _walk_mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if key.tag == MERGE:
                self._blame(key, (*path, name), "merging is not supported: write the values out")
            elif name in seen:
                self._blame(key, (*path, name), "stands twice: remove one")
            seen.add(name)
            self.lines[(*path, name)] = key.start_mark.line + 1
            self._walk(value, (*path, name))

    def _blame(self, node: yaml.Node, path: tuple[str | int, ...], what: str) -> None:
        self.faults.append((node.start_mark.line + 1, f"{_shown(path)}: {what}"))

    def line(self, path: tuple[str | int, ...]) -> int:
        """The line of the deepest part of `path` that the file holds."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """Names the line of a date, number or tagged value that cannot be built: PyYAML lets Python's errors through."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError):
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(None, None, f"not a valid {kind}", node.start_mark) from None


def parse_settings(text: str, name: str, model: type[Model]) -> Model:
    """Returns `text` (YAML) as `model`; raises SettingsError with every fault, each line beginning with `name`:line."""
    try:
        _check_tokens(text)
        places = _Document(yaml.compose(text, _Loader))
        document = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refusal(name, [(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}")]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refusal(name, [(line, "not YAML: holds a control character: remove it")]) from None
    if places.faults:
        raise _refusal(name, places.faults)
    if not isinstance(document, dict):
        raise _refusal(name, [(1, f"expected a mapping (key: value), found {_kind(document)}")])
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise _refusal(name, _faults(error, places)) from None


def _check_tokens(text: str) -> None:
    """Raises ComposerError for what PyYAML would take minutes or all memory for: deep nests, and aliases."""
    depth = 0
    for token in yaml.scan(text, _Loader):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested more than {MAX_DEPTH} deep", token.start_mark)
        if isinstance(token, yaml.AliasToken):
            message = "aliases (*name) are not supported, write the value out"
            raise yaml.composer.ComposerError(None, None, message, token.start_mark)


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


def _refusal(name: str, faults: Iterable[tuple[int, str]]) -> SettingsError:
    """One printable line for each fault, in the file's order."""
    lines = (f"{name}:{line}: {what}" for line, what in sorted(faults))
    return SettingsError(
        ["".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line) for line in lines]
    )


def _faults(error: ValidationError, places: _Document) -> Iterator[tuple[int, str]]:
    for fault in error.errors(include_url=False):
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "is not a known key: remove it or mend its spelling"
        elif fault["type"] == "missing":
            message = "is missing: add it"
        elif fault["type"] != "value_error":
            message = f"{message} (found {fault['input']!r:.60})"
        yield places.line(fault["loc"]), f"{_shown(fault['loc'])}: {message}"


def _shown(path: tuple[str | int, ...]) -> str:
    return f"{'.'.join(map(str, path)) or 'document':.120}"


def _is_text(value: str) -> bool:
    """Whether a file name or an address may be made of it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _kind(document: object) -> str:
    return "nothing" if document is None else f"a {type(document).__name__}"
