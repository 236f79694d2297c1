"""One eye closed is no blink: real blinks with the other eye kept open, before `analyse` and before a session."""

import pytest

from device.camera import RecordingEndedError
from device.evaluation.analyse import analyse
from device.evaluation.sessions import answering, draw, verify_on_desk
from device.wire.claims import Outcome
from device.wire.plan import Action
from tests.evaluation.recordings import Beginning, Pictures, cut_portrait, frame_at
from tests.evaluation.winks import WinkingPerson, winked

pytestmark = pytest.mark.media


@pytest.fixture(scope="module")
def images(media):
    """Nine tenths of a second of a still head that blinks once."""
    camera = Beginning(media / "videos" / "live_blinks_repeating_video.mp4", 0.9)
    pictures = []
    try:
        while True:
            pictures.append(camera.read().image)
    except RecordingEndedError:
        return pictures
    finally:
        camera.close()


def test_analyse_takes_no_wink_for_a_blink(vision, images):
    found = {
        what: len(analyse(Pictures(pictures), vision.follower)["blinks"])
        for what, pictures in {
            "both eyes": images,
            "left eye open": winked(vision, images, "left"),
            "right eye open": winked(vision, images, "right"),
        }.items()
    }
    assert found == {"both eyes": 1, "left eye open": 0, "right eye open": 0}


def test_a_cue_for_a_blink_is_not_answered_by_a_wink(vision, reader, media, tmp_path):
    person = WinkingPerson(media / "people" / "tranvanluyt.json", vision, "left")
    image = frame_at(media / "videos" / "live_turns_tranvanluyt_real.mp4", 0.3)
    own = reader.read(cut_portrait(reader, image, tmp_path / "chip.png")).embedding
    blink_first = next(
        drawn
        for seed in range(100)
        if (drawn := draw(seed, {Action.TURN_LEFT, Action.BLINK})).plan.actions[0] is Action.BLINK
    )
    _, document = verify_on_desk(answering(person), vision, own, blink_first)
    assert document["outcome"] == Outcome.REJECTED, document
    assert document["reasons"] == ["challenge-not-answered"]
    (step,) = document["liveness"]["steps"]
    assert (step["action"], step["onset_s"], step["passed"]) == ("blink", None, False)
