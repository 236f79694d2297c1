"""Recordings: recorded time, rotation, and one clear line for whatever is no video."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from device.camera import CameraError, CaptureSource, RecordingEndedError
from device.camera.recording import RecordingCamera
from device.signals import Frame


def play(path: Path) -> list[Frame]:
    camera, frames = RecordingCamera(path), []
    try:
        while True:
            frames.append(camera.read())
    except RecordingEndedError:
        return frames
    finally:
        camera.close()


def test_frames_come_in_order_on_recorded_time(write_clip):
    frames = play(write_clip(frames=30, fps=20.0))
    assert [frame.number for frame in frames] == list(range(30))
    assert [frame.taken_at for frame in frames] == pytest.approx([n / 20 for n in range(30)])
    assert frames[0].image.shape == (48, 64, 3)
    assert frames[0].image.dtype == np.uint8


def test_frames_are_rgb_and_not_mirrored(write_clip):
    image = play(write_clip(halves=True))[0].image
    left, right = image[:, :24].mean(axis=(0, 1)), image[:, 40:].mean(axis=(0, 1))
    assert left[0] > 150 > 80 > left[2]
    assert np.ptp(right) < 20


def test_the_header_is_told(write_clip):
    camera = RecordingCamera(write_clip(frames=30, fps=20.0))
    assert (camera.info.fps, camera.info.frames, camera.info.width, camera.info.height) == (20.0, 30, 64, 48)
    assert camera.source is CaptureSource.RECORDING
    camera.close()


def test_a_closed_recording_has_ended_and_closes_twice(write_clip):
    camera = RecordingCamera(write_clip())
    camera.close()
    camera.close()
    with pytest.raises(RecordingEndedError):
        camera.read()


def test_rotation_is_obeyed(write_clip):
    clip = write_clip(halves=True)
    data = bytearray(clip.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40  # version and flags, times, ids, layer and volume of a version 0 box
    quarter_turn = (0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter_turn)
    clip.write_bytes(data)
    image = play(clip)[0].image
    assert image.shape == (64, 48, 3)
    assert image[:24, :, 0].mean() > 150 > image[40:, :, 0].mean()


def test_a_clip_without_a_constant_frame_rate_keeps_its_own_time(media):
    frames = play(media / "videos" / "live_turns_krzysiek354_real.mp4")
    gaps = np.diff([frame.taken_at for frame in frames])
    assert len(frames) == 140
    assert (gaps > 0).all()
    assert frames[-1].taken_at == pytest.approx(8.86, abs=0.02)
    assert gaps.min() < 0.05 < 0.2 < gaps.max()


def test_an_animated_gif_plays(media):
    frames = play(media / "videos" / "live_turns_intel_headpose_female.gif")
    assert len(frames) == 23
    assert frames[-1].taken_at == pytest.approx(1.83, abs=0.01)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "the file is empty"),
        (b"hello", "not a video"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(200), "not a video"),
        (bytes(range(256)) * 64, "not a video"),
    ],
)
def test_what_is_no_video_is_one_clear_line(tmp_path, capfd, content, message):
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CameraError, match=message) as fault:
        RecordingCamera(path)
    assert str(fault.value).startswith(str(path))
    assert "\n" not in str(fault.value)
    assert capfd.readouterr() == ("", "")


def test_a_folder_is_no_video(tmp_path):
    with pytest.raises(CameraError, match="not a file"):
        RecordingCamera(tmp_path)


def test_a_cut_off_clip_is_refused_quietly_by_a_fresh_process(write_clip):
    clip = write_clip()
    clip.write_bytes(clip.read_bytes()[:700])
    code = (
        "import sys; from pathlib import Path; from device.camera import CameraError\n"
        "from device.camera.recording import RecordingCamera\n"
        "try:\n    RecordingCamera(Path(sys.argv[1]))\nexcept CameraError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, clip], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
