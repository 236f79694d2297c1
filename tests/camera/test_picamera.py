"""What can be shown of the Pi camera without a Pi: rows with padding, and one clear line where it is missing."""

import importlib.util

import cv2
import numpy as np
import pytest

from device.camera import CameraError
from device.camera.picamera import PiCamera, Stream, _granted, _rgb

WIDTH, HEIGHT = 64, 48


@pytest.fixture
def picture() -> np.ndarray:
    """Smooth colours: chroma at half size loses nothing worth mentioning."""
    across, down = np.linspace(40, 200, WIDTH), np.linspace(40, 200, HEIGHT)[:, None]
    return np.dstack([across + 0 * down, down + 0 * across, 120 + 0 * across + 0 * down]).astype(np.uint8)


def padded(rows: np.ndarray, stride: int) -> np.ndarray:
    """A plane in memory: its rows, then rubbish up to the stride."""
    filled = np.full((rows.shape[0], stride), 255, np.uint8)
    filled[:, : rows.shape[1]] = rows
    return filled.ravel()


@pytest.mark.parametrize("stride", [WIDTH * 3, WIDTH * 3 + 64])
@pytest.mark.parametrize(("name", "order"), [("BGR888", (0, 1, 2)), ("RGB888", (2, 1, 0))])
def test_the_names_of_libcamera_are_the_reverse_of_memory(picture, name, order, stride):
    buffer = padded(picture[..., list(order)].reshape(HEIGHT, -1), stride)
    rubbish = np.zeros(100, np.uint8)  # buffers are rounded up to whole pages
    assert np.array_equal(_rgb(np.concatenate([buffer, rubbish]), Stream(name, WIDTH, HEIGHT, stride)), picture)


@pytest.mark.parametrize("stride", [WIDTH, WIDTH + 64])
@pytest.mark.parametrize("name", ["YUV420", "NV12"])
def test_padding_is_dropped_from_every_plane(picture, name, stride):
    planar = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
    luma, chroma = planar[:HEIGHT], planar[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    if name == "NV12":
        planes = padded(chroma.transpose(1, 2, 0).reshape(HEIGHT // 2, WIDTH), stride)
    else:
        planes = padded(chroma.reshape(HEIGHT, WIDTH // 2), stride // 2)
    buffer = np.concatenate([padded(luma, stride), planes])
    seen = _rgb(buffer, Stream(name, WIDTH, HEIGHT, stride))
    assert np.abs(seen.astype(int) - picture).max() <= 8


def test_a_format_that_is_not_understood_is_refused():
    with pytest.raises(CameraError, match="main stream is MJPEG"):
        _granted({"format": "MJPEG", "size": (640, 480), "stride": 0}, "main")


@pytest.mark.skipif(importlib.util.find_spec("picamera2") is not None, reason="Picamera2 is installed")
def test_a_missing_library_is_one_clear_line():
    with pytest.raises(CameraError, match="apt install python3-picamera2"):
        PiCamera()
