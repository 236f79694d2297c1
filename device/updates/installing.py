"""Installs a bundle: whether this terminal wants it, whether it fits, then its files, then the one step that counts."""

from __future__ import annotations

import compileall
import py_compile
from dataclasses import dataclass
from pathlib import Path

from device.config import RELEASED, TerminalSettings
from device.delivery.clocks import Instant
from device.durable import remove_folder
from device.settings import SettingsError, load_settings
from device.updates.bundle import Bundle, UpdateError, unpack
from device.updates.state import DAMAGED, Release, State
from device.updates.store import Store, free_bytes, package_version, seal
from device.wire.fields import ClockState
from device.wire.update import BundleKind, UpdateClaims, is_drawn, version_parts

ROOM_BYTES = 64 * 1024 * 1024
"""What is to stay free: the outbox needs room, too."""
CLOCK_TOLERANCE_S = 86_400


@dataclass(frozen=True, slots=True)
class Installed:
    """What became of it; `changed` is False when there was nothing to do, and `sentence` says why."""

    changed: bool
    sentence: str


def install(store: Store, bundle: Bundle, terminal: str, now: Instant) -> Installed:
    """Installs a bundle on trial, unless there is nothing to do; raises UpdateError or OSError and changes nothing."""
    store.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with store.alone():
        store.mend()
        store.sweep()
        nothing = reason_to_wait(bundle.claims, store.read(), terminal)
        if nothing is not None:
            return Installed(changed=False, sentence=f"{bundle.name}: {nothing}: nothing changed")
        check_date(bundle.claims, now)
        _check_version(bundle.claims, store)
        _check_room(bundle.claims, store.folder)
        release = _unpacked(store, bundle)
        store.change(lambda state: state.installed(bundle.claims.kind, release))
        store.sweep()
    return Installed(changed=True, sentence=f"{bundle.name}: installed, on trial from the next start of the service")


def reason_to_wait(claims: UpdateClaims, state: State, terminal: str) -> str | None:
    """Why there is nothing to do with an update, or None; raises UpdateError for one that may not be installed."""
    if claims.terminals is not None and terminal not in claims.terminals:
        return "is not for this terminal"
    slot = state.slot(claims.kind)
    if slot.current is not None and slot.current.number == claims.number:
        if slot.current.content != claims.content_sha256:
            raise UpdateError("number-taken", f"has the number {claims.number} of another update: make it again")
        return "installed already"
    why = next((one.reason for one in state.failures if (one.kind, one.number) == (claims.kind, claims.number)), None)
    if why not in (None, DAMAGED):
        again = "mend it and make one with a higher number"
        raise UpdateError("failed-before", f"was tried here and given back ({why}): {again}")
    if claims.number < slot.floor or (claims.number == slot.floor and why is None):
        raise UpdateError("older", f"is number {claims.number}, and this terminal had {slot.floor}: bring a newer one")
    if not is_drawn(claims.kind, claims.number, terminal, claims.permille):
        return f"only {claims.permille / 10:g} % of the terminals are to have it yet, and this is none of them"
    if state.trial is not None:
        number = state.slot(state.trial.kind).current
        shown = "" if number is None else f" {number.number}"
        raise UpdateError("on-trial", f"has to wait: {state.trial.kind} update{shown} is on trial, try again later")
    return None


def check_date(claims: UpdateClaims, now: Instant) -> None:
    """Refuses what is too old or not signed yet, as far as the clock is believed; raises UpdateError."""
    if now.state is not ClockState.SYNCED:
        return
    if now.unix_s >= claims.exp:
        raise UpdateError("expired", "has expired: run the same likeness-provision update make again, it is renewed")
    if now.unix_s < claims.iat - CLOCK_TOLERANCE_S:
        raise UpdateError("not-yet", "was signed in the future: set the authority's clock and make it again")


def _check_version(claims: UpdateClaims, store: Store) -> None:
    if claims.kind is not BundleKind.FIRMWARE:
        return
    current = store.read().firmware.current
    held = [package_version(), *([current.version] if current is not None else [])]
    newest = max(held, key=version_parts)
    if version_parts(claims.version) <= version_parts(newest):
        raise UpdateError("older", f"is version {claims.version}, and {newest} is installed: bring a newer one")


def _check_room(claims: UpdateClaims, folder: Path) -> None:
    # Twice: byte code comes beside firmware, and what is on its way into the folder is on the card, too.
    missing = 2 * claims.total_bytes + ROOM_BYTES - free_bytes(folder)
    if missing > 0:
        raise UpdateError("card-full", f"does not fit: free {-(-missing >> 20)} MiB on the card, then run again")


def _unpacked(store: Store, bundle: Bundle) -> Release:
    claims = bundle.claims
    place = store.place(claims.kind, claims.number)
    try:
        digest = _filled(place, bundle)
    except (UpdateError, OSError):
        if place.is_dir():
            remove_folder(place)
        raise
    return Release(number=claims.number, version=claims.version, content=claims.content_sha256, seal=digest)


def _filled(place: Path, bundle: Bundle) -> str:
    unpack(bundle, place)
    if bundle.claims.kind is BundleKind.FIRMWARE:
        # The service writes no byte code: without this every start would compile everything again.
        compileall.compile_dir(place, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    if bundle.claims.kind is BundleKind.CONFIGURATION:
        try:
            load_settings(place / RELEASED, TerminalSettings)
        except SettingsError as error:
            shown = error.faults[0].removeprefix(f"{place}/")
            raise UpdateError("configuration", f"holds a configuration with a fault: {shown}") from None
    digest = seal(place)
    if digest is None:
        raise UpdateError("card-fault", f"cannot be read back from {place}: check the card, then run again")
    return digest
