"""How the terminals are, verified once for each message and not for each page."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from central.ledger import Ledger
from central.messages import open_message
from central.registry import Registry, TerminalEntry
from central.rule_settings import RuleSettings
from central.verify import RefusedError
from device.wire.birth import BirthClaims, Presence
from device.wire.health import HealthClaims

Claims = TypeVar("Claims", BirthClaims, HealthClaims)


@dataclass(frozen=True, slots=True)
class TerminalState:
    """One terminal as it said last.

    Attributes:
        heard: when anything came last, seconds since 1970.
        state: `online`, `lost`, `stopped`, `silent`, `revoked` or `never-seen`.
        clock_off_s: how far its clock was from central's when it spoke last.
        strange: what differs from what most terminals run: `firmware`, `models`, `configuration`.
    """

    name: str
    entry: TerminalEntry
    birth: BirthClaims | None
    health: HealthClaims | None
    heard: int | None
    state: str
    clock_off_s: int | None
    strange: tuple[str, ...]


class FleetView:
    """The newest births and health, by terminal; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._births: dict[str, tuple[bytes, int, BirthClaims]] = {}
        self._health: dict[str, tuple[bytes, int, HealthClaims]] = {}
        self._registry: Registry | None = None

    def births(self) -> dict[str, tuple[int, BirthClaims]]:
        """As `central.fleet.Fleet.births`."""
        with self._lock:
            return {name: (received, said) for name, (_, received, said) in self._births.items()}

    def health(self) -> dict[str, tuple[int, HealthClaims]]:
        """As `central.fleet.Fleet.health`."""
        with self._lock:
            return {name: (received, said) for name, (_, received, said) in self._health.items()}

    def refresh(self, ledger: Ledger, registry: Registry) -> bool:
        """Reads what is new; returns whether there was any."""
        with self._lock:
            if registry is not self._registry:  # a key may have been revoked
                self._births, self._health, self._registry = {}, {}, registry
            births = _renew(self._births, ledger, "births", registry, BirthClaims)
            health = _renew(self._health, ledger, "health", registry, HealthClaims)
            changed = (births, health) != (self._births, self._health)
            self._births, self._health = births, health
        return changed

    def states(self, registry: Registry, rules: RuleSettings, now: int) -> list[TerminalState]:
        """Every terminal of the registry, by name."""
        births, health = self.births(), self.health()
        silent_s = rules.silent_terminals.minutes * 60 if rules.silent_terminals else float("inf")
        usual = _usual([birth for _, birth in births.values()])
        states = []
        for name, entry in sorted(registry.terminals.items()):
            born, said = births.get(name), health.get(name)
            heard = max((one[0] for one in (born, said) if one), default=None)
            birth, claims = born[1] if born else None, said[1] if said else None
            newest = max((one for one in (born, said) if one), key=lambda one: one[0], default=None)
            strange = tuple(word for word, value in _runs(birth).items() if value != usual[word]) if birth else ()
            off = newest[1].iat - newest[0] if newest else None
            state = _state(entry, birth, heard, now - silent_s)
            states.append(TerminalState(name, entry, birth, claims, heard, state, off, strange))
        return states


def _renew(
    known: dict[str, tuple[bytes, int, Claims]], ledger: Ledger, table: str, registry: Registry, kind: type[Claims]
) -> dict[str, tuple[bytes, int, Claims]]:
    renewed = {}
    rows = ledger.database.rows(f"SELECT terminal, received, envelope FROM {table}")  # noqa: S608 - a name of ours
    for terminal, received, envelope in rows:
        raw = bytes(envelope)
        if terminal in known and known[terminal][0] == raw:
            renewed[terminal] = (raw, received, known[terminal][2])
            continue
        try:
            renewed[terminal] = (raw, received, open_message(raw, terminal, registry, kind)[1])
        except RefusedError:
            continue  # its key was revoked, or left the registry
    return renewed


def _state(entry: TerminalEntry, birth: BirthClaims | None, heard: int | None, silent_since: float) -> str:
    if entry.revoked:
        return "revoked"
    if heard is None:
        return "never-seen"
    presence = birth.presence if birth else Presence.ONLINE
    if heard < silent_since and presence != Presence.STOPPED:
        return "silent"
    return presence if presence in [*Presence] else "unknown"


def _runs(birth: BirthClaims) -> dict[str, str]:
    said = birth.software
    return {
        "firmware": f"{said.firmware} {said.firmware_sha256 or ''}",
        "models": said.models_sha256,
        "configuration": said.configuration_sha256,
    }


def _usual(births: list[BirthClaims]) -> dict[str, str]:
    """What most terminals run."""
    counts: dict[str, Counter[str]] = {}
    for birth in births:
        for word, value in _runs(birth).items():
            counts.setdefault(word, Counter())[value] += 1
    return {word: count.most_common(1)[0][0] for word, count in counts.items()}
