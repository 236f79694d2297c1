"""`likeness-terminal update`: install a bundle, ask the authority for one, or say how updates stand."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from device.command_line import Add
from device.config import TerminalSettings, load_own
from device.delivery.clocks import Instant, TerminalClock
from device.delivery.keys import load_terminal_id, load_update_signers
from device.enrolment.identity import read_trust
from device.updates.bundle import UpdateError, open_bundle
from device.updates.installing import Installed, install
from device.updates.network import published
from device.updates.self_test import self_test
from device.updates.store import Store, package_version
from device.wire.update import BundleKind, UpdateState

_NOTHING_TO_DO = {"on-trial", "failed-before", "older"}
"""What is no fault of a fetch: the authority's newest is simply not for now, or central has heard already why not."""
_SHOWN = {
    UpdateState.IN_USE: "in use",
    UpdateState.ON_TRIAL: "on trial: it has to turn for a minute and reach the broker",
    UpdateState.FAILED: "given back",
}


def add_update(add: Add) -> None:
    """Adds `update`."""
    text = (
        "Install a signed update of firmware, models or configuration: from a file, or from the authority."
        " It is tried, and given back when it does not hold. Safe to repeat."
    )
    update = add("update", _update, text, "--config /etc/likeness/terminal.yaml /media/usb/models-7.update")
    update.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="the terminal's configuration (YAML)"
    )
    what = update.add_mutually_exclusive_group(required=True)
    what.add_argument("file", type=Path, nargs="?", metavar="BUNDLE", help="what likeness-provision update make wrote")
    what.add_argument("--fetch", action="store_true", help="ask the authority that the token named")
    what.add_argument("--status", action="store_true", help="say what is in force, on trial, and what was given back")
    what.add_argument("--self-test", action="store_true", help="test what is in force, as each start of a trial does")


def _update(parsed: argparse.Namespace) -> int:
    if parsed.self_test:
        return _self_test(parsed.config)
    settings = load_own(parsed.config)[0]
    try:
        if parsed.status:
            _status(Store(settings.releases))
        elif parsed.fetch:
            _fetch(settings)
        else:
            _from_file(settings, parsed.file)
    except OSError as error:
        where, why = error.filename or "disk", error.strerror or error
        raise UpdateError("card-fault", f"{where}: {why}: nothing changed: mend it, then run again") from None
    return 0


def _self_test(config: Path) -> int:
    reason = self_test(config)
    print(reason or "well")
    return 0 if reason is None else 1


def _checked_store(settings: TerminalSettings) -> Store:
    """The store, for the user it belongs to: what root wrote there, the service could not change any more."""
    store = Store(settings.releases)
    if store.folder.parent.stat().st_uid != os.geteuid():
        advice = "as root, use likeness-service update ..."
        raise UpdateError("other-user", f"{store.folder.parent}: belongs to another user: {advice}")
    return store


def _from_file(settings: TerminalSettings, path: Path) -> None:
    store = _checked_store(settings)
    try:
        with path.open("rb") as stream:
            bundle = open_bundle(stream, load_update_signers(settings.keys))
            done = install(store, bundle, load_terminal_id(settings.keys), _now())
    except UpdateError as error:
        raise UpdateError(error.code, f"{path}: {error}") from None
    _report(done)


def _fetch(settings: TerminalSettings) -> None:
    store = _checked_store(settings)
    server, keys = read_trust(settings.keys).server, load_update_signers(settings.keys)
    if server is None:
        print("the token named no server to ask: carry bundles here, and give their files")
        return
    faults = []
    for kind in BundleKind:
        with published(server, kind) as stream:
            if stream is None:
                print(f"{kind}: the authority has none")
                continue
            try:
                bundle = open_bundle(stream, keys)
                _report(install(store, bundle, load_terminal_id(settings.keys), _now()))
            except UpdateError as error:
                line = f"{kind}: the authority's bundle {error}"
                print(line) if error.code in _NOTHING_TO_DO else faults.append(line)
    if faults:
        raise UpdateError("refused", "\n".join(faults))


def _status(store: Store) -> None:
    state = store.read()
    print(f"package: {package_version()}")
    for mark in state.marks():
        release = state.slot(BundleKind(mark.kind)).current
        version = f" (version {release.version})" if release is not None and release.number == mark.number else ""
        why = f": {mark.reason}" if mark.reason else ""
        print(f"{mark.kind}: update {mark.number}{version}: {_SHOWN[UpdateState(mark.state)]}{why}")
    if not state.marks():
        print("no updates: the package's own firmware and models, the terminal's own configuration")


def _report(done: Installed) -> None:
    print(done.sentence)


def _now() -> Instant:
    return TerminalClock().read()
