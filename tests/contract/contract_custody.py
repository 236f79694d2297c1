"""Vectors of what reaches central on the result topics, in its order: custody, verdict and reason for each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import contract_messages as messages
from contract_envelopes import signed
from contract_keys import OLD_RESULT_KEY, RESULT_KEYS, STRANGER
from contract_messages import GENESIS, Document, changed, without

from device.wire.envelope import Kind

Arrival = tuple[str, bytes, str]
"""The topic's terminal, the envelope, and what becomes of it: `accepted`, `quarantined: ...` or `refused: ...`."""


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def result(seq: int, prev: bytes | None = None, terminal: str = "shop-1", epoch: int = 1, **changes: Any) -> bytes:
    """A short result that follows `prev`."""
    claims = messages.declined(seq, digest(prev) if prev else GENESIS, epoch, terminal)
    return signed(Kind.RESULT, claims | changes, RESULT_KEYS[terminal])


def vectors() -> list[Document]:
    """custody.json."""
    made = [_scenario(name, arrivals, gaps) for name, arrivals, gaps in [*_chains(), *_epochs()]]
    made += [_scenario(name, [arrival]) for name, arrival in _refused()]
    made += [_scenario(f"{reason}: {name}", [_one(claims, reason)]) for name, claims, reason in _against_itself()]
    made += _against_requests()
    rehearsed = signed(Kind.RESULT, changed(messages.declined(), "capture.source", "rehearsal"))
    made.append(_scenario("a rehearsal in rehearsal mode", [("shop-1", rehearsed, "accepted")]) | {"rehearsal": True})
    return made


def _scenario(name: str, arrivals: list[Arrival], gaps: list[list[int]] | None = None) -> Document:
    """`gaps`: epoch, first and last place of every hole that is left at shop-1."""
    return {
        "name": name,
        "rehearsal": False,
        "requests": [],
        "arrivals": [
            {"terminal": terminal, "envelope": raw.decode(), "expect": expect} for terminal, raw, expect in arrivals
        ],
        "gaps": gaps or [],
    }


def _one(claims: Document, reason: str) -> Arrival:
    return "shop-1", signed(Kind.RESULT, claims), reason if reason == "accepted" else f"quarantined: {reason}"


def _chains() -> Iterator[tuple[str, list[Arrival], list[list[int]]]]:
    def arrive(*arrivals: tuple[bytes, str]) -> list[Arrival]:
        return [("shop-1", raw, expect) for raw, expect in arrivals]

    good, fork = "accepted", "quarantined: fork"
    first = result(1)
    second = result(2, first)
    third = result(3, second)
    other = result(2, first, uptime_s=1.0)
    yield "a chain in order", arrive((first, good), (second, good), (third, good)), []
    yield "replayed results", arrive((first, good), (second, good), (first, good), (second, good)), []
    yield "a gap", arrive((first, good), (third, good)), [[1, 2, 2]]
    yield "a gap that is filled", arrive((first, good), (third, good), (second, good)), []
    yield "a gap at the beginning", arrive((third, good)), [[1, 1, 2]]
    yield "everything the other way round", arrive((third, good), (second, good), (first, good)), []
    yield "a gap, and something else for it", arrive((first, good), (third, good), (other, fork)), [[1, 2, 2]]
    yield "two results for one place", arrive((first, good), (second, good), (other, fork)), []
    yield "a fork that comes again", arrive((first, good), (second, good), (other, fork), (other, fork)), []
    yield "a fork at the first place", arrive((first, good), (result(1, uptime_s=1.0), fork)), []
    yield "what follows a fork", arrive((first, good), (second, good), (other, fork), (result(3, other), fork)), []
    yield "a result that follows nothing held", arrive((first, good), (result(2, third), fork)), []
    yield "a first result that follows something", arrive((result(1, third), fork)), []
    yield "zeros at the second place", arrive((first, good), (result(2), fork)), []
    broken = signed(Kind.RESULT, messages.declined() | {"outcome": 7})
    after = arrive((broken, "quarantined: malformed-claims"), (result(2, broken), good))
    yield "a quarantined result keeps its place", after, []
    yield "a quarantined result again", [after[0], after[0]], []


def _epochs() -> Iterator[tuple[str, list[Arrival], list[list[int]]]]:
    def arrive(*arrivals: tuple[bytes, str]) -> list[Arrival]:
        return [("shop-2", raw, expect) for raw, expect in arrivals]

    good, unanchored = "accepted", "quarantined: unanchored-epoch"
    anchor = signed(Kind.ANCHOR, messages.anchor())
    second_anchor = signed(Kind.ANCHOR, messages.anchor(reason="outbox-lost"))
    first = result(1, anchor, "shop-2", 2)
    yield "an epoch with its anchor", arrive((anchor, good), (first, good), (result(2, first, "shop-2", 2), good)), []
    yield "an anchor that comes again", arrive((anchor, good), (first, good), (anchor, good)), []
    yield "a second anchor", arrive((anchor, good), (second_anchor, "quarantined: fork")), []
    yield "a result before its anchor", arrive((first, unanchored)), []
    yield (
        "zeros where the anchor's digest belongs",
        arrive((anchor, good), (result(1, None, "shop-2", 2), "quarantined: fork")),
        [],
    )
    yield "an old epoch", arrive((result(1, None, "shop-2", 1), "quarantined: stale-epoch")), []
    yield (
        "an old epoch after the anchor",
        arrive((anchor, good), (result(1, None, "shop-2", 1), "quarantined: stale-epoch")),
        [],
    )
    yield (
        "an anchor of an epoch that nobody approved",
        arrive((signed(Kind.ANCHOR, messages.anchor(epoch=3)), unanchored)),
        [],
    )
    unapproved = signed(Kind.ANCHOR, messages.anchor(iss="shop-1"), RESULT_KEYS["shop-1"])
    yield "an anchor while the registry has the first epoch", [("shop-1", unapproved, unanchored)], []
    yield "an epoch to come, without an anchor", [("shop-1", result(1, epoch=2), unanchored)], []
    stolen = signed(Kind.ANCHOR, messages.anchor(), STRANGER)
    yield "an anchor of a stranger's", arrive((stolen, "refused: unknown-key")), []


def _refused() -> Iterator[tuple[str, Arrival]]:
    raw = result(1)
    yield "another terminal's topic", ("shop-2", raw, "refused: other-terminal")
    foreign = signed(Kind.RESULT, messages.declined(terminal="shop-2"), RESULT_KEYS["shop-1"])
    yield "another terminal's name under one's own key", ("shop-2", foreign, "refused: other-terminal")
    yield "the same on one's own topic", ("shop-1", foreign, "refused: other-terminal")
    yield "a tampered byte", ("shop-1", raw.replace(b".eyJ", b".eyK", 1), "refused: bad-signature")
    yield "a stranger's key", ("shop-1", signed(Kind.RESULT, messages.declined(), STRANGER), "refused: unknown-key")
    yield "a birth among the results", ("shop-1", signed(Kind.BIRTH, messages.birth()), "refused: wrong-type")
    yield "a request among the results", ("shop-1", signed(Kind.REQUEST, messages.request()), "refused: wrong-type")
    for name in ("iss", "epoch", "seq", "prev"):
        claims = without(messages.declined(), name)
        yield f"a result without {name}", ("shop-1", signed(Kind.RESULT, claims), "refused: malformed")
    revoked = signed(Kind.RESULT, messages.declined(), OLD_RESULT_KEY)
    yield "a key that is revoked", ("shop-1", revoked, "quarantined: revoked")
    yield "a terminal that is revoked", ("shop-3", result(1, terminal="shop-3"), "quarantined: revoked")


def _against_itself() -> Iterator[tuple[str, Document, str]]:
    """Claims that contradict themselves; offline, so that no request comes into it."""
    good = messages.verified() | {"offline": True, "request": None}
    lit = messages.verified(light=True) | {"offline": True, "request": None}
    steps = good["challenge"]["steps"]

    def moved(index: int, name: str, by: float) -> Document:
        return changed(good, f"challenge.steps.{index}.{name}", round(steps[index][name] + by, 3))

    def tried(**changes: Any) -> Document:
        return good | {"outcome": "rejected", "reasons": ["step-failed"]} | changes

    def late(seconds: float) -> Document:
        shifted = [
            step | {key: round(step[key] + seconds, 3) for key in ("cue_s", "onset_s", "done_s")} for step in steps
        ]
        return changed(good, "challenge.steps", shifted)

    yield "a verified result", good, "accepted"
    yield "a verified result with light", lit, "accepted"
    for source in ("rehearsal", "recording", "replay", "pi-camera-2"):
        yield source, changed(good, "capture.source", source), "not-live"
    challenge: dict[str, Any] = {
        "salt": messages.encode_base64url(bytes(32)),
        "session": "another",
        "plan": good["challenge"]["plan"][1:] + good["challenge"]["plan"][1:2],
        "pauses_s": [0.6, 0.6, 0.6],
        "guess_probability": 0.5,
        "actions": ["blink", "turn-left", "turn-right"],
    }
    for name, value in challenge.items():
        yield f"another {name}", changed(good, f"challenge.{name}", value), "plan-mismatch"
    yield "another nonce", good | {"nonce": messages.encode_base64url(bytes(32))}, "plan-mismatch"
    yield "no turn to choose from", changed(good, "challenge.actions", ["blink"]), "plan-mismatch"
    bad_steps: dict[str, Document] = {
        "in another order": changed(good, "challenge.steps", steps[::-1]),
        "another action": changed(good, "challenge.steps.0.action", "look-up"),
        "onset before cue": moved(0, "onset_s", -0.7),
        "done before onset": moved(1, "done_s", -1.4),
        "cue before its pause": moved(1, "cue_s", -0.4),
        "first cue before its pause": moved(0, "cue_s", -0.4),
        "passed without an end": changed(good, "challenge.steps.1", without(steps[1], "done_s")),
        "one failed, and went on": changed(tried(), "challenge.steps.0.passed", False),
        "more than the plan has": changed(good, "challenge.steps", [*steps, steps[0]]),
    }
    for name, claims in bad_steps.items():
        yield name, claims, "steps-contradict-plan"
    light: dict[str, Callable[[Document], Document]] = {
        "another colour": lambda old: old | {"colours": old["colours"][::-1]},
        "another time": lambda old: old | {"starts_s": [*old["starts_s"][:-1], 24.0]},
        "fewer times than colours": lambda old: old | {"starts_s": old["starts_s"][:-1]},
        "none shown, and answered": lambda old: old | {"colours": [], "starts_s": []},
        "shown, and off": lambda old: old | {"verdict": "off"},
        "shown without a ring": lambda old: old | {"verdict": "no-ring"},
        "shown to somebody who asked for none": lambda old: old | {"choice": "off"},
    }
    for name, change in light.items():
        yield name, changed(lit, "challenge.light", change(lit["challenge"]["light"])), "light-mismatch"
    yield "a match below the threshold", changed(good, "comparison.score", 0.39), "comparison-contradicts-itself"
    yield "no match above the threshold", changed(tried(), "comparison.match", False), "comparison-contradicts-itself"
    no_match = changed(good, "comparison", good["comparison"] | {"score": 0.1, "match": False})
    unproven: dict[str, Document] = {
        "reasons against it": good | {"reasons": ["no-match"]},
        "no match": no_match,
        "too few frames a second": changed(good, "capture.fps", 9.9),
        "no frames": changed(good, "capture.frames", 0),
        "the last step missing": changed(good, "challenge.steps", steps[:-1]),
        "no steps": changed(good, "challenge.steps", []),
        "the last step failed": changed(good, "challenge.steps.2", steps[2] | {"passed": False}),
        "onset too early": moved(0, "onset_s", -0.45),
        "onset too late": changed(good, "challenge.steps.2", steps[2] | _after(steps[2], 3.8, 4.0)),
        "a step too long": changed(good, "challenge.steps.2", steps[2] | _after(steps[2], 1.0, 6.3)),
        "too long in all": late(20.0),
        "no comparison": without(good, "comparison"),
        "no challenge": without(good, "challenge"),
        "no reference": without(good, "reference"),
        "light not answered": changed(lit, "challenge.light.verdict", "not-answered"),
    }
    for name, claims in unproven.items():
        yield name, claims, "verified-without-evidence"
    for outcome in ("rejected", "inconclusive", "cancelled", "postponed"):
        yield f"{outcome} with all of that", tried(outcome=outcome), "accepted"
    yield (
        "ended in the second step",
        changed(
            tried(),
            "challenge.steps",
            [steps[0], {"action": steps[1]["action"], "cue_s": steps[1]["cue_s"], "passed": False}],
        ),
        "accepted",
    )


def _after(step: Document, onset: float, done: float) -> Document:
    return {"onset_s": round(step["cue_s"] + onset, 3), "done_s": round(step["cue_s"] + done, 3)}


def _against_requests() -> list[Document]:
    """Results beside the request that they name."""
    good = messages.verified()
    lit = messages.verified(light=True)
    card = without(changed(messages.request(), "policy.grades", ["card"]), "reference")
    by_card = changed(good, "reference", {"commitment": "e" * 64, "grade": "card"})
    contrary = "quarantined: contradicts-request"
    cases: list[tuple[str, Document | None, Document, str]] = [
        ("what was asked for", messages.request(), good, "accepted"),
        ("light as asked for", changed(messages.request(), "policy.light", "experimental"), lit, "accepted"),
        ("the printed card as asked for", card, by_card, "accepted"),
        (
            "declined",
            messages.request(),
            messages.declined() | {"offline": False, "request": messages.ECHO},
            "accepted",
        ),
        ("never made", None, good, "quarantined: unknown-request"),
        ("for another terminal", messages.request(aud="shop-2"), good, contrary),
        ("for another boot", messages.request(boot=messages.BOOT.replace("1", "2")), good, contrary),
        ("another nonce", messages.request(nonce="A" * 43), good, contrary),
        ("another reference", changed(messages.request(), "reference.commitment", "f" * 64), good, contrary),
        ("the card instead of the reference", messages.request(), by_card, contrary),
        ("the reference instead of the card", card, good, contrary),
        ("a lower threshold", changed(messages.request(), "policy.fmr", "1e-4"), good, contrary),
        ("a threshold that nobody knows", messages.request(), changed(good, "comparison.fmr", "1e-2"), contrary),
        ("fewer actions", changed(messages.request(), "policy.actions", messages.ACTIONS[:3]), good, contrary),
        ("more steps", changed(messages.request(), "policy.steps", 4), good, contrary),
        ("light that was not asked for", messages.request(), lit, contrary),
    ]
    for name in ("purpose", "outlet", "attendant", "transaction", "subject"):
        cases.append((f"another {name}", messages.request(**{name: "somebody"}), good, contrary))
    made = []
    for name, asked, claims, expect in cases:
        scenario = _scenario(f"a request: {name}", [("shop-1", signed(Kind.RESULT, claims), expect)])
        made.append(scenario | {"requests": [signed(Kind.REQUEST, asked).decode()] if asked else []})
    first = signed(Kind.RESULT, good)
    second = signed(Kind.RESULT, messages.verified(2, digest(first)))
    arrivals = [("shop-1", first, "accepted"), ("shop-1", second, "quarantined: too-many-results")]
    once = signed(Kind.REQUEST, changed(messages.request(), "policy.attempts", 1)).decode()
    return [*made, _scenario("a request: answered too often", arrivals) | {"requests": [once]}]
