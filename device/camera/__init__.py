"""Cameras: where frames come from. Each adapter is one module; `device.__main__` chooses it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from device.signals import Frame


class CaptureSource(StrEnum):
    """Where the frames of a result came from; only the first two are live cameras."""

    PI_CAMERA = "pi-camera"
    USB_CAMERA = "usb-camera"
    RECORDING = "recording"
    REHEARSAL = "rehearsal"


class CameraError(RuntimeError):
    """The camera or recording cannot be used; the message is one line that says what to do."""


class CameraStalledError(CameraError):
    """No frame came in time. The process leaves and systemd restarts it: a stalled pipeline does not recover."""


class RecordingEndedError(CameraError):
    """The recording has no more frames."""


class Camera(Protocol):
    """A source of frames."""

    @property
    def source(self) -> CaptureSource:
        """What kind of camera this is, as said in the signed result."""

    def read(self) -> Frame:
        """Returns the next frame; raises CameraStalledError or RecordingEndedError when there is none."""

    def close(self) -> None:
        """Frees the device; may be called twice."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a camera takes its pictures: for whoever looks after it.

    Attributes:
        model: which camera this is, and where it is plugged in; another one has another.
        streams: what it delivers, in words.
        exposure_us: microseconds, of the newest frame; None where the camera does not tell, like all that follows.
        gain: analogue gain.
        lens_position: dioptres: 1 / metres.
    """

    model: str
    streams: tuple[str, ...]
    exposure_us: float | None = None
    gain: float | None = None
    lens_position: float | None = None


@runtime_checkable
class TellsConditions(Protocol):
    """A camera that knows how it takes its pictures."""

    def conditions(self) -> Conditions:
        """How the newest frame was taken."""


def model_of(camera: Camera) -> str:
    """Which camera this is: a calibration belongs to one."""
    return camera.conditions().model if isinstance(camera, TellsConditions) else camera.source.value


@runtime_checkable
class HoldsColours(Protocol):
    """A camera that can keep exposure and white balance as they are."""

    def hold_colours(self, held: bool) -> None:
        """Holds both at their present values, or lets them adapt again; any thread may call it."""
