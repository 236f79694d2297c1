"""Results as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from central.assessment import contradiction
from central.custody import Custody
from central.registry import Registry
from central.review import utc as _utc
from device.wire.anchor import AnchorClaims
from device.wire.claims import Challenge, Grade, Outcome, ResultClaims
from device.wire.envelope import EnvelopeError, Kind, kind_among, open_envelope
from device.wire.fields import ClaimsError
from device.wire.receipt import Verdict

Paint = Callable[[str, str], str]
"""Colours a text: (text, colour) -> text."""
_COLOURS = {"green": "32", "red": "31", "yellow": "33", "bold": "1"}


def plain(text: str, _colour: str) -> str:
    """No colours."""
    return text


def coloured(text: str, colour: str) -> str:
    """Colours for a terminal (ECMA-48)."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


@dataclass(frozen=True, slots=True)
class Again:
    """An envelope of the ledger, verified again; `fault` is empty when it holds."""

    kind: Kind
    kid: str = ""
    fault: str = ""
    claims: ResultClaims | None = None
    anchor: AnchorClaims | None = None


def opened(envelope: bytes, registry: Registry) -> Again:
    """Verifies an envelope again; claims are None when they cannot be read."""
    kind = Kind.RESULT
    try:
        kind = kind_among(envelope, (Kind.RESULT, Kind.ANCHOR))
        signed = open_envelope(envelope, kind, registry.keys)
    except EnvelopeError as error:
        return Again(kind, fault=error.fault.value)
    try:
        if kind is Kind.ANCHOR:
            return Again(kind, signed.kid, anchor=AnchorClaims.read(signed.payload))
        return Again(kind, signed.kid, claims=ResultClaims.read(signed.payload))
    except ClaimsError:
        return Again(kind, signed.kid)


def as_json(custody: Custody, registry: Registry) -> str:
    """One line of JSON: what central says, and the claims as they were signed."""
    again = opened(custody.envelope, registry)
    claims = again.claims or again.anchor
    document: dict[str, Any] = {
        "kind": "anchor" if again.kind is Kind.ANCHOR else "result",
        "number": custody.number,
        "terminal": custody.terminal,
        "epoch": custody.position.epoch,
        "seq": custody.position.seq,
        "sha256": custody.sha256,
        "linked": custody.linked,
        "signature_valid": not again.fault,
        "kid": again.kid,
        "verdict": custody.verdict.value,
        "reason": custody.reason,
        "received": custody.received,
        "receipted": custody.receipted,
        "disputes": custody.disputes,
        "live": again.claims.is_live if again.claims else None,
        "claims": json.loads(claims.write()) if claims else None,
    }
    return json.dumps(document, ensure_ascii=False)


def as_row(custody: Custody, registry: Registry) -> dict[str, object]:
    """A row for a table: no nested values."""
    again = opened(custody.envelope, registry)
    claims, facts, place = again.claims, custody.facts, custody.position
    comparison = claims.comparison if claims else None
    return {
        "number": custody.number,
        "received": _utc(custody.received),
        "terminal": custody.terminal,
        "epoch": place.epoch,
        "seq": place.seq,
        "kind": "anchor" if again.kind is Kind.ANCHOR else "result",
        "verdict": custody.verdict.value,
        "reason": custody.reason or "",
        "signature_valid": not again.fault,
        "outcome": claims.outcome if claims else "",
        "reasons": " ".join(claims.reasons) if claims else "",
        "score": comparison.score if comparison else "",
        "threshold": comparison.threshold if comparison else "",
        "request": facts.request or "",
        "outlet": facts.outlet or "",
        "attendant": facts.attendant or "",
        "transaction": facts.transaction or "",
        "subject": facts.subject or "",
        "source": claims.capture.source if claims else "",
        "firmware": claims.software.firmware if claims else "",
        "disputes": custody.disputes,
        "sha256": custody.sha256,
    }


def as_text(custody: Custody, registry: Registry, paint: Paint = plain) -> str:
    """A paragraph for people."""
    again = opened(custody.envelope, registry)
    kid, fault = again.kid, again.fault
    place = custody.position
    trusted = not fault and custody.verdict is Verdict.ACCEPTED
    if again.anchor is not None:
        lines = [("anchor", paint(f"epoch {place.epoch} begins: {again.anchor.reason}", "yellow"))]
        lines.append(("terminal", custody.terminal))
    else:
        lines = _claims_lines(again.claims, custody.terminal, paint, trusted=trusted)
    lines.append(("chain", f"epoch {place.epoch}, seq {place.seq}, follows {_short(place.prev)}" + _unlinked(custody)))
    lines.append(("signature", paint(f"INVALID ({fault})", "red") if fault else f"valid, key {_short(kid)}"))
    verdict = f"{custody.verdict.value}" + (f" ({custody.reason})" if custody.reason else "")
    lines.append(("verdict", paint(verdict, "green" if custody.verdict is Verdict.ACCEPTED else "yellow")))
    receipt = f"returned {_utc(custody.receipted)}" if custody.receipted is not None else "not sent yet"
    lines.append(("receipt", receipt))
    if custody.disputes:
        lines.append(("disputed", paint(f"by the customer, {custody.disputes} times", "yellow")))
    head = f"#{custody.number}  received {_utc(custody.received)}"
    return "\n".join([paint(head, "bold"), *(f"  {name:<10} {text}" for name, text in lines), ""])


def verification(raw: bytes, registry: Registry) -> tuple[bool, list[tuple[str, str]]]:
    """Checks an envelope on its own; returns whether it holds, and what to print."""
    again = opened(raw, registry)
    claims, kid, fault = again.claims, again.kid, again.fault
    if fault or claims is None:
        return False, [("signature", f"INVALID ({fault})" if fault else "valid"), ("claims", "unreadable")]
    owner = registry.owners[kid]
    against = contradiction(claims)
    genuine = owner.terminal == claims.iss and not owner.revoked and against is None
    standing = "revoked" if owner.revoked else "in force" if owner.terminal == claims.iss else "of another terminal"
    lines = _claims_lines(claims, owner.terminal, plain, trusted=genuine)
    lines += [
        ("signature", f"valid, key {_short(kid)}, {standing}"),
        ("plan", against.value if against else "recomputed"),
    ]
    return genuine, lines


def _claims_lines(claims: ResultClaims | None, terminal: str, paint: Paint, *, trusted: bool) -> list[tuple[str, str]]:
    if claims is None:
        return [("outcome", paint("unreadable", "red")), ("terminal", terminal)]
    colour = "green" if claims.is_verified else "yellow" if claims.outcome == Outcome.WITNESSED else "red"
    shown = paint(claims.outcome.upper(), colour if trusted else "red")
    shown += "" if trusted else " (as claimed: do not rely on it)"
    source = claims.capture.source + ("" if claims.is_live else " (no live camera)")
    lines = [
        ("outcome", f"{shown}  {claims.sentence}"),
        ("terminal", f"{terminal}, {source}, {claims.capture.frames} frames at {claims.capture.fps:.1f} a second"),
    ]
    if claims.request is not None:
        lines.append(("request", f"{claims.request.id} for {claims.request.purpose}, {claims.request.outlet}"))
    else:
        lines.append(("request", "none: offline"))
    if claims.reference is not None:
        sent = claims.reference.grade == Grade.REQUEST
        lines.append(("reference", "sent by central" if sent else paint("read from a printed card", "yellow")))
    if claims.comparison is not None:
        comparison = claims.comparison
        word = "match" if comparison.match else "no match"
        threshold = f"threshold {comparison.threshold:.3f} (false match rate {comparison.fmr})"
        lines.append(("score", f"{comparison.score:.3f} against {threshold}: {word}"))
    if claims.challenge is not None:
        lines += _challenge_lines(claims.challenge)
    return lines


def _challenge_lines(challenge: Challenge) -> list[tuple[str, str]]:
    guess = f"guessed once in {1 / challenge.guess_probability:.0f}" if challenge.guess_probability else "not guessable"
    chosen = ", chosen by the customer" if challenge.alternative else ""
    lines = [("plan", f"{', '.join(challenge.plan)} ({guess}{chosen})")]
    for step in challenge.steps:
        onset = f"{step.onset_s:.2f} s" if step.onset_s is not None else "none"
        done = f"{step.done_s:.2f} s" if step.done_s is not None else "never"
        state = "passed" if step.passed else "not passed"
        lines.append(("step", f"{step.action:<12} cue {step.cue_s:.2f} s, onset {onset}, done {done}, {state}"))
    return lines


def _unlinked(custody: Custody) -> str:
    return "" if custody.linked else " (not part of the chain)"


def _short(digest: str) -> str:
    return digest[:12]
