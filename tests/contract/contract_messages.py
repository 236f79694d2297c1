"""The claims of the test vectors, as plain JSON: written from docs/protocol.md, not by the models that read them."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from typing import Any

from contract_keys import EVIDENCE_KEY, UNSEALING_KEYS, seal

from device.wire.fields import encode_base64url
from device.wire.light import derive_light
from device.wire.plan import Action, derive_plan, guess_probability
from device.wire.sealing import evidence_context, reference_context

NOW = 1_795_000_000
BOOT = "11111111-2222-4333-8444-555555555555"
REQUEST_ID = "0199f0c4-1c00-7000-8000-0000000000aa"
COMMAND_ID = "0199f0c4-1c00-7000-8000-0000000000cc"
NONCE, SALT = bytes(range(32)), bytes(range(100, 132))
SESSION = "0199f0c4-1c00-7000-8000-000000000001"
PICTURE = b"this stands for a portrait; there is none in these vectors"
GENESIS = "0" * 64
ACTIONS = ["blink", "blink-twice", "turn-left", "turn-right"]
SOFTWARE = {
    "firmware": "1.0.0",
    "firmware_sha256": "c" * 64,
    "runtime": "tflite-runtime-2.14.0",
    "models_sha256": "a" * 64,
    "configuration_sha256": "b" * 64,
}
ECHO = {
    "id": REQUEST_ID,
    "purpose": "sim-registration",
    "outlet": "outlet-7",
    "attendant": "attendant-3",
    "transaction": "transaction-9",
    "subject": "pseudonym-5",
}
SIGNALS = {
    "at_s": [0.0, 0.066],
    "yaw_deg": [1.5, None],
    "pitch_deg": [-3.0, None],
    "left_eye": [0.31, None],
    "right_eye": [0.3, None],
    "cues": [{"action": "blink", "at_s": 1.2}],
}

Document = dict[str, Any]


def text(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def changed(document: Document, path: str, value: Any) -> Document:
    """A copy with one value put in; `a.b.0` is a path."""
    copied = copy.deepcopy(document)
    *names, last = path.split(".")
    inner = copied
    for name in names:
        inner = inner[int(name) if isinstance(inner, list) else name]
    inner[int(last) if isinstance(inner, list) else last] = value
    return copied


def without(document: Document, name: str) -> Document:
    return {key: value for key, value in document.items() if key != name}


def commitment(nonce: bytes = NONCE, picture: bytes = PICTURE) -> str:
    return hmac.new(nonce, b"likeness/v1/reference\0" + picture, hashlib.sha256).hexdigest()


TURNS = {"actions": ["look-up", "turn-left", "turn-right"], "steps": 5}
STANDARD = {"actions": ACTIONS, "steps": 3}


def challenge(
    terminal: str = "shop-1", nonce: bytes = NONCE, *, light: bool = False, drawn: Document = STANDARD
) -> Document:
    of = {"actions": [Action(action) for action in drawn["actions"]], "steps": drawn["steps"]}
    plan = derive_plan(nonce=nonce, salt=SALT, session=SESSION, terminal=terminal, **of)
    steps, at = [], 0.0
    for action, pause in zip(plan.actions, plan.pauses_s, strict=True):
        cue = round(at + pause, 3)
        at = round(cue + 1.5, 3)
        steps.append({"action": action, "cue_s": cue, "onset_s": round(cue + 0.6, 3), "done_s": at, "passed": True})
    made: Document = {
        "salt": encode_base64url(SALT),
        "session": SESSION,
        "actions": drawn["actions"],
        "plan": list(plan.actions),
        "pauses_s": list(plan.pauses_s),
        "steps": steps,
        "guess_probability": guess_probability(**of),
    }
    if light:
        code = derive_light(nonce=nonce, salt=SALT, session=SESSION, terminal=terminal)
        made["light"] = {
            "experimental": True,
            "choice": "experimental",
            "verdict": "answered",
            "colours": list(code.colours[:9]),
            "starts_s": list(code.starts_s[:9]),
            "correlation": 0.71,
            "latency_s": 0.14,
            "gain": 0.22,
            "background_gain": 0.03,
        }
    return made


def declined(seq: int = 1, prev: str = GENESIS, epoch: int = 1, terminal: str = "shop-1") -> Document:
    """The shortest result: an offline session that the customer did not consent to."""
    return {
        "iss": terminal,
        "jti": f"0199f0c4-1c00-7000-8000-{seq:012x}",
        "iat": NOW,
        "epoch": epoch,
        "seq": seq,
        "prev": prev,
        "boot": BOOT,
        "uptime_s": 1234.5,
        "clock": "synced",
        "offline": True,
        "nonce": encode_base64url(NONCE),
        "consent": "2026-1",
        "outcome": "declined",
        "reasons": ["consent-refused"],
        "sentence": "The customer declined.",
        "capture": {"source": "pi-camera", "frames": 30, "fps": 15.2},
        "software": SOFTWARE,
    }


def witnessed(**changes: Any) -> Document:
    """The attendant vouches: consent, and nothing that a camera has made."""
    outcome = {"outcome": "witnessed", "reasons": ["witnessed"], "offline": False, "request": ECHO}
    return changed(declined(), "capture.frames", 0) | outcome | changes


def verified(seq: int = 1, prev: str = GENESIS, *, light: bool = False) -> Document:
    """A verified answer to the request."""
    return declined(seq, prev) | {
        "offline": False,
        "request": ECHO,
        "outcome": "verified",
        "reasons": [],
        "sentence": "The live person matches the document.",
        "comparison": {"score": 0.61, "threshold": 0.4, "fmr": "1e-3", "match": True},
        "challenge": challenge(light=light),
        "capture": {"source": "pi-camera", "frames": 300, "fps": 15.2},
        "reference": {"commitment": commitment(), "grade": "request"},
    }


def sealed(terminal: str = "shop-1", request: str = REQUEST_ID, purpose: str = "sim-registration") -> bytes:
    info = reference_context(request=request, terminal=terminal, purpose=purpose).info()
    return seal(PICTURE, UNSEALING_KEYS[terminal].public_key(), info, f"{terminal} {request} {purpose}")


def request(**changes: Any) -> Document:
    return {
        "iss": "central",
        "aud": "shop-1",
        "jti": REQUEST_ID,
        "iat": NOW,
        "exp": NOW + 600,
        "boot": BOOT,
        "nonce": encode_base64url(NONCE),
        **without(ECHO, "id"),
        "policy": {"fmr": "1e-3", "actions": ACTIONS, "steps": 3, "attempts": 3, "light": "off", "grades": ["request"]},
        "reference": {"sealed": encode_base64url(sealed()), "commitment": commitment()},
    } | changes


def receipt(*entries: Document, **changes: Any) -> Document:
    return {"iss": "central", "aud": "shop-1", "iat": NOW, "entries": list(entries)} | changes


def birth(**changes: Any) -> Document:
    return {
        "iss": "shop-1",
        "iat": NOW,
        "boot": BOOT,
        "uptime_s": 12.5,
        "clock": "never-synced",
        "presence": "online",
        "epoch": 1,
        "head_seq": 0,
        "head_sha256": GENESIS,
        "waiting": 0,
        "software": SOFTWARE,
    } | changes


def command(**changes: Any) -> Document:
    return {
        "iss": "central",
        "aud": "shop-1",
        "jti": COMMAND_ID,
        "iat": NOW,
        "exp": NOW + 600,
        "boot": BOOT,
        "counter": 5,
        "command": "identify",
    } | changes


def reply(**changes: Any) -> Document:
    return {
        "iss": "shop-1",
        "iat": NOW,
        "boot": BOOT,
        "uptime_s": 12.5,
        "clock": "synced",
        "command": COMMAND_ID,
        "counter": 5,
        "status": "done",
        "sentence": "The panel shows itself.",
    } | changes


def health(**changes: Any) -> Document:
    return {
        "iss": "shop-1",
        "iat": NOW,
        "boot": BOOT,
        "uptime_s": 12.5,
        "clock": "stepped",
        "outbox": "ok",
        "waiting": 2,
        "oldest_waiting_s": 61.5,
        "outbox_bytes": 40960,
        "disk_free_bytes": 8_000_000_000,
        "temperature_c": 48.5,
        "throttled": False,
        "camera": "ok",
        "link": "connected",
        "sessions": 12,
        "paused": False,
        "refused_messages": 0,
        "updates": [
            {"kind": "models", "number": 7, "state": "on-trial"},
            {"kind": "firmware", "number": 3, "state": "failed", "reason": "self-test-hung"},
        ],
    } | changes


def anchor(**changes: Any) -> Document:
    return {
        "iss": "shop-2",
        "iat": NOW,
        "epoch": 2,
        "reason": "restored-card",
        "previous": {"epoch": 1, "seq": 7, "sha256": "c" * 64},
    } | changes


def evidence(**changes: Any) -> Document:
    pack = text({"signals": SIGNALS, "portrait": encode_base64url(PICTURE)})
    info = evidence_context(result=declined()["jti"], terminal="shop-1", purpose="sim-registration").info()
    sealed = seal(pack, EVIDENCE_KEY.public_key(), info, "evidence")
    return {
        "iss": "shop-1",
        "epoch": 1,
        "seq": 1,
        "result": declined()["jti"],
        "sealed": encode_base64url(sealed),
    } | changes


def update(**changes: Any) -> Document:
    member = {"path": "weights/detector.tflite", "bytes": 7, "sha256": hashlib.sha256(b"weights").hexdigest()}
    return {
        "iss": "likeness",
        "iat": NOW,
        "exp": NOW + 7_776_000,
        "kind": "models",
        "number": 7,
        "version": "1.4.2",
        "terminals": ["shop-1", "shop-2"],
        "permille": 50,
        "members": [{"path": "manifest.yaml", "bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}, member],
    } | changes
