"""The USB camera as far as it can be tested where none is plugged in."""

from pathlib import Path

import pytest

from device.camera import CameraError
from device.camera.usb import UsbCamera


def test_a_missing_camera_is_one_clear_line(capfd):
    absent = next(number for number in range(64) if not Path(f"/dev/video{number}").exists())
    with pytest.raises(CameraError, match=f"/dev/video{absent}: no such camera: plug one in"):
        UsbCamera(absent)
    assert capfd.readouterr() == ("", "")
