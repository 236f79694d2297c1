"""Vectors of claims under a signature that holds: unusual ones that have to be read, and bad ones of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import contract_messages as messages
from contract_messages import Document, changed, text, without

from device.wire.envelope import Kind
from device.wire.slip import slip_digest

Claims = tuple[str, Kind, bytes | Document]
LONG = 2**53
SPOKEN = {"version": "1", "language": "zh-CN", "whole": True}
ENTRY = {"epoch": 1, "seq": 1, "sha256": "d" * 64, "verdict": "accepted"}

# Kind, path, values that are not in its range or of its type.
WRONG: dict[tuple[Kind, str], tuple[Any, ...]] = {
    (Kind.RESULT, "iss"): ("Shop-1", "", "-shop", "shop/1", "shop\n", "x" * 33, 7, None),
    (Kind.RESULT, "jti"): ("0199f0c4-1c00-4000-8000-000000000001", "0199F0C4-1c00-7000-8000-000000000001", "x"),
    (Kind.RESULT, "iat"): (-1, 2**40, "1795000000", 1.5, True, [1]),
    (Kind.RESULT, "seq"): (0, -1, 1.5, "1", LONG, None),
    (Kind.RESULT, "epoch"): (-1, LONG, "1"),
    (Kind.RESULT, "prev"): ("A" * 64, "0" * 63, "g" * 64, 0),
    (Kind.RESULT, "boot"): ("{11111111-2222-4333-8444-555555555555}", "11111111222243338444555555555555"),
    (Kind.RESULT, "uptime_s"): (-0.1, "1", None),
    (Kind.RESULT, "clock"): ("Synced", "", "-synced"),
    (Kind.RESULT, "offline"): (False, 1, "true"),
    (Kind.RESULT, "nonce"): ("A" * 20, "A" * 88, "A" * 42 + "+", "A" * 43 + "=", "A" * 42 + "B", "A" * 41),
    (Kind.RESULT, "consent"): ("", "a b", "x" * 65),
    (Kind.RESULT, "spoken"): (SPOKEN | {"language": "English, please"}, SPOKEN | {"whole": 1}, {"version": "1"}, "en"),
    (Kind.RESULT, "slip"): ("A" * 64, "0" * 63, "0" * 65, "g" * 64, "7GQ2-M0XK-94TD", "", 0, ["0" * 64]),
    (Kind.RESULT, "outcome"): ("", "verified ", "Verified", 1, ["verified"]),
    (Kind.RESULT, "reasons"): (["x"] * 17, "consent-refused", [""], [None]),
    (Kind.RESULT, "sentence"): ("x" * 201, "bell\x07", "\u202eesrever", "two\nlines", None),
    (Kind.RESULT, "capture.fps"): (-1, 1001, "15"),
    (Kind.RESULT, "capture.frames"): (-1, 1.5, LONG),
    (Kind.RESULT, "software.models_sha256"): ("a" * 65, ""),
    (Kind.RESULT, "request"): ({"id": messages.REQUEST_ID},),
    (Kind.BIRTH, "presence"): ("ON", None),
    (Kind.BIRTH, "waiting"): (-1,),
    (Kind.RECEIPT, "entries"): ([], [ENTRY] * 257, [ENTRY | {"seq": -1}], [ENTRY | {"sha256": "D" * 64}], {}),
    (Kind.RECEIPT, "aud"): ("central/#",),
    (Kind.COMMAND, "counter"): (0, LONG, "5"),
    (Kind.COMMAND, "command"): ("Restart", "rm -rf", None),
    (Kind.REPLY, "command"): ("identify",),
    (Kind.REPLY, "sentence"): ("x" * 201,),
    (Kind.HEALTH, "temperature_c"): (-101, 201, "48"),
    (Kind.HEALTH, "paused"): (0, None),
    (Kind.HEALTH, "updates"): ([{"kind": "models", "number": -1, "state": "in-use"}], [{"kind": "models"}], {}),
    (Kind.UPDATE, "kind"): ("drivers", "", None),
    (Kind.UPDATE, "number"): (0, LONG, "7"),
    (Kind.UPDATE, "version"): ("1.x", "", "v1", "1.2.3.4.5"),
    (Kind.UPDATE, "permille"): (0, 1001, 0.5, None),
    (Kind.UPDATE, "terminals"): ([], ["Shop"], "shop-1"),
    (Kind.UPDATE, "members"): ([], {}, None),
    (Kind.UPDATE, "members.0.path"): ("/a", "../a", "a/../b", ".a", "a//b", "a\\b", "", "a" * 161, "a\n"),
    (Kind.UPDATE, "members.0.bytes"): (-1, 2**26 + 1, "7"),
    (Kind.UPDATE, "members.0.sha256"): ("", "A" * 64),
    (Kind.ANCHOR, "epoch"): (1, 0, LONG),
    (Kind.ANCHOR, "previous"): ({"epoch": 1, "seq": 7}, []),
    (Kind.EVIDENCE, "sealed"): ("", "A" * 64, "A" * 43 + "="),
    (Kind.EVIDENCE, "seq"): (0,),
    (Kind.REQUEST, "policy.fmr"): ("1e-1", 0.001),
    (Kind.REQUEST, "policy.actions"): ([], ["jump"], ["blink"] * 9),
    (Kind.REQUEST, "policy.steps"): (0, 9, "3"),
    (Kind.REQUEST, "policy.alternative"): (
        {"actions": [], "steps": 3},
        {"steps": 3},
        {"actions": ["blink"], "steps": 9},
    ),
    (Kind.REQUEST, "policy.attempts"): (0, 11),
    (Kind.REQUEST, "policy.light"): ("on",),
    (Kind.REQUEST, "policy.grades"): ([], ["a", "b", "c", "d", "e"]),
    (Kind.REQUEST, "policy.evidence"): (["a", "b", "c", "d", "e"], "portrait"),
    (Kind.REQUEST, "reference.sealed"): ("A" * 64,),
    (Kind.REQUEST, "reference.commitment"): ("",),
}
WHOLE = {
    Kind.RESULT: messages.declined,
    Kind.BIRTH: messages.birth,
    Kind.REQUEST: messages.request,
    Kind.RECEIPT: lambda: messages.receipt(ENTRY),
    Kind.COMMAND: messages.command,
    Kind.REPLY: messages.reply,
    Kind.HEALTH: messages.health,
    Kind.EVIDENCE: messages.evidence,
    Kind.ANCHOR: messages.anchor,
    Kind.UPDATE: messages.update,
}
IN_CHALLENGE: dict[str, tuple[Any, ...]] = {
    "comparison.score": (1.01, "0.6", None),
    "comparison.match": (1,),
    "challenge.salt": ("AAAA",),
    "challenge.plan": ([], ["jump"], ["blink"] * 9),
    "challenge.pauses_s.0": (-1, 3601),
    "challenge.steps.0.cue_s": (-1, None),
    "challenge.steps.0.passed": ("yes",),
    "challenge.alternative": ("yes", 1),
    "challenge.guess_probability": (1.5,),
    "challenge.light.colours": (["red"], ["amber"] * 41),
    "challenge.light.correlation": (-1.5,),
    "reference.grade": ("", 1),
}
OPTIONAL = {
    Kind.RESULT: {"reasons"},
    Kind.BIRTH: {"epoch", "head_seq", "head_sha256", "waiting"},
    Kind.REQUEST: {"reference"},
    Kind.HEALTH: {"waiting", "oldest_waiting_s", "temperature_c", "throttled", "updates"},
    Kind.ANCHOR: {"previous"},
    Kind.UPDATE: {"terminals"},
}


def odd_but_good_claims() -> Iterator[Claims]:
    """Unusual, and to be read all the same."""
    plain = messages.declined()
    whole = text(plain)
    yield "offline, without optional claims", Kind.RESULT, without(plain, "reasons")
    yield "null for absent", Kind.RESULT, plain | {"comparison": None, "request": None}
    yield (
        "members that nobody knows",
        Kind.RESULT,
        plain | {"later": [{"a": None}], "capture": plain["capture"] | {"z": 1}},
    )
    yield "an outcome that nobody knows", Kind.RESULT, plain | {"outcome": "postponed"}
    yield "health that asks for a receipt", Kind.HEALTH, messages.health(receipt=True)
    yield "a consent text that was read out", Kind.RESULT, plain | {"spoken": SPOKEN}
    yield "a slip", Kind.RESULT, plain | {"slip": slip_digest("7GQ2M0XK94TD")}
    yield "white space in the claims", Kind.RESULT, b" \n" + whole.replace(b",", b" ,\t") + b"\r\n"
    yield "a name in escapes", Kind.RESULT, whole.replace(b'"seq"', b'"\\u0073eq"')
    yield (
        "text of many languages",
        Kind.RESULT,
        plain | {"sentence": "\u00c0 \u05e9\u05dc\u05d5\u05dd \u4f60\u597d \U0001f642" * 16 + "\U0001f642" * 24},
    )
    yield "sixteen levels", Kind.RESULT, whole[:-1] + b',"later":' + b"[" * 15 + b"]" * 15 + b"}"
    yield "the largest counters", Kind.RESULT, plain | {"seq": LONG - 1, "epoch": LONG - 1, "iat": 2**40 - 1}
    yield "without outbox", Kind.BIRTH, {k: v for k, v in messages.birth().items() if k not in OPTIONAL[Kind.BIRTH]}
    yield "a receipt for 256", Kind.RECEIPT, messages.receipt(*[ENTRY] * 256)
    yield "a receipt for an anchor", Kind.RECEIPT, messages.receipt(ENTRY | {"seq": 0})
    yield (
        "a request for the printed card",
        Kind.REQUEST,
        without(changed(messages.request(), "policy.grades", ["card"]), "reference"),
    )
    yield (
        "a request for a witness",
        Kind.REQUEST,
        without(changed(messages.request(), "policy.grades", ["witnessed"]), "reference"),
    )
    yield "a request with the policy that needs no words", Kind.REQUEST, messages.request(policy={})
    yield "an anchor that knows nothing of before", Kind.ANCHOR, without(messages.anchor(), "previous")
    yield "an update for all", Kind.UPDATE, without(messages.update(permille=1000), "terminals")
    yield (
        "an update that nobody knows, in the health",
        Kind.HEALTH,
        messages.health(updates=[{"kind": "drivers", "number": 1, "state": "postponed"}]),
    )
    yield "a command that nobody knows", Kind.COMMAND, messages.command(command="open-the-till")


def bad_claims() -> Iterator[Claims]:
    """Signed as it should be, and not to be read."""
    for (kind, path), values in WRONG.items():
        for value in values:
            yield f"{path} {_short(value)}", kind, changed(WHOLE[kind](), path, value)
    for path, values in IN_CHALLENGE.items():
        for value in values:
            yield f"{path} {_short(value)}", Kind.RESULT, changed(messages.verified(light=True), path, value)
    for kind, make in WHOLE.items():
        for name in make():
            if name not in OPTIONAL.get(kind, set()):
                yield f"without {name}", kind, without(make(), name)
    yield "online, and answers no request", Kind.RESULT, messages.declined() | {"offline": False}
    yield "offline, and answers a request", Kind.RESULT, messages.verified() | {"offline": True}
    yield from _bad_texts()


def _bad_texts() -> Iterator[Claims]:
    plain = text(messages.declined())
    texts = {
        "not JSON": b"likeness",
        "nothing but white space": b" ",
        "a list": b"[" + plain + b"]",
        "null": b"null",
        "two objects": plain + plain,
        "cut": plain[:-1],
        "a comma too many": plain[:-1] + b",}",
        "a comment": plain + b"// so there",
        "a byte order mark": b"\xef\xbb\xbf" + plain,
        "UTF-16": plain.decode().encode("utf-16-le"),
        "not UTF-8": plain.replace(b"The customer", b"The c\xfcstomer"),
        "overlong UTF-8": plain.replace(b"The customer", b"The\xc0\xa0customer"),
        "an unpaired surrogate": plain.replace(b"The customer", b"\\ud83d customer"),
        "a control character in a string": plain.replace(b"The customer", b"The\tcustomer"),
        "a claim twice": plain[:-1] + b',"outcome":"verified"}',
        "a claim twice, once in escapes": plain[:-1] + b',"\\u006futcome":"verified"}',
        "a member that nobody knows twice, inside": plain[:-1] + b',"later":[{"a":1,"a":1}]}',
        "NaN": plain.replace(b"1234.5", b"NaN"),
        "Infinity": plain.replace(b"1234.5", b"Infinity"),
        "a number beyond all": plain.replace(b"1234.5", b"1e999"),
        "a number with a leading zero": plain.replace(b"1234.5", b"01234.5"),
        "a number with a plus": plain.replace(b"1234.5", b"+1234.5"),
        "single quotes": plain.replace(b'"', b"'"),
        "nested lists": plain[:-1] + b',"later":' + b"[" * 5000 + b"]" * 5000 + b"}",
        "nested objects": plain[:-1] + b',"later":' + b'{"a":' * 1500 + b"1" + b"}" * 1500 + b"}",
    }
    for name, raw in texts.items():
        yield name, Kind.RESULT, raw


def _short(value: Any) -> str:
    shown = text(value).decode()
    return shown if len(shown) <= 48 else f"{shown[:20]}... ({len(shown)} characters)"
