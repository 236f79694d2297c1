"""The rules about terminals as a whole: silent ones, gaps that stay, clocks and versions that are off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from central.alarms import Alarm
from central.custody import OpenGap
from central.rule_settings import Clocks, RuleSettings, Versions
from device.wire.birth import BirthClaims, Presence
from device.wire.fields import ClockState
from device.wire.health import HealthClaims
from device.wire.update import UpdateState

Births = dict[str, tuple[int, BirthClaims]]
Healths = dict[str, tuple[int, HealthClaims]]


def fleet_alarms(
    births: Births, health: Healths, gaps: Iterable[OpenGap], settings: RuleSettings, now: int
) -> Iterator[Alarm]:
    """What is off with the terminals now."""
    if settings.silent_terminals is not None:
        yield from silent(births, health, now - settings.silent_terminals.minutes * 60)
    if settings.clocks is not None:
        yield from _clocks(health, settings.clocks)
    if settings.versions is not None:
        yield from _versions(births, settings.versions)
    if settings.failed_updates is not None:
        yield from _failed_updates(health)
    if settings.old_gaps is not None:
        for gap in gaps:
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
        said, early = birth.software, [canary for canary in rule.canaries if canary.has(terminal)]
        if _is_off(said.firmware, rule.firmware, [canary.firmware for canary in early]):
            yield Alarm("versions", terminal, f"firmware {said.firmware}", f"it runs firmware {said.firmware}")
        if _is_off(said.firmware_sha256, rule.firmware_sha256, [canary.firmware_sha256 for canary in early]):
            digest = said.firmware_sha256
            what = f"its firmware has the digest {digest[:12]}" if digest else "it does not tell its firmware's digest"
            yield Alarm("versions", terminal, f"firmware digest {said.firmware_sha256}", what)
        if _is_off(said.models_sha256, rule.models_sha256, [canary.models_sha256 for canary in early]):
            what = f"its models have the digest {said.models_sha256[:12]}"
            yield Alarm("versions", terminal, f"models {said.models_sha256}", what)


def _is_off(said: str | None, allowed: tuple[str, ...], early: list[tuple[str, ...]]) -> bool:
    return bool(allowed) and said not in allowed and not any(said in more for more in early)


def _failed_updates(health: Healths) -> Iterator[Alarm]:
    for terminal, (_, said) in health.items():
        for mark in said.updates or ():
            if mark.state == UpdateState.FAILED:
                what = f"it gave {mark.kind} update {mark.number} back: {mark.reason or 'it does not say why'}"
                yield Alarm("failed-updates", terminal, f"{mark.kind} {mark.number} {mark.reason}", what)
