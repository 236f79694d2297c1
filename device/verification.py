"""One verification: frames and presses in, session states out; at its end a comparison and a decision.

This is where the pure session meets the biometrics. The daemon and every evaluation command run this same class.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from device.card import CardReading
from device.coloured_light import ColouredLight
from device.decision import Comparison, Decision, decide
from device.keepsake import Keepsake
from device.liveness.capture import quality_score
from device.liveness.evidence import Ending
from device.liveness.light import LightFinding
from device.liveness.reading import Reading
from device.liveness.rules import DEFAULT_RULES, Rules
from device.liveness.session import (
    Answered,
    Consent,
    Cued,
    Ended,
    Pausing,
    Positioning,
    Press,
    State,
    step,
    wants_embedding,
    wants_turned_embedding,
)
from device.signals import Face, Frame, Signals, View
from device.vision.embedding import Embedder
from device.vision.following import FaceFollower
from device.vision.identity import IdentityTrail
from device.vision.relief import aspect, relief
from device.wire.claims import ReferenceMark
from device.wire.evidence import EvidencePack
from device.wire.light import DARK, Duties
from device.wire.plan import Plan

# After these nobody's face is compared: there is no consent, or it was withdrawn.
WITHOUT_COMPARISON = frozenset(
    {Ending.WITNESSED, Ending.DECLINED, Ending.CANCELLED, Ending.CONSENT_NOT_GIVEN, Ending.NO_GOOD_VIEW}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finished verification.

    Attributes:
        final: the session's last state.
        comparison: None when nothing was compared.
        decision: what follows from both.
        face_seen: whether any frame held a face.
        mark: the reference that was read from an identity document; None when central sent it, or none was read.
        light: what the coloured light showed; None when none was shown.
        evidence: what the policy asked for beside the result; None when that was nothing, or there is none.
    """

    final: Answered | Ended
    comparison: Comparison | None
    decision: Decision
    face_seen: bool = False
    mark: ReferenceMark | None = None
    light: LightFinding | None = None
    evidence: EvidencePack | None = field(default=None, repr=False)


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
        reference: NDArray[np.float32] | CardReading | None,
        threshold: float,
        plan: Plan,
        rules: Rules = DEFAULT_RULES,
        light: ColouredLight | None = None,
        keepsake: Keepsake | None = None,
    ) -> None:
        """Takes the models' adapters, the reference and the least score that matches.

        The reference is a unit embedding (128,), the reading of an identity document that is to give one, or None
        where the attendant vouches and nobody is looked at. Without `keepsake` nothing is kept.
        """
        self._card = reference if isinstance(reference, CardReading) else None
        self._mark: ReferenceMark | None = None
        self.state: State = Consent(card=self._card is not None, witnessed=reference is None)
        self.plan = plan
        self.signals: Signals | None = None
        self._rules = rules
        self._follower = follower
        self._embedder = embedder
        self._reference = None if isinstance(reference, CardReading) else reference
        self._threshold = threshold
        self._trail = IdentityTrail()
        self._face_seen = False
        self._frontal: _Frontal | None = None
        self._light, self._keepsake = light, keepsake
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
        elif isinstance(self.state, Reading) and self._card is not None:
            card = self._card.look(frame)
            self.signals = Signals(at=frame.taken_at, number=frame.number, faces=0, view=None, card=card)
        else:
            self.signals = self._look(frame)
        if self._keepsake is not None:
            self._keepsake.note(self.state, self.signals)
        before, self.state = self.state, step(self.state, self.signals, self.plan, self._rules, presses)
        if isinstance(before, Reading) and not isinstance(self.state, Reading):
            self._take_card()
        return self.state

    def choose(self, plan: Plan) -> bool:
        """The customer wants another plan; returns whether it is not too late. After the first cue it always is."""
        if not isinstance(self.state, Reading | Positioning):
            return False
        self.plan = plan
        return True

    def ring(self, at: float) -> Duties:
        """What the ring shows now; dark without coloured light."""
        return DARK if self._light is None else self._light.ring(self.state, at)

    @property
    def shows_code(self) -> bool:
        """Whether the ring shows a code, in which exposure and white balance are to be held."""
        return self._light is not None and isinstance(self.state, Pausing | Cued)

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
        if self._reference is not None and self._mark is not None:
            self._reference.fill(0)  # read here, and nobody else's
        if self._card is not None:
            self._card.forget()
        self._reference = self._frontal = None
        self._follower.restart()
        light = None if self._light is None else self._light.judge(final)
        decision = decide(final, comparison, self.plan, self._rules, light)
        evidence = self._evidence(final, comparison)
        return Verdict(final, comparison, decision, self._face_seen, self._mark, light, evidence)

    def _evidence(self, final: Answered | Ended, comparison: Comparison | None) -> EvidencePack | None:
        """What was kept, unless consent was withdrawn; afterwards nothing is."""
        if self._keepsake is None:
            return None
        withdrawn = isinstance(final, Ended) and final.why in WITHOUT_COMPARISON
        pack = None if withdrawn or final.record is None else self._keepsake.pack(final.record, comparison)
        self._keepsake.forget()
        return pack

    def _take_card(self) -> None:
        """The reading is over: its portrait is the reference from now on, and its pictures are forgotten."""
        read = self._card.reference() if self._card is not None and not self.finished else None
        if read is not None:
            self._reference, self._mark = read
        if self._card is not None:
            self._card.forget()

    def _look(self, frame: Frame) -> Signals:
        signals, face = self._follower.look(frame)
        view = signals.view
        self._face_seen = self._face_seen or face is not None
        if face is None or view is None:
            return signals
        state = self.state
        if wants_embedding(state, signals, self._rules):
            view = replace(view, likeness=self._embed(frame, face, view))
        elif wants_turned_embedding(state, signals, self._rules):
            turned = self._embedder.embed(frame.image, face.landmarks)
            view = replace(view, turned_likeness=self._trail.likeness(turned))
        if self._frontal is None and isinstance(state, Pausing) and self._is_frontal(state, view):
            self._frontal = _Frontal(face.landmarks, view.pitch)
        if self._frontal is not None:
            view = self._frontal.measure(face, view)
        if self._light is not None:
            view = self._light.measure(state, frame, face, view, self._rules)
        return replace(signals, view=view)

    def _is_frontal(self, state: Pausing, view: View) -> bool:
        """Whether later faces may be measured against this one: the person's own neutral, and embedded."""
        track, limit = state.track, self._rules.neutral_deg
        off = max(abs(track.yaw_from_neutral(view)), abs(track.pitch_from_neutral(view)))
        return view.likeness is not None and off < limit

    def _embed(self, frame: Frame, face: Face, view: View) -> float:
        embedding, quality = self._embedder.embed(frame.image, face.landmarks), quality_score(view, self._rules)
        if self._keepsake is not None:
            self._keepsake.show(self.state, frame, face.box, quality)
        return self._trail.add(frame.taken_at, embedding, quality)

    def _compare(self, final: Answered | Ended) -> Comparison | None:
        record = final.record
        if self._reference is None:
            return None
        if record is None or not record.steps or (isinstance(final, Ended) and final.why in WITHOUT_COMPARISON):
            return None
        return self._trail.compare(self._reference, self._threshold, record.steps[0].cue_at, record.last_at)
