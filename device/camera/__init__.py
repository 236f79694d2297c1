"""Cameras: where frames come from. Each adapter is one module; `device.__main__` chooses it."""

from __future__ import annotations

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


@runtime_checkable
class HoldsColours(Protocol):
    """A camera that can keep exposure and white balance as they are."""

    def hold_colours(self, held: bool) -> None:
        """Holds both at their present values, or lets them adapt again; any thread may call it."""
