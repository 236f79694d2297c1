"""Claims as a terminal would make them, for tests of both sides."""

from typing import Any

from device.wire.chain import ChainHead, ChainPosition
from device.wire.claims import (
    Capture,
    Challenge,
    Comparison,
    Outcome,
    ReferenceMark,
    RequestEcho,
    ResultClaims,
    Software,
    StepTiming,
)
from device.wire.fields import ClockState, uuid7
from device.wire.plan import DEFAULT_ACTIONS, derive_plan, guess_probability
from device.wire.sealing import commitment

TERMINAL = "shop-1"
BOOT = "11111111-2222-4333-8444-555555555555"
OTHER_BOOT = "99999999-2222-4333-8444-555555555555"
NOW = 1_790_000_000
NONCE = bytes(range(32))
SALT = bytes(range(100, 132))
SESSION = uuid7(NOW * 1000, bytes(10))
PORTRAIT = b"\xff\xd8\xff\xe0 the only portrait in these tests is this sentence"
SOFTWARE = Software(
    firmware="0.1.0", runtime="tflite-runtime-2.14.0", models_sha256="a" * 64, configuration_sha256="b" * 64
)


def challenge(nonce: bytes = NONCE, terminal: str = TERMINAL, **changes: Any) -> Challenge:
    plan = derive_plan(nonce=nonce, salt=SALT, session=SESSION, terminal=terminal)
    steps, at = [], 1.0
    for action, pause in zip(plan.actions, plan.pauses_s, strict=True):
        cue = at + pause
        steps.append(StepTiming(action=action, cue_s=cue, onset_s=cue + 0.6, done_s=cue + 1.5, passed=True))
        at = cue + 1.5
    values: dict[str, Any] = {
        "salt": SALT,
        "session": SESSION,
        "actions": tuple(sorted(DEFAULT_ACTIONS)),
        "plan": plan.actions,
        "pauses_s": plan.pauses_s,
        "steps": tuple(steps),
        "guess_probability": guess_probability(DEFAULT_ACTIONS),
    }
    return Challenge(**(values | changes))


FIRST = ChainHead(1).next()


def result(position: ChainPosition = FIRST, terminal: str = TERMINAL, **changes: Any) -> ResultClaims:
    nonce = changes.get("nonce", NONCE)
    values: dict[str, Any] = {
        "iss": terminal,
        "jti": uuid7(NOW * 1000, position.seq.to_bytes(10, "big")),
        "iat": NOW,
        "epoch": position.epoch,
        "seq": position.seq,
        "prev": position.prev,
        "boot": BOOT,
        "uptime_s": 1234.5,
        "clock": ClockState.SYNCED,
        "offline": True,
        "nonce": nonce,
        "consent": "2026-1",
        "outcome": Outcome.VERIFIED,
        "sentence": "The live person matches the document.",
        "comparison": Comparison(score=0.61, threshold=0.4, fmr="1e-3", match=True),
        "challenge": challenge(nonce, terminal),
        "capture": Capture(source="pi-camera", frames=300, fps=15.2),
        "reference": ReferenceMark(commitment=commitment(PORTRAIT, nonce), grade="request"),
        "software": SOFTWARE,
    }
    return ResultClaims(**(values | changes))


def echo(request: str = uuid7(NOW * 1000, b"request..."), **changes: Any) -> RequestEcho:
    values = {
        "id": request,
        "purpose": "sim-registration",
        "outlet": "outlet-7",
        "attendant": "attendant-3",
        "transaction": "transaction-9",
        "subject": "pseudonym-5",
    }
    return RequestEcho(**(values | changes))
