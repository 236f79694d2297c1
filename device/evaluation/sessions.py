"""Whole sessions on recorded time: `rehearse` (a person answers the cues) and `replay` (a clip plays, deaf to them).

Vision, session, panel and decision are the daemon's own. Keys and chain are not touched: these results go nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from device.camera import Camera, RecordingEndedError
from device.camera.held_card import CardFirst, HeldCard
from device.camera.person import Person
from device.camera.rehearsal import RehearsalCamera
from device.card import CardReading
from device.coloured_light import ColouredLight
from device.liveness.evidence import Ending, Record, StepRecord
from device.liveness.light import LightFinding
from device.liveness.rules import DEFAULT_RULES, Rules
from device.liveness.session import Consent, Press, State
from device.panel.gpio import Panel, PinMap, PinReader, RingPins, mock_factory
from device.panel.prompts import Scene, Shown
from device.panel.staging import show_state
from device.verification import Verdict, Verification
from device.vision.assembly import Vision
from device.vision.embedding import Embedding
from device.wire.light import LightCode, derive_light
from device.wire.plan import DEFAULT_ACTIONS, Action, Plan, derive_plan, guess_probability

MakeCamera: TypeAlias = Callable[[PinReader, int], Camera]
"""Makes a camera for a session, from the panel to watch and the seed."""

TERMINAL = "rehearsal"
RING = RingPins(red=12, green=13, blue=19)
# Between sessions a person takes their time; a recorded session that lasts longer than this has lost its way.
MAX_SESSION_S = 120.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a seed fixes: the action set, the plan derived from the seed's nonce, salt and session id, and that nonce.

    `light` is the colour code of a session with coloured light, from the same three.
    """

    seed: int
    actions: tuple[Action, ...]
    plan: Plan
    nonce: bytes = b""
    light: LightCode | None = None


def draw(seed: int, actions: Collection[Action] = DEFAULT_ACTIONS, *, light: bool = False) -> Drawn:
    """Returns the plan of a seed, derived as on the terminal; raises PlanError when `actions` allow none."""
    nonce, salt, session = (hashlib.sha256(f"rehearsal {kind} {seed}".encode()).digest() for kind in ("n", "s", "i"))
    session_id = session.hex()[:32]
    plan = derive_plan(nonce=nonce, salt=salt, session=session_id, terminal=TERMINAL, actions=actions)
    code = derive_light(nonce=nonce, salt=salt, session=session_id, terminal=TERMINAL) if light else None
    return Drawn(seed, tuple(sorted(set(actions))), plan, nonce, code)


def play_session(
    camera: Camera,
    panel: Panel,
    verification: Verification,
    *,
    press_start: bool = False,
    on_state: Callable[[State, float], None] = lambda _state, _at: None,
) -> Verdict:
    """Runs one session to its end on the camera's frames.

    Args:
        camera: a recording or a rehearsal; when it ends, so does the session.
        panel: set at each frame, and where presses come from.
        verification: a fresh one.
        press_start: presses START as soon as consent is asked for, as somebody who replays a clip would.
        on_state: told each state and its time, for whoever draws the session.
    """
    shown = Shown(Scene.IDLE, 0.0)
    began: float | None = None
    while not verification.finished:
        try:
            frame = camera.read()
        except RecordingEndedError:
            verification.end(Ending.CAPTURE_ENDED)
            break
        asked = isinstance(verification.state, Consent) and verification.state.since is not None
        presses = [*panel.presses(), *([Press.START] if press_start and asked else [])]
        began = frame.taken_at if began is None else began
        state = verification.observe(frame, presses)
        shown = show_state(shown, state, frame.taken_at)
        panel.show(replace(shown.lights(frame.taken_at), ring=verification.ring(frame.taken_at)))
        on_state(state, frame.taken_at)
        if frame.taken_at - began > MAX_SESSION_S:
            verification.end(Ending.CHALLENGE_TOO_LONG)
    return verification.verdict()


def verify_on_desk(
    make_camera: MakeCamera,
    vision: Vision,
    reference: Embedding | CardReading,
    drawn: Drawn,
    *,
    rules: Rules = DEFAULT_RULES,
    press_start: bool = False,
) -> tuple[Verdict, dict[str, Any]]:
    """Runs the session of `drawn` on a panel with mock pins; returns the verdict and its JSON."""
    light = None if drawn.light is None else ColouredLight(drawn.light)
    pins, factory = PinMap(ring=None if light is None else RING), mock_factory()
    panel = Panel(pins, factory)
    camera = make_camera(PinReader(pins, factory), drawn.seed)
    threshold = vision.models.thresholds.fmr_1e_3
    verification = Verification(vision.follower, vision.embedder, reference, threshold, drawn.plan, rules, light)
    try:
        verdict = play_session(camera, panel, verification, press_start=press_start)
    finally:
        camera.close()
        panel.close()
    return verdict, session_json(verdict, drawn, camera.source.value)


def answering(person: Person, document: NDArray[np.uint8] | None = None) -> MakeCamera:
    """A camera before which `person` presses START, holds up a document when given one, and answers the cues."""

    def make(panel: PinReader, seed: int) -> Camera:
        camera = RehearsalCamera(person, panel.lights, seed=seed, press_start=lambda: panel.press(Press.START))
        return camera if document is None else CardFirst(camera, HeldCard(document, seed), panel.lights)

    return make


def session_json(verdict: Verdict, drawn: Drawn, source: str) -> dict[str, Any]:
    """The JSON of `rehearse` and `replay`; times are seconds since the challenge began."""
    record, comparison = verdict.final.record, verdict.comparison
    return {
        "outcome": verdict.decision.outcome.value,
        "reasons": list(verdict.decision.reasons),
        "sentence": verdict.decision.sentence,
        "comparison": None
        if comparison is None
        else {
            "score": round(comparison.score, 4),
            "threshold": round(comparison.threshold, 4),
            "match": comparison.match,
        },
        "liveness": {
            "actions": [action.value for action in drawn.actions],
            "plan": [action.value for action in drawn.plan.actions],
            "steps": [_step_json(step, record) for step in record.steps] if record is not None else [],
            "guess_probability": guess_probability(drawn.actions),
        }
        | ({} if verdict.light is None else {"light": _light_json(verdict.light)}),
        "capture": {
            "source": source,
            "frames": record.frames if record is not None else 0,
            "fps": round(record.fps, 2) if record is not None else 0.0,
        },
        "seed": drawn.seed,
    } | ({} if verdict.mark is None else {"reference": {"grade": verdict.mark.grade}})


def _light_json(found: LightFinding) -> dict[str, Any]:
    numbers = asdict(found) | {"verdict": None}
    return {"verdict": found.verdict.value, "experimental": True} | {
        name: round(value, 3) for name, value in numbers.items() if value is not None
    }


def _step_json(step: StepRecord, record: Record) -> dict[str, Any]:
    def since_start(at: float | None) -> float | None:
        return None if at is None else round(at - record.started_at, 3)

    return {
        "action": step.action.value,
        "cue_s": since_start(step.cue_at),
        "onset_s": since_start(step.onset_at),
        "done_s": since_start(step.done_at),
        "passed": step.passed,
    }
