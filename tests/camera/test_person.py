"""PERSON.json: what it may say, one clear line for what it may not, and how segments are joined."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import models
from device.camera import CameraError
from device.camera.person import load_person
from device.camera.recording import RecordingCamera
from device.wire.plan import Action

REHEARSAL = Path(models.__file__).parent / "rehearsal"
SEGMENTS = {"neutral": [0.0, 0.5], "turn-left": [0.5, 1.0], "blink": [1.0, 1.25]}


def numbers(clip: Path, images: list[np.ndarray]) -> list[int]:
    """Which frames of the clip these are, told by their brightness."""
    camera = RecordingCamera(clip)
    levels = np.array([camera.read().image.mean() for _ in range(40)])
    camera.close()
    return [int(np.abs(levels - image.mean()).argmin()) for image in images]


def write_person(folder: Path, clip: str = "clip.mp4", **changes: object) -> Path:
    path = folder / "person.json"
    path.write_text(json.dumps({"clip": clip, "segments_s": SEGMENTS, **changes}))
    return path


def test_actions_without_a_segment_are_left_out(write_clip):
    person = load_person(write_person(write_clip().parent))
    assert person.actions == {Action.TURN_LEFT, Action.BLINK, Action.BLINK_TWICE}
    assert person.fps == pytest.approx(20.0)


def test_neutral_runs_to_and_fro_and_never_shows_a_frame_twice_in_a_row(write_clip):
    clip = write_clip()
    performance = load_person(write_person(clip.parent)).perform(seed=1)
    shown = numbers(clip, [performance.picture() for _ in range(60)])
    assert set(shown) == set(range(10))
    assert {abs(a - b) for a, b in itertools.pairwise(shown)} == {1}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("action", [Action.TURN_LEFT, Action.BLINK, Action.BLINK_TWICE])
def test_an_action_is_joined_at_like_poses_and_comes_back(write_clip, action, seed):
    clip = write_clip()
    performance = load_person(write_person(clip.parent)).perform(seed)
    performance.start(action)
    images = []
    while performance.busy:
        images.append(performance.picture())
    shown = numbers(clip, images)
    segment = range(10, 20) if action is Action.TURN_LEFT else range(20, 25)
    times = 2 if action is Action.BLINK_TWICE else 1
    assert shown.count(segment[len(segment) // 2]) >= times  # a join may pass by there as well
    assert shown[-1] == 9  # the neutral frame that is most like the segment's end
    assert not any(np.array_equal(a, b) for a, b in itertools.pairwise(images))


def test_a_mirrored_clip_is_turned_round(write_clip):
    folder = write_clip(halves=True).parent
    as_filmed = load_person(write_person(folder)).perform(0).picture()
    turned = load_person(write_person(folder, mirrored=True)).perform(0).picture()
    assert as_filmed[:, :24, 0].mean() > 150 > as_filmed[:, 40:, 0].mean()
    assert np.array_equal(turned, as_filmed[:, ::-1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        ("{}", "clip: Field required"),
        ('{"clip": "clip.mp4"}', "segments_s: Field required"),
        ('{"clip": "clip.mp4", "segments_s": {}}', "segments_s has no neutral"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [0.5, 0.2]}}', "segments_s.neutral: ends at 0.2 s"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [NaN, 1]}}', "not JSON: NaN is not a number"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [0, Infinity]}}', "not JSON: Infinity"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [0, 1e999]}}', "segments_s.neutral.1"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [-1, 1]}}', "segments_s.neutral.0"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [0]}}', "segments_s.neutral.1: Field required"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [0, 1], "wink": [0, 1]}}', "segments_s.wink"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [0, 9]}}', "neutral ends at 9 s, but clip.mp4 at 2.00 s"),
        ('{"clip": "clip.mp4", "segments_s": {"neutral": [0, 0.01]}}', "neutral holds fewer than 2 frames"),
        ('{"clip": "gone.mp4", "segments_s": {"neutral": [0, 1]}}', "gone.mp4: no such file"),
        ('{"clip": "clip.mp4", "fps": 3, "segments_s": {"neutral": [0, 1]}}', "fps: Extra inputs"),
        ('{"portrait": "gone.png", "head": "gone.png", "landmarks": "gone.csv"}', "gone.png: cannot be read"),
        ('{"portrait": "clip.mp4", "head": "a", "landmarks": "b"}', "clip.mp4: not a picture"),
        ('{"portrait": "clip.mp4"}', "head: Field required"),
        ('{"printed": 3}', "printed: Input should be a valid string"),
    ],
)
def test_a_bad_person_is_one_clear_line_that_names_a_file(write_clip, text, message):
    path = write_clip().parent / "person.json"
    path.write_text(text)
    with pytest.raises(CameraError) as fault:
        load_person(path)
    assert message in str(fault.value)
    assert str(path.parent) in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_missing_person_is_one_clear_line(tmp_path):
    with pytest.raises(CameraError, match=r"nobody\.json: cannot be read: No such file"):
        load_person(tmp_path / "nobody.json")


@pytest.mark.parametrize("text", ["", "1,2,3\n", "a,b,c\n" * 478, "1,2\n" * 478, "nan,0,0\n" * 478])
def test_bad_landmarks_are_one_clear_line(tmp_path, text):
    (tmp_path / "landmarks.csv").write_text(text)
    described = {name: str(REHEARSAL / f"astronaut{end}.png") for name, end in (("portrait", ""), ("head", "_head"))}
    path = tmp_path / "person.json"
    path.write_text(json.dumps({**described, "landmarks": "landmarks.csv"}))
    with pytest.raises(CameraError, match=r"landmarks\.csv: not "):
        load_person(path)


def test_the_catalogued_people_can_be_loaded(media):
    for name, fps in (("tranvanluyt", 30.0), ("liveportrait_d12", 25.0)):
        person = load_person(media / "people" / f"{name}.json")
        assert person.actions == {Action.TURN_LEFT, Action.TURN_RIGHT, Action.BLINK, Action.BLINK_TWICE}
        assert person.fps == pytest.approx(fps)
