"""From a session's state to the scene that the panel shows. Pure."""

from __future__ import annotations

from device.liveness.reading import Reading
from device.liveness.session import Consent, Cued, Pausing, Positioning, State
from device.panel.prompts import Scene, Shown
from device.wire.claims import Outcome

STEP_DONE_S = 0.6
OUTCOMES = {
    Outcome.VERIFIED: Scene.VERIFIED,
    Outcome.WITNESSED: Scene.WITNESSED,
    Outcome.REJECTED: Scene.REJECTED,
    Outcome.INCONCLUSIVE: Scene.INCONCLUSIVE,
    Outcome.DECLINED: Scene.DECLINED,
    Outcome.CANCELLED: Scene.CANCELLED,
}
"""The scene that tells an outcome."""


def show_state(shown: Shown, state: State, at: float) -> Shown:
    """Returns what to show at `at` (seconds on the session's clock) for `state`; `shown` is what was shown before."""
    if isinstance(state, Consent):
        return shown.then(at, Scene.WITNESS if state.witnessed else Scene.CONSENT)
    if isinstance(state, Reading):
        return shown.then(at, Scene.CARD, guidance=state.fault)
    if isinstance(state, Positioning):
        return shown.then(at, Scene.POSITION, guidance=state.guidance)
    if isinstance(state, Cued):
        return shown.then(at, Scene.CUE, action=state.answer.action)
    if isinstance(state, Pausing):
        done_at = state.record.steps[-1].done_at if state.record.steps else None
        just_done = done_at is not None and at - done_at < STEP_DONE_S
        return shown.then(at, Scene.STEP_DONE if just_done else Scene.PAUSE)
    return shown.then(at, Scene.COMPARING)
