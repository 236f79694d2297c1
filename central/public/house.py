"""Everything that the public page needs, and the one thing that it does: to look up a slip, always at the same cost."""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from central.config import CentralSettings
from central.disputes import Dispute, Disputes
from central.ledger import Ledger, open_database
from central.numbers import NumberError, customer_number
from central.public.registration import Registration, registration
from central.registry import LiveRegistry
from central.slips import Slips
from central.subjects import KEY_BYTES, number_pseudonym, read_pseudonym_key
from central.web.attempts import STEP, WINDOW_S, Attempts, Refusal, network_of
from central.web.readers import Readers
from central.web.store import Store
from device.wire.slip import ENTROPY_BYTES, SlipCodeError, read_code, slip_code, slip_digest

LOG = logging.getLogger(__name__)
Wall = Callable[[], float]
PER_ADDRESS, PER_CODE, TOGETHER = 20, 10, 3000
"""Look-ups that find nothing, within a quarter of an hour: of one address, of one code, and of all.

Whoever found a slip must not try numbers from a thousand addresses.
"""
EVERYBODY = "everybody"
HASHING_AT_ONCE = threading.Semaphore(2)


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed: the slip's code, and a phone number."""

    code: str = field(repr=False)
    number: str = field(repr=False)


class House:
    """The public page's parts; for any number of threads."""

    def __init__(self, settings: CentralSettings, wall: Wall = time.time) -> None:
        """Opens ledger, registry and store; raises LedgerError and SettingsError."""
        self.settings, self.wall = settings, wall
        self.zone = ZoneInfo(settings.public.timezone)
        key = settings.keys.numbers
        # Without a key central was told no number: then none fits, and each takes as long as with one.
        self._key = read_pseudonym_key(key) if key else secrets.token_bytes(KEY_BYTES)
        self._registry = LiveRegistry(settings.registry)
        self._readers = Readers(settings.ledger)
        try:
            self._store = Store(settings.public.store, wall, (STEP,))
        except BaseException:
            self._readers.close()
            raise
        self.attempts = Attempts(self._store, wall)
        self._nobodys = slip_code(secrets.token_bytes(ENTROPY_BYTES))
        self._told = 0

    @property
    def now(self) -> int:
        """Seconds since 1970."""
        return int(self.wall())

    def look_up(self, typed: Typed, address: str) -> Registration | Refusal | None:
        """What a slip stands for; None when there is nothing under this code and number, whyever.

        A code that is none, an unknown one and another's number cost the same: one digest, one pseudonym, the same
        queries. It is counted before it is looked at, and uncounted when it was no guess.
        """
        counted = {
            f"address {network_of(address)}": PER_ADDRESS,
            f"code {self._attempted(typed.code)}": PER_CODE,
            EVERYBODY: TOGETHER,
        }
        refusal = self.attempts.admit(counted)
        if refusal is not None:
            self._tell_of(refusal)
            return refusal
        found = self._found(typed)
        if found is not None:
            self.attempts.take_back(counted)
        return found

    def dispute(self, dispute: Dispute) -> int:
        """Writes a dispute down; raises DisputeError. By a connection opened for it: all others only read."""
        database = open_database(self.settings.ledger, create=False)
        try:
            return Disputes(database).add(dispute)
        finally:
            database.close()

    def close(self) -> None:
        """Closes what is open."""
        self._readers.close()
        self._store.close()

    def _found(self, typed: Typed) -> Registration | None:
        try:
            code, is_code = read_code(typed.code), True
        except SlipCodeError:
            code, is_code = self._nobodys, False
        with HASHING_AT_ONCE:
            digest = slip_digest(code)
        with self._readers.lend() as ledger:
            return self._read(ledger, digest, self._pseudonym(typed.number), is_code=is_code)

    def _read(self, ledger: Ledger, digest: str, number: str, *, is_code: bool) -> Registration | None:
        registry = self._registry.current()
        results = (registration(one, digest, registry) for one in ledger.slips.find(digest, number))
        found = next((one for one in results if one is not None), None)
        disputes = ledger.disputes.of(found.number if found else 0)
        return replace(found, disputes=tuple(disputes)) if found and is_code else None

    def _attempted(self, typed: str) -> str:
        """What attempts at a code are counted under, whether it is one or not: whoever reads the store learns none."""
        with contextlib.suppress(SlipCodeError):
            typed = read_code(typed)
        return hmac.digest(self._key, b"likeness/v1/attempt\0" + typed.encode(), "sha256").hex()

    def _pseudonym(self, typed: str) -> str:
        try:
            number = customer_number(typed, self.settings.public.region)
        except NumberError:
            number = ""
        return number_pseudonym(self._key, number)

    def _tell_of(self, refusal: Refusal) -> None:
        """Writes down, once in a window, that everybody has to wait: an alarm for auditors."""
        if refusal.about != EVERYBODY or self.now < self._told + WINDOW_S:
            return
        self._told = self.now
        LOG.warning("slips are guessed: everybody waits %d s", refusal.wait_s)
        database = open_database(self.settings.ledger, create=False)
        try:
            Slips(database).note_guessing(self.now, TOGETHER)
        finally:
            database.close()
