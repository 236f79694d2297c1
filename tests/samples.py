"""Claims as a terminal would make them, for tests of both sides."""

from typing import Any

from device.wire.anchor import AnchorClaims, ChainPlace
from device.wire.birth import BirthClaims
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
from device.wire.command import CommandClaims, ReplyClaims
from device.wire.evidence import EvidenceClaims, EvidenceCue, EvidencePack, EvidenceSignals
from device.wire.fields import ClockState, uuid7
from device.wire.health import HealthClaims
from device.wire.plan import DEFAULT_ACTIONS, Action, derive_plan, guess_probability
from device.wire.request import Policy, RequestClaims
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


def request(**changes: Any) -> RequestClaims:
    """For the printed card: nothing is sealed in it."""
    told = echo()
    values = {
        "iss": "central",
        "aud": TERMINAL,
        "jti": told.id,
        "iat": NOW,
        "exp": NOW + 300,
        "boot": BOOT,
        "nonce": NONCE,
        "policy": Policy(grades=("card",)),
        **told.model_dump(exclude={"id"}),
    }
    return RequestClaims(**(values | changes))


def card() -> ReferenceMark:
    return ReferenceMark(commitment="d" * 64, grade="card")


def command(**changes: Any) -> CommandClaims:
    values = {
        "iss": "central",
        "aud": TERMINAL,
        "jti": uuid7(NOW * 1000, b"command..."),
        "iat": NOW,
        "exp": NOW + 300,
        "boot": BOOT,
        "counter": 1,
        "command": "identify",
    }
    return CommandClaims(**(values | changes))


def reply(**changes: Any) -> ReplyClaims:
    values = {
        "iss": TERMINAL,
        "iat": NOW,
        "boot": BOOT,
        "uptime_s": 1234.5,
        "clock": ClockState.SYNCED,
        "command": uuid7(NOW * 1000, b"command..."),
        "counter": 1,
        "status": "refused",
        "reason": "expired",
        "sentence": "The command has expired.",
    }
    return ReplyClaims(**(values | changes))


def birth(**changes: Any) -> BirthClaims:
    values = {
        "iss": TERMINAL,
        "iat": NOW,
        "boot": BOOT,
        "uptime_s": 12.5,
        "clock": ClockState.SYNCED,
        "presence": "online",
        "epoch": 1,
        "head_seq": 0,
        "head_sha256": "0" * 64,
        "waiting": 0,
        "software": SOFTWARE,
    }
    return BirthClaims(**(values | changes))


def health(**changes: Any) -> HealthClaims:
    values = {
        "iss": TERMINAL,
        "iat": NOW,
        "boot": BOOT,
        "uptime_s": 1234.5,
        "clock": ClockState.SYNCED,
        "outbox": "ok",
        "waiting": 3,
        "oldest_waiting_s": 61.0,
        "outbox_bytes": 40960,
        "disk_free_bytes": 10**10,
        "temperature_c": 48.5,
        "throttled": False,
        "camera": "ok",
        "link": "connected",
        "sessions": 12,
        "paused": False,
        "lockout_s": 200.0,
        "refused_messages": 0,
    }
    return HealthClaims(**(values | changes))


def anchor(**changes: Any) -> AnchorClaims:
    values = {
        "iss": TERMINAL,
        "iat": NOW,
        "epoch": 2,
        "reason": "new-key",
        "previous": ChainPlace(epoch=1, seq=7, sha256="c" * 64),
    }
    return AnchorClaims(**(values | changes))


def pack(**changes: Any) -> EvidencePack:
    signals = EvidenceSignals(
        at_s=(0.0, 0.066),
        yaw_deg=(1.5, None),
        pitch_deg=(-3.0, None),
        left_eye=(0.31, None),
        right_eye=(0.3, None),
        cues=(EvidenceCue(action=Action.BLINK, at_s=1.2),),
    )
    return EvidencePack(**({"signals": signals, "portrait": PORTRAIT} | changes))


def evidence(**changes: Any) -> EvidenceClaims:
    """With `sealed` that nobody can open."""
    values = {"iss": TERMINAL, "epoch": 1, "seq": 1, "result": uuid7(NOW * 1000, b"evidence.."), "sealed": bytes(400)}
    return EvidenceClaims(**(values | changes))
