"""The file of `likeness-terminal calibrate`; the configuration names it as `camera.calibration`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from device.camera.orientation import Orientation
from device.durable import PUBLIC, replace_file
from device.liveness.calibrating import Rotation
from device.settings import Settings, SettingsError, load_settings

_HEAD = """\
# Written by `likeness-terminal calibrate`: how the camera hangs, in degrees clockwise, and whether it mirrors.
# Run it again whenever the camera or its mount was touched.
"""


class Calibration(Settings):
    """What one person before the camera showed.

    Attributes:
        rotation: degrees, clockwise, that set the pictures upright.
        mirrored: the camera shows a mirror's picture.
        calibrated: when.
        camera: which camera that was, and where it was plugged in; another one needs its own.
        brightness: mean luma of that face, 0..1; a hint to the site's light.
        face_width: its width as a share of the picture's shorter side; a hint to the distance people stand at.
    """

    rotation: Rotation
    mirrored: bool
    calibrated: AwareDatetime
    camera: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]*$")]
    brightness: Annotated[float, Field(ge=0, le=1)]
    face_width: Annotated[float, Field(ge=0)]

    @property
    def orientation(self) -> Orientation:
        """What has to be done to each frame."""
        return Orientation(self.rotation, self.mirrored)

    def as_yaml(self) -> str:
        """The file's text."""
        return (
            f"{_HEAD}rotation: {self.rotation}\nmirrored: {str(self.mirrored).lower()}\n"
            f'calibrated: "{self.calibrated.isoformat(timespec="seconds")}"\n'
            f"camera: {json.dumps(self.camera)}\n"
            f"brightness: {self.brightness:.3f}\nface_width: {self.face_width:.3f}\n"
        )


def load_calibration(path: Path | None) -> Calibration | None:
    """Reads the file; None when none is named or it was not written yet. Raises SettingsError."""
    if path is None or not path.exists():
        return None
    return load_settings(path, Calibration)


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Whoever reads the file finds the old or the new findings, never half of them. Raises SettingsError."""
    try:
        replace_file(path, calibration.as_yaml().encode(), PUBLIC)
    except OSError as error:
        raise SettingsError([f"{path}: cannot be written: {error.strerror}"]) from None
