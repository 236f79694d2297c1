"""How a camera hangs: found on a real face in all eight orientations, kept in a file, undone in every frame."""

from datetime import UTC, datetime

import numpy as np
import pytest

from device import daemon
from device.__main__ import main
from device.calibrate import find_round
from device.camera import CameraError, CaptureSource, HoldsColours, RecordingEndedError
from device.camera.calibration import Calibration, load_calibration, write_calibration
from device.camera.orientation import ROTATIONS, Orientation, OrientedCamera, oriented
from device.config import CameraSettings
from device.settings import SettingsError
from device.signals import Frame
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from tests.evaluation.recordings import Beginning

REHEARSAL = default_directory() / "rehearsal"
CALIBRATION = Calibration(
    rotation=270,
    mirrored=True,
    calibrated=datetime(2026, 11, 3, 9, 30, tzinfo=UTC),
    camera='imx708 "/base/i2c@1/imx708@1a": \\',
    brightness=0.43,
    face_width=0.5,
)


class Playing:
    """A camera of given frames."""

    source = CaptureSource.USB_CAMERA

    def __init__(self, frames):
        self._frames = iter(frames)
        self.closed = False

    def read(self):
        try:
            return next(self._frames)
        except StopIteration:
            raise RecordingEndedError("over") from None

    def close(self):
        self.closed = True


@pytest.fixture(scope="module")
def vision():
    return load_vision(default_directory(), preferred_runtime())


@pytest.fixture(scope="module")
def frames(media):
    """A man who looks at the camera, turns to his left and back; ten frames a second."""
    camera, frames = Beginning(media / "videos" / "live_turns_tranvanluyt_real.mp4", 6.4), []
    try:
        while True:
            frame = camera.read()
            if frame.taken_at > 0.6 and not 2.6 < frame.taken_at < 5.2 and frame.number % 3 == 0:
                frames.append(frame)
    except RecordingEndedError:
        return frames
    finally:
        camera.close()


def hung(image, quarters, mirrored):
    """The picture of a camera that hangs so."""
    image = np.rot90(image, quarters)
    return np.ascontiguousarray(image[:, ::-1] if mirrored else image)


@pytest.mark.media
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_every_orientation_is_found_and_undone(vision, frames, quarters, mirrored):
    camera = Playing(Frame(hung(frame.image, quarters, mirrored), frame.taken_at, frame.number) for frame in frames)
    found = find_round(camera, vision, lambda *_: None)
    assert found.mirrored is mirrored
    upright = Orientation(found.rotation, found.mirrored).set_upright(hung(frames[0].image, quarters, mirrored))
    assert np.array_equal(upright, frames[0].image)
    assert 0.2 < found.width < 0.9
    assert 0.2 < found.brightness < 0.8


def test_a_person_is_led_by_light_and_words_twice(tmp_path, capsys):
    config, out = tmp_path / "terminal.yaml", tmp_path / "calibration.yaml"
    camera = f"{{kind: rehearsal, person: {REHEARSAL / 'astronaut.json'}, seed: 1}}"
    config.write_text(f"camera: {camera}\npanel: {{factory: mock}}\nbroker: {{host: b}}\nkeys: k\noutbox: o\n")
    assert main(["calibrate", "--config", str(config), "--out", str(out)]) == 0
    look, turn, done, *again, last = capsys.readouterr().out.splitlines()
    assert look == "Look straight at the camera."
    assert "your own LEFT" in turn
    assert done == "Done."
    assert again == [look, turn, done]
    assert last.startswith("The camera is turned upright by 0 degrees clockwise; it does not mirror. Written to ")
    assert load_calibration(out).orientation == Orientation()
    assert load_calibration(out).camera == "rehearsal"


def test_a_recording_that_ends_too_early_is_told(vision):
    grey = np.full((120, 160, 3), 90, np.uint8)
    with pytest.raises(CameraError, match="ended before there was an answer"):
        find_round(Playing([Frame(grey, 0.0, 0)]), vision, lambda *_: None)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_both_pictures_of_a_frame_are_set_upright(rotation, mirrored):
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    detail = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    camera = Playing([Frame(image, 1.5, 7, detail)])
    seen = OrientedCamera(camera, Orientation(rotation, mirrored))
    frame = seen.read()
    expected = np.rot90(image, -rotation // 90)
    expected = expected[:, ::-1] if mirrored else expected
    assert np.array_equal(frame.image, expected)
    assert np.array_equal(frame.detail[::2, ::2], expected)
    assert (frame.taken_at, frame.number, seen.source) == (1.5, 7, CaptureSource.USB_CAMERA)
    seen.close()
    assert camera.closed


def test_a_camera_that_hangs_as_it_should_is_left_alone():
    camera = Playing([])
    assert oriented(camera, Orientation()) is camera


def test_a_camera_that_holds_its_colours_still_does_and_no_other_seems_to():
    class Holding(Playing):
        held = None

        def hold_colours(self, held):
            self.held = held

    camera = Holding([])
    turned = oriented(camera, Orientation(180))
    assert isinstance(turned, HoldsColours)
    turned.hold_colours(held=True)
    assert camera.held is True
    assert not isinstance(oriented(Playing([]), Orientation(180)), HoldsColours)


def test_the_file_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "calibration.yaml"
    assert load_calibration(path) is None
    assert load_calibration(None) is None
    write_calibration(path, CALIBRATION)
    assert load_calibration(path) == CALIBRATION
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_file_is_told_with_its_line(tmp_path):
    path = tmp_path / "calibration.yaml"
    path.write_text(CALIBRATION.as_yaml().replace("270", "45"))
    with pytest.raises(SettingsError, match=r"calibration.yaml:3: rotation: "):
        load_calibration(path)


def test_the_daemon_sets_frames_upright_and_warns_of_another_cameras_calibration(tmp_path, monkeypatch, caplog):
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    settings = CameraSettings(kind="usb-camera", calibration=tmp_path / "calibration.yaml")
    monkeypatch.setattr(daemon, "open_camera", lambda *_: Playing([Frame(image, 0.0, 0)]))
    for camera, warned in (("usb-camera", False), ("another one", True)):
        caplog.clear()
        write_calibration(settings.calibration, CALIBRATION.model_copy(update={"camera": camera, "mirrored": False}))
        assert np.array_equal(daemon.make_camera(settings, None).read().image, np.rot90(image))
        assert ("the calibration is another camera's" in caplog.text) is warned


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "terminal.yaml"
    text = "camera: {kind: usb-camera, index: 63}\npanel: {factory: mock}\nbroker: {host: b}\nkeys: k\noutbox: o\n"
    path.write_text(text)
    return path


@pytest.mark.media
def test_the_command_writes_what_a_clip_shows(config, media, tmp_path, capsys):
    clip = str(media / "videos" / "live_turns_tranvanluyt_real.mp4")
    out = tmp_path / "calibration.yaml"
    assert main(["calibrate", "--config", str(config), "--clip", clip, "--out", str(out)]) == 0
    assert "turned upright by 0 degrees clockwise; it does not mirror" in capsys.readouterr().out
    found = load_calibration(out)
    assert (found.rotation, found.mirrored, found.camera) == (0, False, "recording")


def test_the_command_says_what_to_do(config, tmp_path, capsys):
    command = ["calibrate", "--config", str(config)]
    for arguments, told in (
        ([], "names no file for the findings: add camera.calibration: calibration.yaml, or give --out FILE"),
        (["--clip", "clip.mp4"], "--clip needs --out FILE"),
        (["--out", str(tmp_path / "c.yaml")], "/dev/video63: no such camera"),
    ):
        assert main([*command, *arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert told in line
