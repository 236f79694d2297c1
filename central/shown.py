"""Results as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from central.assessment import contradiction
from central.custody import Custody
from central.registry import Registry
from device.wire.claims import Challenge, Grade, ResultClaims
from device.wire.envelope import EnvelopeError, Kind, open_envelope
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


def opened(envelope: bytes, registry: Registry) -> tuple[ResultClaims | None, str, str]:
    """Verifies an envelope again; returns claims (None when unreadable), key id, and fault (empty when valid)."""
    try:
        signed = open_envelope(envelope, Kind.RESULT, registry.keys)
    except EnvelopeError as error:
        return None, "", error.fault.value
    try:
        return ResultClaims.read(signed.payload), signed.kid, ""
    except ClaimsError:
        return None, signed.kid, ""


def as_json(custody: Custody, registry: Registry) -> str:
    """One line of JSON: what central says, and the claims as they were signed."""
    claims, kid, fault = opened(custody.envelope, registry)
    document: dict[str, Any] = {
        "number": custody.number,
        "terminal": custody.terminal,
        "epoch": custody.position.epoch,
        "seq": custody.position.seq,
        "sha256": custody.sha256,
        "linked": custody.linked,
        "signature_valid": not fault,
        "kid": kid,
        "verdict": custody.verdict.value,
        "reason": custody.reason,
        "received": custody.received,
        "receipted": custody.receipted,
        "live": claims.is_live if claims else None,
        "claims": json.loads(claims.write()) if claims else None,
    }
    return json.dumps(document, ensure_ascii=False)


def as_text(custody: Custody, registry: Registry, paint: Paint = plain) -> str:
    """A paragraph for people."""
    claims, kid, fault = opened(custody.envelope, registry)
    place = custody.position
    trusted = not fault and custody.verdict is Verdict.ACCEPTED
    lines = _claims_lines(claims, custody.terminal, paint, trusted=trusted)
    lines.append(("chain", f"epoch {place.epoch}, seq {place.seq}, follows {_short(place.prev)}" + _unlinked(custody)))
    lines.append(("signature", paint(f"INVALID ({fault})", "red") if fault else f"valid, key {_short(kid)}"))
    verdict = f"{custody.verdict.value}" + (f" ({custody.reason})" if custody.reason else "")
    lines.append(("verdict", paint(verdict, "green" if custody.verdict is Verdict.ACCEPTED else "yellow")))
    receipt = f"returned {_utc(custody.receipted)}" if custody.receipted is not None else "not sent yet"
    lines.append(("receipt", receipt))
    head = f"#{custody.number}  received {_utc(custody.received)}"
    return "\n".join([paint(head, "bold"), *(f"  {name:<10} {text}" for name, text in lines), ""])


def verification(raw: bytes, registry: Registry) -> tuple[bool, list[tuple[str, str]]]:
    """Checks an envelope on its own; returns whether it holds, and what to print."""
    claims, kid, fault = opened(raw, registry)
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
    shown = paint(claims.outcome.upper(), "green" if claims.is_verified and trusted else "red")
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
    lines = [("plan", f"{', '.join(challenge.plan)} ({guess})")]
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


def _utc(unix_s: int) -> str:
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
