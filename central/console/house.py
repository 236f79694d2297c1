"""Everything that the pages need, in one place, and how it is put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from central.config import CentralSettings
from central.console.accounts import Accounts
from central.console.acts import Acts
from central.console.fleet import FleetView
from central.console.sign_ins import SignIns
from central.console.store import open_store
from central.console.tallies import Tallies
from central.console.watch import LOOK_S, Watch
from central.registry import LiveRegistry
from central.web.attempts import Attempts
from central.web.readers import Readers
from central.web.store import Store
from device.settings import SettingsError, read_private_file
from device.wire.keys import KeyFormatError, parse_unsealing_key

Wall = Callable[[], float]


@dataclass(frozen=True, slots=True)
class House:
    """The console's parts; `evidence_key` is None where sealed evidence stays sealed."""

    settings: CentralSettings
    zone: ZoneInfo
    wall: Wall
    registry: LiveRegistry
    readers: Readers
    store: Store
    accounts: Accounts
    sign_ins: SignIns
    attempts: Attempts
    acts: Acts
    tallies: Tallies
    fleet: FleetView
    watch: Watch
    evidence_key: X25519PrivateKey | None = field(repr=False)

    @property
    def now(self) -> int:
        """Seconds since 1970."""
        return int(self.wall())

    def close(self) -> None:
        """Ends the watch and closes what is open."""
        self.watch.stop()
        self.readers.close()
        self.store.close()


def open_house(
    settings: CentralSettings,
    *,
    on_failure: Callable[[], None],
    wall: Wall = time.time,
    hasher: PasswordHasher | None = None,
    look_s: float = LOOK_S,
) -> House:
    """Opens ledger, registry and store; raises LedgerError and SettingsError."""
    console = settings.console
    evidence_key = _evidence_key(settings)
    registry = LiveRegistry(settings.registry)
    readers = Readers(settings.ledger)
    try:
        store = open_store(console.store, wall)
    except BaseException:
        readers.close()
        raise
    accounts = Accounts(store, wall, hasher)
    accounts.check("", "")  # the first stranger waits as long as every other
    tallies, fleet = Tallies(store), FleetView()
    return House(
        settings=settings,
        zone=ZoneInfo(console.timezone),
        wall=wall,
        registry=registry,
        readers=readers,
        store=store,
        accounts=accounts,
        sign_ins=SignIns(store, console, wall),
        attempts=Attempts(store, wall),
        acts=Acts(store, wall),
        tallies=tallies,
        fleet=fleet,
        watch=Watch(readers, tallies, fleet, registry, on_failure=on_failure, look_s=look_s),
        evidence_key=evidence_key,
    )


def _evidence_key(settings: CentralSettings) -> X25519PrivateKey | None:
    path = settings.console.evidence_key
    if path is None:
        return None
    try:
        return parse_unsealing_key(read_private_file(path))
    except KeyFormatError as error:
        raise SettingsError([f"{path}: {error}"]) from None
