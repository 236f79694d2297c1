"""What a session keeps for evidence: only what was asked for, only from the challenge, and nothing afterwards."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from device.decision import Comparison
from device.keepsake import LONGEST_SIDE, Keepsake
from device.liveness.evidence import Record, StepRecord
from device.liveness.session import Consent, Pausing
from device.signals import Box, CaptureQuality, Frame, Signals, View
from device.vision.pictures import PictureError, encode_jpeg
from device.wire.evidence import MAX_FRAMES, MAX_PORTRAIT_BYTES
from device.wire.plan import Action

BOX = Box(200, 100, 100, 120)
STEP = StepRecord(Action.BLINK, cue_at=1.0, onset_at=1.5, done_at=2.0, passed=True)
RECORD = Record(started_at=0.5, last_at=2.0, steps=(STEP,))
VIEW = View(0.3, 0.5, 0.5, 12.34, -5.67, 0.0, 0.3123, 0.2987, CaptureQuality(*[0.5] * 10))
BOTH = ("signals", "portrait")


def pausing(record: Record = RECORD) -> Pausing:
    return Pausing(track=None, record=record)


def frame(at: float, level: int) -> Frame:
    image = np.full((480, 640, 3), level, np.uint8)
    return Frame(image, at, int(at * 30))


def compared(*at: float) -> Comparison:
    return Comparison(score=0.6, threshold=0.4, compared_at=at, least_likeness=0.7)


def signals(at: float, view: View | None = VIEW) -> Signals:
    return Signals(at=at, number=0, faces=1, view=view)


def test_signals_are_columns_since_the_first_frame():
    keepsake = Keepsake(BOTH)
    keepsake.note(pausing(), signals(1.25))
    keepsake.note(pausing(), signals(1.3, None))
    pack = keepsake.pack(RECORD, None)
    assert pack.kinds == ("signals",)
    assert (pack.signals.at_s, pack.signals.yaw_deg) == ((0.75, 0.8), (12.3, None))
    assert (pack.signals.pitch_deg, pack.signals.left_eye) == ((-5.7, None), (0.312, None))
    assert [(cue.action, cue.at_s) for cue in pack.signals.cues] == [(Action.BLINK, 0.5)]


def test_the_portrait_is_the_best_compared_face():
    keepsake = Keepsake(BOTH)
    for at, level, quality in ((1.1, 50, 0.5), (1.2, 120, 0.9), (1.3, 200, 0.7)):
        keepsake.show(pausing(), frame(at, level), BOX, quality)
    face = cv2.imdecode(np.frombuffer(keepsake.pack(RECORD, compared(1.1, 1.2)).portrait, np.uint8), cv2.IMREAD_COLOR)
    assert abs(int(face.mean()) - 120) <= 2
    assert face.shape[:2] == (216, 180)


@pytest.mark.parametrize("comparison", [None, compared(1.2)])
def test_a_face_that_was_not_compared_is_not_shown(comparison):
    keepsake = Keepsake(("portrait",))
    keepsake.show(pausing(), frame(1.1, 50), BOX, 0.5)
    assert keepsake.pack(RECORD, comparison) is None


def test_before_the_first_cue_nothing_is_kept():
    keepsake = Keepsake(BOTH)
    keepsake.note(Consent(), signals(0.1))
    keepsake.show(Consent(), frame(0.1, 50), BOX, 0.5)
    keepsake.show(pausing(replace(RECORD, steps=())), frame(0.6, 50), BOX, 0.5)
    assert keepsake.pack(RECORD, compared(0.1, 0.6)) is None


@pytest.mark.parametrize(("kinds", "kept"), [(("signals",), ("signals",)), (("portrait",), ("portrait",))])
def test_what_was_not_asked_for_is_not_kept(kinds, kept):
    keepsake = Keepsake(kinds)
    keepsake.note(pausing(), signals(1.1))
    keepsake.show(pausing(), frame(1.1, 50), BOX, 0.5)
    assert keepsake.pack(RECORD, compared(1.1)).kinds == kept


def test_more_frames_than_fit_are_thinned():
    keepsake = Keepsake(BOTH)
    for number in range(2 * MAX_FRAMES + 1):
        keepsake.note(pausing(), signals(0.5 + number / 100))
    at_s = keepsake.pack(RECORD, None).signals.at_s
    assert MAX_FRAMES / 2 < len(at_s) <= MAX_FRAMES and at_s == tuple(sorted(at_s))


def test_what_is_forgotten_is_overwritten():
    keepsake = Keepsake(BOTH)
    keepsake.note(pausing(), signals(1.1))
    keepsake.show(pausing(), frame(1.1, 77), BOX, 0.5)
    picture = keepsake._best.picture
    keepsake.forget()
    assert not picture.any() and keepsake.pack(RECORD, compared(1.1)) is None
    assert "array" not in repr(keepsake) and "picture" not in repr(keepsake)


def test_a_face_at_the_edge_is_cut_at_the_edge():
    keepsake = Keepsake(("portrait",))
    keepsake.show(pausing(), frame(1.1, 50), Box(-20, -30, 100, 100), 0.5)
    assert keepsake.pack(RECORD, compared(1.1)).portrait


def test_a_portrait_is_as_good_as_its_limit_allows():
    noise = np.random.default_rng(1).integers(0, 256, (900, 900, 3), np.uint8)
    encoded = encode_jpeg(noise, LONGEST_SIDE, MAX_PORTRAIT_BYTES)
    assert 20_000 < len(encoded) <= MAX_PORTRAIT_BYTES
    with pytest.raises(PictureError, match="does not fit"):
        encode_jpeg(noise, LONGEST_SIDE, 100)
