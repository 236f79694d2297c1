"""What an auditor wants to see of a ledger, as rows under titles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from central.custody import Custody
from central.disputes import Dispute
from central.drift import Births, Healths, fleet_alarms
from central.ledger import Ledger
from central.registry import Registry
from central.rule_settings import RuleSettings
from device.wire.anchor import AnchorClaims, ChainPlace
from device.wire.chain import ChainHead
from device.wire.fields import ClaimsError, decode_base64url

Rows = list[dict[str, Any]]
DAY_S = 86_400


def review(ledger: Ledger, registry: Registry, rules: RuleSettings, now: int, days: int) -> dict[str, Rows]:
    """Everything that somebody should look at, of the last `days`; gaps and terminals as they are now."""
    since = now - days * DAY_S
    births, health, gaps = ledger.fleet.births(registry), ledger.fleet.health(registry), ledger.gaps()
    return {
        "alarms": [
            {"raised": utc(alarm.raised), "rule": alarm.rule, "about": alarm.about, "what": alarm.sentence}
            for alarm in ledger.alarms.since(since)
        ],
        "disputes": [_dispute(dispute) for dispute in ledger.disputes.since(0) if dispute.received >= since],
        "gaps": [
            {
                "terminal": gap.terminal,
                "epoch": gap.epoch,
                "first": gap.first,
                "last": gap.last,
                "noticed": utc(gap.noticed),
            }
            for gap in gaps
        ],
        "set apart": [_apart(custody) for custody in ledger.quarantined(since)],
        "anchors": [_anchor(custody, ledger) for custody in ledger.anchors()],
        "refused": [
            {"terminal": terminal, "reason": reason, "times": times} for terminal, reason, times in ledger.refusals()
        ],
        "off now": [
            {"terminal": alarm.about, "rule": alarm.rule, "what": alarm.sentence}
            for alarm in fleet_alarms(births, health, gaps, rules, now)
        ],
        "terminals": _terminals(registry, births, health),
    }


def _dispute(dispute: Dispute) -> dict[str, Any]:
    """Without the customer's words: they may name somebody."""
    return {
        "received": utc(dispute.received),
        "number": dispute.number,
        "result": dispute.custody,
        "objection": dispute.objection.value,
        "answer": dispute.answers[-1].decision.value if dispute.answers else "none yet",
    }


def _apart(custody: Custody) -> dict[str, Any]:
    place = custody.position
    return {
        "received": utc(custody.received),
        "number": custody.number,
        "terminal": custody.terminal,
        "epoch": place.epoch,
        "seq": place.seq,
        "reason": custody.reason,
    }


def _anchor(custody: Custody, ledger: Ledger) -> dict[str, Any]:
    """An anchor, and what was lost between the newest that central holds of the epoch before and what it names."""
    row = _apart(custody) | {"reason": None, "verdict": custody.verdict.value}
    held = ledger.head(custody.terminal, custody.position.epoch - 1)
    row["central_held"] = held.seq if held else 0
    try:
        claims = AnchorClaims.read(decode_base64url(custody.envelope.split(b".")[1].decode()))
    except ClaimsError:
        return row
    previous = claims.previous
    row |= {"reason": claims.reason, "previous": previous.seq if previous else None}
    row["lost"] = _lost(previous, held)
    return row


def _lost(named: ChainPlace | None, held: ChainHead | None) -> str:
    """In words: the terminal may know more than central, less, or something else."""
    if named is None or held is None:
        return "unknown"
    if named.seq > held.seq:
        return f"seq {held.seq + 1} to {named.seq}"
    if named.seq < held.seq:
        return f"nothing at central; the terminal forgot seq {named.seq + 1} to {held.seq}"
    return "nothing" if named.sha256 == held.sha256 else "the two chains differ"


def _terminals(registry: Registry, births: Births, health: Healths) -> Rows:
    rows = []
    for terminal, entry in sorted(registry.terminals.items()):
        row: dict[str, Any] = {"terminal": terminal, "outlet": entry.outlet, "presence": "never seen"}
        if terminal in births:
            received, birth = births[terminal]
            row |= {"presence": birth.presence, "heard": utc(received), "firmware": birth.software.firmware}
        if terminal in health:
            received, said = health[terminal]
            row |= {"heard": utc(received), "outbox": said.outbox, "waiting": said.waiting, "camera": said.camera}
            row |= {"temperature_c": said.temperature_c, "paused": said.paused or None}
        rows.append(row)
    return rows


def utc(unix_s: int) -> str:
    """A time for people."""
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
