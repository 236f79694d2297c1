"""The Raspberry Pi's camera, through Picamera2: both streams of one request, and never a wait without an end."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import CameraError, CameraStalledError, CaptureSource, Conditions
from device.signals import Frame

MAIN_SIZE = (1280, 960)
LORES_SIZE = (640, 480)
BUFFERS = 4
STALLED_AFTER_S = 2.0
HELD = ("ExposureTime", "AnalogueGain", "ColourGains")
TOLD = ("ExposureTime", "AnalogueGain", "LensPosition")
FRAME_DURATION_US = (33_333, 66_666)  # 15 to 30 frames a second: the session needs 10
# What libcamera calls RGB888 is B, G, R in memory, and the other way round.
_TO_RGB = {"BGR888": None, "RGB888": cv2.COLOR_BGR2RGB}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as the camera really delivers it, which may differ from what was asked for.

    Attributes:
        format: libcamera's name of the pixel format.
        width: pixels.
        height: pixels.
        stride: bytes from one row to the next.
    """

    format: str
    width: int
    height: int
    stride: int

    def __str__(self) -> str:
        return f"{self.format} {self.width}x{self.height}, stride {self.stride}"


class PiCamera:
    """Follows the face on the small stream; the large one comes from the same exposure as `Frame.detail`.

    Raises:
        CameraError: Picamera2 is missing, there is no camera, or it delivers a format that is not understood.
    """

    def __init__(self, index: int = 0, *, stalled_after_s: float = STALLED_AFTER_S) -> None:
        self._stalled_after_s = stalled_after_s
        self._camera, self._model = _open(index)
        try:
            self._main, self._lores = _configure(self._camera)
            self._camera.start()
        except BaseException:
            self._camera.close()
            raise
        self._number = 0
        self._closed = False
        self._settled: dict[str, Any] = {}
        self._told: dict[str, float] = {}

    @property
    def source(self) -> CaptureSource:
        """A Pi camera."""
        return CaptureSource.PI_CAMERA

    def read(self) -> Frame:
        """Returns the next frame, stamped by the sensor; raises CameraStalledError when none comes in time."""
        try:
            request = self._camera.capture_request(wait=self._stalled_after_s)
        except TimeoutError:
            raise CameraStalledError(
                f"no frame from the Pi camera for {self._stalled_after_s:g} s: check its cable"
            ) from None
        try:
            detail = _rgb(request.make_buffer("main"), self._main)
            image = _rgb(request.make_buffer("lores"), self._lores)
            metadata = request.get_metadata()
            taken_at = metadata["SensorTimestamp"] / 1e9  # CLOCK_BOOTTIME in nanoseconds
            self._settled = {name: metadata[name] for name in HELD if name in metadata}
            self._told = {name: float(metadata[name]) for name in TOLD if name in metadata}
        finally:
            request.release()
        frame = Frame(image, taken_at, self._number, detail)
        self._number += 1
        return frame

    def conditions(self) -> Conditions:
        """What libcamera says of the camera, of both streams as they are granted, and of the newest frame."""
        streams = (f"main {self._main}", f"lores {self._lores}")
        return Conditions(self._model, streams, *(self._told.get(name) for name in TOLD))

    def hold_colours(self, held: bool) -> None:
        """Holds exposure and white balance at the newest frame's values, or lets them adapt again.

        The values alone stop both algorithms. AeEnable beside them would make libcamera adopt what it uses at that
        moment instead (picamera2 issue 933); zeros give the exposure back, as picamera2's own tests do.
        """
        adapting = {"ExposureTime": 0, "AnalogueGain": 0.0, "AwbEnable": True}
        wanted, known = self._settled if held else adapting, self._camera.camera_controls
        self._camera.set_controls({name: value for name, value in wanted.items() if name in known})

    def close(self) -> None:
        """Stops the camera; may be called twice. After a stall it may block: then leave with os._exit instead."""
        if not self._closed:
            self._closed = True
            self._camera.stop()
            self._camera.close()


def _open(index: int) -> tuple[Any, str]:
    """Returns the camera, and which one it is: sensor and place."""
    try:
        picamera2 = importlib.import_module("picamera2")
    except ImportError:
        raise CameraError(
            "Picamera2 is missing: apt install python3-picamera2, in a virtual environment with --system-site-packages"
        ) from None
    known = picamera2.Picamera2.global_camera_info()
    if index >= len(known):
        raise CameraError(
            f"there is no Pi camera {index} ({len(known)} found): check its cable, then rpicam-hello --list-cameras"
        )
    try:
        camera = picamera2.Picamera2(index)
    except (RuntimeError, IndexError) as error:
        raise CameraError(f"the Pi camera {index} cannot be opened ({error}): close what uses it") from None
    return camera, f"{known[index].get('Model', 'camera')} {known[index].get('Id', index)}"


def _configure(camera: Any) -> tuple[Stream, Stream]:
    """Asks for both streams and returns what the camera made of it."""
    wish = camera.create_video_configuration(
        main={"size": MAIN_SIZE, "format": "BGR888"},
        lores={"size": LORES_SIZE, "format": "YUV420"},
        buffer_count=BUFFERS,
    )
    camera.configure(wish)
    granted = camera.camera_configuration()
    main, lores = (_granted(granted[name], name) for name in ("main", "lores"))
    wanted = {"FrameDurationLimits": FRAME_DURATION_US, "AeEnable": True, "AwbEnable": True, "AfMode": 2}
    camera.set_controls({name: value for name, value in wanted.items() if name in camera.camera_controls})
    return main, lores


def _granted(stream: dict[str, Any], name: str) -> Stream:
    width, height = stream["size"]
    granted = Stream(str(stream["format"]), width, height, stream["stride"])
    if granted.format not in (*_TO_RGB, "YUV420", "NV12"):
        raise CameraError(
            f"the Pi camera's {name} stream is {granted.format}: only RGB888, BGR888, YUV420 and NV12 are read"
        )
    return granted


def _rgb(buffer: NDArray[np.uint8], stream: Stream) -> NDArray[np.uint8]:
    """Returns the buffer's picture as (height, width, 3) RGB, without the padding at the rows' ends."""
    if stream.format in _TO_RGB:
        rows = buffer[: stream.height * stream.stride].reshape(stream.height, stream.stride)
        pixels = rows[:, : stream.width * 3].reshape(stream.height, stream.width, 3)
        code = _TO_RGB[stream.format]
        # A copy: the buffer goes back to the camera.
        return pixels.copy() if code is None else np.asarray(cv2.cvtColor(pixels, code), np.uint8)
    return _rgb_from_yuv(buffer, stream)


def _rgb_from_yuv(buffer: NDArray[np.uint8], stream: Stream) -> NDArray[np.uint8]:
    """Drops the padding plane by plane, since OpenCV knows no stride; both layouts hold half a plane of chroma."""
    width, height, stride = stream.width, stream.height, stream.stride
    luma = buffer[: height * stride].reshape(height, stride)[:, :width]
    chroma = buffer[height * stride : height * stride * 3 // 2]
    if stream.format == "NV12":
        packed = chroma.reshape(height // 2, stride)[:, :width]
    else:
        packed = chroma.reshape(height, stride // 2)[:, : width // 2].reshape(height // 2, width)
    code = cv2.COLOR_YUV2RGB_NV12 if stream.format == "NV12" else cv2.COLOR_YUV2RGB_I420
    return np.asarray(cv2.cvtColor(np.vstack([luma, packed]), code), np.uint8)
