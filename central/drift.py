"""The rules about terminals as a whole: silent ones, gaps that stay, clocks and versions that are off."""

from __future__ import annotations

from collections.abc import Iterator

from central.alarms import Alarm
from central.ledger import Ledger
from central.registry import Registry
from central.rule_settings import Clocks, RuleSettings, Versions
from device.wire.birth import BirthClaims, Presence
from device.wire.fields import ClockState
from device.wire.health import HealthClaims

Births = dict[str, tuple[int, BirthClaims]]
Healths = dict[str, tuple[int, HealthClaims]]


def fleet_alarms(ledger: Ledger, registry: Registry, settings: RuleSettings, now: int) -> Iterator[Alarm]:
    """What is off with the terminals now."""
    births, health = ledger.fleet.births(registry), ledger.fleet.health(registry)
    if settings.silent_terminals is not None:
        yield from silent(births, health, now - settings.silent_terminals.minutes * 60)
    if settings.clocks is not None:
        yield from _clocks(health, settings.clocks)
    if settings.versions is not None:
        yield from _versions(births, settings.versions)
    if settings.old_gaps is not None:
        for gap in ledger.gaps():
            if gap.noticed < now - settings.old_gaps.minutes * 60:
                what = f"epoch {gap.epoch}: seq {gap.first} to {gap.last} never came"
                yield Alarm("old-gaps", gap.terminal, f"{gap.epoch} {gap.first} {gap.last}", what)


def silent(births: Births, health: Healths, since: float) -> Iterator[Alarm]:
    """Terminals from which nothing came since a time, and that did not say goodbye."""
    for terminal in births.keys() | health.keys():
        heard = max(said[terminal][0] for said in (births, health) if terminal in said)
        presence = births[terminal][1].presence if terminal in births else Presence.ONLINE
        if heard < since and presence != Presence.STOPPED:
            yield Alarm("silent-terminals", terminal, str(heard), f"nothing came since {heard}; it was {presence}")


def _clocks(health: Healths, rule: Clocks) -> Iterator[Alarm]:
    for terminal, (received, said) in health.items():
        off = said.iat - received
        if abs(off) > rule.seconds:
            yield Alarm("clocks", terminal, f"off {said.boot}", f"its clock is {off:+d} s off ({said.clock})")
        if said.clock == ClockState.STEPPED:
            yield Alarm("clocks", terminal, f"stepped {said.boot}", "its clock jumped after it had been synchronised")


def _versions(births: Births, rule: Versions) -> Iterator[Alarm]:
    for terminal, (_, birth) in births.items():
        said = birth.software
        if rule.firmware and said.firmware not in rule.firmware:
            yield Alarm("versions", terminal, f"firmware {said.firmware}", f"it runs firmware {said.firmware}")
        if rule.models_sha256 and said.models_sha256 not in rule.models_sha256:
            what = f"its models have the digest {said.models_sha256[:12]}"
            yield Alarm("versions", terminal, f"models {said.models_sha256}", what)
