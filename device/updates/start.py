"""The start of the program: which release runs, one start less for what is on trial, and the self-test before it.

It always runs from the package, however new the firmware in force is: what gives an update back is never replaced.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import device
from device.settings import SettingsError
from device.updates.state import DAMAGED, State
from device.updates.store import Store, package_version, store_of
from device.wire.update import BundleKind, version_parts

LOG = logging.getLogger(__name__)
SELF_TEST_S = 60.0
OUR_OWN = Path(device.__file__).parents[1]
_ENTRY = "import sys; sys.path.insert(0, sys.argv.pop(1)); from device.__main__ import main; sys.exit(main())"
_CODE = re.compile(r"[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?")
_CONFIG = "--config"


def hand_over(arguments: Sequence[str]) -> None:
    """Goes on as the firmware in force, and does not return then; a start of the daemon is counted and tested first."""
    config = _config(arguments)
    if config is None or arguments[0] == "update":
        return
    try:
        store = store_of(config)
        if not store.folder.is_dir():
            return
    except (SettingsError, OSError):
        return  # the command itself says so, by line
    if arguments[0] == "run":
        try:
            begin(store, lambda: self_test(store, config))
        except OSError as error:
            LOG.error("the start of an update could not be counted: %s", error)
    release = firmware(store)
    if release is not None:
        sys.stdout.flush()
        command = _command(release, arguments)
        os.execv(command[0], command)  # noqa: S606 - our own interpreter


def is_on_trial(config: Path) -> bool:
    """Whether something that is in force has yet to hold: then no fault is final."""
    try:
        return store_of(config).read().trial is not None
    except SettingsError:
        return False


def begin(store: Store, test: Callable[[], str | None]) -> State:
    """Counts a start, gives back what does not hold, and returns what is to run; `test` returns why not, or None."""
    with store.alone():
        before = store.read()
        state = store.change(lambda state: _without_damage(store, _without_older(state.started())))
    if state.trial is not None and (reason := test()) is not None:
        kind = state.trial.kind
        with store.alone():
            state = store.change(lambda state: _without_damage(store, state.given_back(kind, reason)))
    for failure in state.failures:
        if failure not in before.failures:
            LOG.error("update given back kind=%s number=%d reason=%s", failure.kind, failure.number, failure.reason)
    return state


def firmware(store: Store) -> Path | None:
    """The firmware in force; None: the package's own, which may be newer by now."""
    current = _without_older(store.read()).firmware.current
    return None if current is None else store.place(BundleKind.FIRMWARE, current.number)


def self_test(store: Store, config: Path) -> str | None:
    """Lets the release in force test itself in a process of its own; returns why it may not run, or None."""
    command = _command(firmware(store) or OUR_OWN, ["update", "--self-test", _CONFIG, str(config)])
    try:
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, timeout=SELF_TEST_S, text=True)
    except subprocess.TimeoutExpired:
        return "self-test-hung"
    if done.returncode == 0:
        return None
    word = done.stdout.strip()
    return word if _CODE.fullmatch(word) else "self-test-crashed"


def _without_older(state: State) -> State:
    """Firmware gives way to a package that is as new."""
    current = state.firmware.current
    newer = current is None or version_parts(current.version) > version_parts(package_version())
    return state if newer else state.superseded(BundleKind.FIRMWARE)


def _without_damage(store: Store, state: State) -> State:
    """Gives back every release whose files are no more as they were installed."""
    for kind in BundleKind:
        while (current := state.slot(kind).current) is not None and not store.is_sound(kind, current):
            state = state.given_back(kind, DAMAGED)
    return state


def _command(root: Path, arguments: Sequence[str]) -> list[str]:
    # -B: nothing is added to a release, whose every file is sealed.
    return [sys.executable, "-I", "-B", "-c", _ENTRY, str(root), *arguments]


def _config(arguments: Sequence[str]) -> Path | None:
    for index, argument in enumerate(arguments):
        if argument == _CONFIG and index + 1 < len(arguments):
            return Path(arguments[index + 1])
        if argument.startswith(f"{_CONFIG}="):
            return Path(argument.partition("=")[2])
    return None
