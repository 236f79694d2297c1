"""Judgements over keys, permissions, and the way to the broker and to central. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from device.doctor.findings import Finding, Gauge, Level, skipped, well

RENEWAL_SHARE = 1 / 3
ENROL = (
    "likeness-provision token ID at the authority, then here likeness-terminal enrol --config FILE --token-file FILE"
)
_UNREACHED = "no request comes and no result leaves; results wait on the card"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys' folder.

    Attributes:
        folder: it itself, and `loose` the files of it that others may read or write.
        not_before: when the certificate begins to serve, and `not_after` when it ends.
        authority_until: when the broker's authority ends.
        encrypted: the private keys lie there encrypted, under a credential of this machine.
        tpm: there is a TPM that can bind that credential to this board.
    """

    terminal: str
    epoch: int
    folder: str
    loose: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    authority_until: datetime
    encrypted: bool
    tpm: bool


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the user that serves the terminal may do.

    Attributes:
        denied: device nodes that are there and may not be opened.
        unreadable: files that have to be read and cannot be.
        open_files: files that users other than the owner may change.
        unwritable: folders that have to be written and cannot be.
    """

    user: str
    groups: tuple[str, ...]
    denied: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    open_files: tuple[str, ...] = ()
    unwritable: tuple[str, ...] = ()


class Step(IntEnum):
    """How far one comes on the way to central."""

    NAME = 0
    PORT = 1
    TLS = 2
    TRUST = 3
    ADMISSION = 4
    CENTRAL = 5


CHECKS = {
    Step.NAME: "broker's name",
    Step.PORT: "broker's port",
    Step.TLS: "broker speaks TLS",
    Step.TRUST: "broker's certificate",
    Step.ADMISSION: "broker admits us",
    Step.CENTRAL: "central answers",
}


class Obstacle(StrEnum):
    """What stands in the way."""

    UNKNOWN_NAME = "unknown-name"
    NO_NAME_SERVER = "no-name-server"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    NO_TLS = "no-tls"
    FOREIGN = "foreign"
    WRONG_NAME = "wrong-name"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    UNTRUSTED = "untrusted"
    NOT_ADMITTED = "not-admitted"
    CENTRAL_AWAY = "central-away"
    CENTRAL_SILENT = "central-silent"


@dataclass(frozen=True, slots=True)
class Journey:
    """How far the way was open.

    Attributes:
        address: `host:port`.
        passed: what was seen at each step that was passed.
        obstacle: what ended it; None when it went all the way and back.
        detail: the same in the words of whoever said so.
    """

    address: str
    passed: dict[Step, str]
    obstacle: Obstacle | None = None
    detail: str = ""


_DISTRUST = {
    Obstacle.FOREIGN: "its certificate is of a foreign authority: ",
    Obstacle.WRONG_NAME: "its certificate is for another name: ",
    Obstacle.EXPIRED: "its certificate is over: ",
    Obstacle.NOT_YET: "its certificate is of the future: ",
}
_ADVICE = {
    Obstacle.UNKNOWN_NAME: "mend broker.host in the configuration, or the entry in the name server",
    Obstacle.NO_NAME_SERVER: "check the network first, then the name server (resolvectl status)",
    Obstacle.REFUSED: "is the broker running, and broker.port right? Ask who runs it",
    Obstacle.SILENT: "a firewall between here and there drops it: have the port opened, or mend broker.host",
    Obstacle.UNREACHABLE: "check the network: no way leads to that address",
    Obstacle.NO_TLS: "broker.port leads to a listener without TLS: take the one with TLS, usually 8883",
    Obstacle.FOREIGN: "another broker, or somebody in between: mend broker.host; for a new authority enrol again",
    Obstacle.WRONG_NAME: "write broker.host as it stands in the broker's certificate",
    Obstacle.EXPIRED: "who runs the broker has to renew its certificate (likeness-provision broker-keys)",
    Obstacle.NOT_YET: "set this terminal's clock (doctor: clock), then run again",
    Obstacle.UNTRUSTED: "have the broker's certificate looked at by who runs it",
    Obstacle.NOT_ADMITTED: "was the certificate revoked, or is it another authority's (doctor: keys)? Then enrol again",
    Obstacle.CENTRAL_AWAY: "tell central's team: likeness-central run does not listen at this broker",
    Obstacle.CENTRAL_SILENT: "tell central's team: is it running, is this terminal in its registry, and not revoked?",
}


def judge_keys(keys: Keys, now: datetime) -> list[Finding]:
    """Judges the certificate's time, who may read the keys, and how they are kept."""
    findings = [_certificate(keys, now)]
    if keys.loose:
        why = "whoever reads them speaks as this terminal"
        findings.append(
            Finding(
                "keys' files",
                Level.STOPS,
                f"others may touch: {', '.join(keys.loose)}",
                why,
                "chmod go-rwx each of them",
            )
        )
    elif keys.encrypted and keys.tpm:
        findings.append(well("keys' files", f"encrypted in {keys.folder}, and this board has a TPM"))
    else:
        kept = "encrypted, by a key on this very card" if keys.encrypted else "not encrypted"
        told = f"{kept}, in {keys.folder}: whoever takes the card out can copy them (seal the housing)"
        findings.append(Finding("keys' files", Level.NOTE, told))
    return findings


def judge_permissions(told: Permissions) -> Finding:
    """Judges what the terminal's user may open and write, and what others may."""
    who = f"{told.user}, groups {', '.join(told.groups) or 'none'}"
    if told.denied:
        advice = f"usermod --append --groups video,gpio {told.user}, then restart; reinstall for the udev rules"
        return Finding(
            "permissions", Level.STOPS, f"{who}: may not open {', '.join(told.denied)}", "no camera or no panel", advice
        )
    if told.unreadable:
        why, advice = (
            "the terminal does not even start",
            f"chown root:{told.user} and chmod 640 it, and let its folder be passed",
        )
        return Finding("permissions", Level.STOPS, f"{who}: may not read {', '.join(told.unreadable)}", why, advice)
    if told.unwritable:
        why, advice = "no result can be kept, so no session begins", f"chown {told.user} it, or check the mount"
        return Finding("permissions", Level.STOPS, f"{who}: may not write {', '.join(told.unwritable)}", why, advice)
    if told.open_files:
        why = "whoever changes them decides whom this terminal trusts"
        return Finding(
            "permissions", Level.MEND, f"others may change {', '.join(told.open_files)}", why, "chmod go-w each of them"
        )
    return well("permissions", who)


def judge_journey(journey: Journey) -> list[Finding]:
    """One finding for each step: those passed, the one that failed, and those that were not come to."""
    findings: list[Finding] = []
    for step, check in CHECKS.items():
        if step in journey.passed:
            findings.append(well(check, journey.passed[step]))
        elif journey.obstacle is None or any(finding.is_to_do for finding in findings):
            findings.append(skipped(check, "not come so far"))
        else:
            found = f"{journey.address}: {_DISTRUST.get(journey.obstacle, '')}{journey.detail}"
            findings.append(Finding(check, Level.STOPS, found, _UNREACHED, _ADVICE[journey.obstacle]))
    return findings


def _certificate(keys: Keys, now: datetime) -> Finding:
    who = f"{keys.terminal}, chain epoch {keys.epoch}"
    left = (keys.not_after - now).total_seconds() / 86400
    life = (keys.not_after - keys.not_before).total_seconds() / 86400
    until = f"{keys.not_after:%Y-%m-%d %H:%M} UTC"
    refused = "the broker refuses it: no request comes and no result leaves"
    if now >= keys.not_after:
        advice = "likeness-terminal rotate --config FILE (by file with --out), then restart the service"
        return Finding("keys", Level.STOPS, f"{who}: the certificate expired on {until}", refused, advice)
    if now < keys.not_before:
        found = f"{who}: the certificate serves from {keys.not_before:%Y-%m-%d} on, and this clock says {now:%Y-%m-%d}"
        return Finding("keys", Level.STOPS, found, refused, "set the clock: timedatectl set-time, or a time server")
    if now >= keys.authority_until:
        found = f"the broker's authority ended on {keys.authority_until:%Y-%m-%d}"
        return Finding("keys", Level.STOPS, found, "no broker is trusted", ENROL)
    gauge = Gauge("certificate", left, "days", 0.0, max(life, 1.0), life * RENEWAL_SHARE, 1e9)
    found = f"{who}; the certificate serves for {math.floor(left)} more days"
    if left < life * RENEWAL_SHARE:
        why = "it should have been renewed by now, and the broker refuses it once it is over"
        advice = "likeness-terminal rotate --config FILE says what hinders it; is likeness-provision serve running?"
        return Finding("keys", Level.MEND, found, why, advice, gauge)
    return well("keys", found, gauge)
