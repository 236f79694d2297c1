"""What a policy asks to be kept of a session is kept, whichever the plan."""

from dataclasses import replace

import cv2

from device.camera.person import load_person
from device.evaluation.sessions import answering, play_session
from device.keepsake import Keepsake
from device.liveness.session import Cued
from device.panel.gpio import Panel, PinMap, PinReader, mock_factory
from device.verification import Verification
from device.vision.manifest import default_directory
from device.wire.claims import Outcome
from device.wire.evidence import EvidenceKind
from device.wire.plan import Action, Plan

REHEARSAL = default_directory() / "rehearsal"
PLAN = Plan((Action.BLINK, Action.TURN_RIGHT, Action.BLINK_TWICE), (0.5, 0.5, 0.7))


class SharpAtTheEnd:
    """A camera that finds its focus when the last action is done."""

    def __init__(self, camera, verification: Verification) -> None:
        self._camera, self._verification = camera, verification

    def read(self):
        frame, state = self._camera.read(), self._verification.state
        at_the_end = isinstance(state, Cued) and len(state.record.steps) == 2 and state.answer.done_at is not None
        return frame if at_the_end else replace(frame, image=cv2.GaussianBlur(frame.image, (3, 3), 0))


def test_the_portrait_is_kept_when_the_best_face_comes_after_the_last_action(vision, reader):
    pins, factory = PinMap(), mock_factory()
    panel = Panel(pins, factory)
    camera = answering(load_person(REHEARSAL / "astronaut.json"))(PinReader(pins, factory), 3)
    reference = reader.read(REHEARSAL / "astronaut.png").embedding
    threshold, keepsake = vision.models.thresholds.fmr_1e_3, Keepsake(tuple(EvidenceKind))
    verification = Verification(vision.follower, vision.embedder, reference, threshold, PLAN, keepsake=keepsake)
    try:
        verdict = play_session(SharpAtTheEnd(camera, verification), panel, verification)
    finally:
        camera.close()
        panel.close()
    assert verdict.decision.outcome is Outcome.VERIFIED
    assert set(verdict.evidence.kinds) == set(EvidenceKind)
