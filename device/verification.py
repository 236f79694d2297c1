"""One verification: frames and presses in, session states out; at its end a comparison and a decision.

This is where the pure session meets the biometrics. The daemon and every evaluation command run this same class.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from device.decision import Comparison, Decision, decide
from device.liveness.evidence import Ending
from device.liveness.rules import DEFAULT_RULES, Rules
from device.liveness.session import (
    Answered,
    Consent,
    Cued,
    Ended,
    Pausing,
    Press,
    State,
    step,
    wants_embedding,
)
from device.signals import Face, Frame, Signals, View
from device.vision.embedding import Embedder
from device.vision.following import FaceFollower
from device.vision.identity import IdentityTrail
from device.vision.relief import aspect, relief
from device.wire.plan import Plan

# After these nobody's face is compared: there is no consent, or it was withdrawn.
WITHOUT_COMPARISON = frozenset({Ending.DECLINED, Ending.CANCELLED, Ending.CONSENT_NOT_GIVEN, Ending.NO_GOOD_VIEW})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finished verification; `face_seen` tells whether any frame held a face."""

    final: Answered | Ended
    comparison: Comparison | None
    decision: Decision
    face_seen: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Frontal:
    """The first neutral, embedded face of the challenge, against which every later one is measured."""

    landmarks: NDArray[np.float32]
    pitch: float

    def measure(self, face: Face, view: View) -> View:
        """Adds relief, aspect and nod."""
        return replace(
            view,
            relief=relief(self.landmarks, face.landmarks),
            aspect=aspect(face.landmarks) / max(aspect(self.landmarks), 1e-6),
            nod=view.pitch - self.pitch,
        )


class Verification:
    """A single session. `state` is what the panel shows; `verdict` may be asked for once, in a final state."""

    def __init__(
        self,
        follower: FaceFollower,
        embedder: Embedder,
        reference: NDArray[np.float32],
        threshold: float,
        plan: Plan,
        rules: Rules = DEFAULT_RULES,
    ) -> None:
        """Takes the models' adapters, the reference's unit embedding (128,) and the least score that matches."""
        self.state: State = Consent()
        self.plan = plan
        self.signals: Signals | None = None
        self._rules = rules
        self._follower = follower
        self._embedder = embedder
        self._reference = reference
        self._threshold = threshold
        self._trail = IdentityTrail()
        self._face_seen = False
        self._frontal: _Frontal | None = None
        follower.restart()

    @property
    def finished(self) -> bool:
        """Whether the session reached a final state."""
        return isinstance(self.state, Answered | Ended)

    @property
    def progress(self) -> str:
        """How far the session is, in a few words."""
        state, steps = self.state, len(self.plan.actions)
        if isinstance(state, Pausing | Cued):
            done = len(state.record.steps)
            return f"{'●' * done}{'○' * (steps - done)}  step {min(done + 1, steps)} of {steps}"
        return "" if isinstance(state, Answered | Ended) else f"{'○' * steps}  not begun"

    def observe(self, frame: Frame, presses: Collection[Press] = ()) -> State:
        """Takes the newest frame and the buttons pressed since the last one."""
        if isinstance(self.state, Consent):
            # Before consent no face is looked for.
            self.signals = Signals(at=frame.taken_at, number=frame.number, faces=0, view=None)
        else:
            self.signals = self._look(frame)
        self.state = step(self.state, self.signals, self.plan, self._rules, presses)
        return self.state

    def end(self, why: Ending) -> None:
        """Ends the session from outside: the camera has no more frames, or the request was withdrawn."""
        if not isinstance(self.state, Answered | Ended):
            at = self.signals.at if self.signals is not None else 0.0
            record = self.state.record if isinstance(self.state, Pausing | Cued) else None
            self.state = Ended(at, why, record)

    def verdict(self) -> Verdict:
        """Compares, decides and forgets every biometric of the session."""
        final = self.state
        if not isinstance(final, Answered | Ended):
            raise RuntimeError("the session has not ended")
        comparison = self._compare(final)
        self._trail.forget()
        self._reference = np.zeros_like(self._reference)
        self._frontal = None
        self._follower.restart()
        decision = decide(final, comparison, self.plan, self._rules)
        return Verdict(final, comparison, decision, self._face_seen)

    def _look(self, frame: Frame) -> Signals:
        signals, face = self._follower.look(frame)
        view = signals.view
        self._face_seen = self._face_seen or face is not None
        if face is None or view is None:
            return signals
        state = self.state
        if wants_embedding(state, signals, self._rules):
            view = replace(view, likeness=self._embed(frame, face, view))
        if self._frontal is None and isinstance(state, Pausing) and self._is_frontal(state, view):
            self._frontal = _Frontal(face.landmarks, view.pitch)
        if self._frontal is not None:
            view = self._frontal.measure(face, view)
        return replace(signals, view=view)

    def _is_frontal(self, state: Pausing, view: View) -> bool:
        """Whether later faces may be measured against this one: the person's own neutral, and embedded."""
        track, limit = state.track, self._rules.neutral_deg
        off = max(abs(track.yaw_from_neutral(view)), abs(track.pitch_from_neutral(view)))
        return view.likeness is not None and off < limit

    def _embed(self, frame: Frame, face: Face, view: View) -> float:
        embedding = self._embedder.embed(frame.image, face.landmarks)
        return self._trail.add(frame.taken_at, embedding, _probe_quality(view))

    def _compare(self, final: Answered | Ended) -> Comparison | None:
        record = final.record
        if record is None or not record.steps or (isinstance(final, Ended) and final.why in WITHOUT_COMPARISON):
            return None
        first, last = record.steps[0].cue_at, record.steps[-1].done_at or record.last_at
        return self._trail.compare(self._reference, self._threshold, first, last)


def _probe_quality(view: View) -> float:
    """Ranks frames for the probe: frontal, eyes open, sharp."""
    turned = min(abs(view.yaw) / 15.0, 1.0)
    return min(view.left_eye, view.right_eye) / 0.3 - turned + min(view.sharpness / 100.0, 1.0)
