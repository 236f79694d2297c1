"""Vectors of what reaches central on the result topics, in its order: custody, verdict and reason for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import contract_messages as messages
from contract_chains import Arrival, chains, digest, epochs, refused, result
from contract_envelopes import signed
from contract_keys import OLD_RESULT_KEY, RESULT_KEYS, STRANGER
from contract_messages import Document, changed, without

from device.wire.envelope import Kind
from device.wire.fields import decode_base64url


def vectors() -> list[Document]:
    """custody.json."""
    made = [_scenario(name, arrivals, gaps) for name, arrivals, gaps in [*chains(), *epochs()]]
    made += [_scenario(name, [arrival]) for name, arrival in refused()]
    made += [_scenario(f"{reason}: {name}", [_one(claims, reason)]) for name, claims, reason in _against_itself()]
    made += _against_requests()
    rehearsed = signed(Kind.RESULT, changed(messages.declined(), "capture.source", "rehearsal"))
    made.append(_scenario("a rehearsal in rehearsal mode", [("shop-1", rehearsed, "accepted")]) | {"rehearsal": True})
    return made + _evidence()


def _evidence() -> list[Document]:
    """Evidence after its result; those arrivals name their leaf."""
    claims = messages.evidence()
    sealed = decode_base64url(claims["sealed"])
    mark = {"sha256": digest(sealed), "bytes": len(sealed), "kinds": ["signals", "portrait"]}
    good, other = result(1, evidence=mark), "quarantined: contradicts-result"
    revoked = signed(Kind.EVIDENCE, claims, OLD_RESULT_KEY)
    foreign = signed(Kind.EVIDENCE, claims | {"iss": "shop-2"}, RESULT_KEYS["shop-1"])
    cases: list[tuple[str, bytes, bytes, str]] = [
        ("as it should be", good, signed(Kind.EVIDENCE, claims), "accepted"),
        ("without its result", result(2), signed(Kind.EVIDENCE, claims), "quarantined: unknown-result"),
        ("of a result that has none", result(1), signed(Kind.EVIDENCE, claims), other),
        ("swapped", result(1, evidence=mark | {"sha256": "f" * 64}), signed(Kind.EVIDENCE, claims), other),
        ("cut", result(1, evidence=mark | {"bytes": len(sealed) + 1}), signed(Kind.EVIDENCE, claims), other),
        ("of another result", good, signed(Kind.EVIDENCE, claims | {"result": messages.REQUEST_ID}), other),
        ("of another place", good, signed(Kind.EVIDENCE, claims | {"seq": 2}), "quarantined: unknown-result"),
        ("under a revoked key", good, revoked, "refused: revoked"),
        ("in another terminal's name", good, foreign, "refused: other-terminal"),
        ("signed by a stranger", good, signed(Kind.EVIDENCE, claims, STRANGER), "refused: unknown-key"),
        ("a result in its stead", good, good, "refused: wrong-type"),
    ]
    made = []
    for name, held, raw, expect in cases:
        scenario = _scenario(f"evidence: {name}", [("shop-1", held, "accepted"), *[("shop-1", raw, expect)] * 2])
        for arrival in scenario["arrivals"][1:]:
            arrival["leaf"] = "evidence"
        made.append(scenario | {"gaps": [[1, 1, 1]] if "without" in name else []})
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
    alone = messages.witnessed(offline=True, request=None)
    yield "witnessed, and nobody asked", alone, "witnessed-contradicts-itself"
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


def _marked(*kinds: str) -> Document:
    return {"evidence": {"sha256": "b" * 64, "bytes": 400, "kinds": list(kinds)}}


def _witnessed(good: Document, contrary: str) -> Iterator[tuple[str, Document, Document, str]]:
    asked = without(changed(messages.request(), "policy.grades", ["witnessed"]), "reference")
    card = changed(asked, "policy.grades", ["card"])
    refused = changed(messages.declined(), "capture.frames", 0) | {"offline": False, "request": messages.ECHO}
    yield "witnessed as asked for", asked, messages.witnessed(), "accepted"
    yield "a witness, refused", asked, refused, "accepted"
    yield "a witness that nobody asked for", messages.request(), messages.witnessed(), contrary
    yield "a witness instead of the card", card, messages.witnessed(), contrary
    both = changed(asked, "policy.grades", ["card", "witnessed"])
    yield "a witness where the card would do, too", both, messages.witnessed(), contrary
    yield "a face where the attendant vouches", asked, good, contrary
    wrong = "quarantined: witnessed-contradicts-itself"
    for name in ("comparison", "challenge", "reference"):
        yield f"witnessed with a {name}", asked, messages.witnessed(**{name: good[name]}), wrong
    yield "witnessed with frames", asked, changed(messages.witnessed(), "capture.frames", 1), wrong


def _alternatives(good: Document, contrary: str) -> Iterator[tuple[str, Document, Document, str]]:
    offering = changed(messages.request(), "policy.alternative", messages.TURNS)
    easy = {"actions": ["turn-left", "turn-right"], "steps": 3}
    turns = good | {"challenge": messages.challenge(drawn=messages.TURNS) | {"alternative": True}}
    yield "the alternative that was offered", offering, turns, "accepted"
    yield "an alternative that was not chosen", offering, good, "accepted"
    yield "an alternative that was not offered", messages.request(), turns, contrary
    yield "the alternative, not said to be it", offering, changed(turns, "challenge.alternative", False), contrary
    yield (
        "what was asked for, said to be the alternative",
        offering,
        changed(good, "challenge.alternative", True),
        contrary,
    )
    guessable = good | {"challenge": messages.challenge(drawn=easy) | {"alternative": True}}
    yield "an alternative easier to guess", changed(offering, "policy.alternative", easy), guessable, contrary


def _against_requests() -> list[Document]:
    """Results beside the request that they name."""
    good = messages.verified()
    lit = messages.verified(light=True)
    card = without(changed(messages.request(), "policy.grades", ["card"]), "reference")
    by_card = changed(good, "reference", {"commitment": "e" * 64, "grade": "card"})
    contrary, rejected = "quarantined: contradicts-request", {"outcome": "rejected", "reasons": ["step-failed"]}
    evident = changed(messages.request(), "policy.evidence", ["signals", "portrait"])
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
        ("no light that was asked for", changed(messages.request(), "policy.light", "experimental"), good, contrary),
        ("no evidence of a verified person", evident, good, contrary),
        ("no evidence of a rejected one", evident, good | rejected, "accepted"),
        ("evidence as asked for", evident, good | _marked("signals", "portrait"), "accepted"),
        ("evidence without the portrait", evident, good | _marked("signals"), "accepted"),
        ("evidence without the signals", evident, good | _marked("portrait"), contrary),
        ("evidence that was not asked for", messages.request(), good | _marked("signals"), contrary),
        (
            "evidence of a rejected person, not asked for",
            messages.request(),
            good | _marked("signals") | rejected,
            contrary,
        ),
    ]
    cases += _alternatives(good, contrary)
    cases += _witnessed(good, contrary)
    for name in ("purpose", "outlet", "attendant", "transaction", "subject"):
        cases.append((f"another {name}", messages.request(**{name: "somebody"}), good, contrary))
    made = []
    for name, asked, claims, expect in cases:
        scenario = _scenario(f"a request: {name}", [("shop-1", signed(Kind.RESULT, claims), expect)])
        made.append(scenario | {"requests": [signed(Kind.REQUEST, asked).decode()] if asked else []})
    first = signed(Kind.RESULT, good)
    second = signed(Kind.RESULT, messages.verified(2, digest(first)))
    third = signed(Kind.RESULT, changed(messages.verified(3, digest(second)), "request.purpose", "somebody"))
    arrivals = [
        ("shop-1", first, "accepted"),
        ("shop-1", second, "quarantined: too-many-results"),
        ("shop-1", third, contrary),
    ]
    once = signed(Kind.REQUEST, changed(messages.request(), "policy.attempts", 1)).decode()
    return [*made, _scenario("a request: answered too often", arrivals) | {"requests": [once]}]
