"""Looks through the camera for the doctor: some seconds of frames, and what they were like. Nothing is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from statistics import median
from zlib import crc32

import cv2
import numpy as np

from device.camera import Camera, TellsConditions
from device.camera.orientation import Orientation
from device.doctor.sight import Film
from device.signals import Frame
from device.vision.assembly import Vision

FRAMES = 60
LOOKS = 8
SMALL = (160, 120)
BURNT_OUT = 247


def film(camera: Camera, vision: Vision | None, orientation: Orientation, tell: Callable[[str], None]) -> Film:
    """Reads frames as fast as they come, then looks for a face in a few; raises CameraError."""
    tell(f"filming {FRAMES} frames")
    taken_at, pictures, sums = [], [], []
    for _ in range(FRAMES):
        frame = camera.read()
        taken_at.append(frame.taken_at)
        sums.append(crc32(frame.image.tobytes()))
        pictures.append(cv2.resize(frame.image, SMALL, interpolation=cv2.INTER_AREA))
    height, width = frame.image.shape[:2]
    luma = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures])
    conditions = camera.conditions() if isinstance(camera, TellsConditions) else None
    return Film(
        width=width,
        height=height,
        taken_at=tuple(taken_at),
        luma=float(luma.mean()) / 255,
        contrast=float(np.median([each.std() for each in luma])) / 255,
        burnt=float((luma >= BURNT_OUT).mean()),
        repeated=sum(one == other for one, other in pairwise(sums)) / (FRAMES - 1),
        sharpness=None if vision is None else _sharpness(camera, vision, orientation),
        conditions=conditions,
    )


def _sharpness(camera: Camera, vision: Vision, orientation: Orientation) -> float | None:
    seen = []
    for _ in range(LOOKS):
        signals, _ = vision.follower.look(_upright(camera.read(), orientation))
        if signals.faces == 1 and signals.view is not None:
            seen.append(signals.view.quality.sharpness)
    vision.forget()
    return median(seen) if seen else None


def _upright(frame: Frame, orientation: Orientation) -> Frame:
    return replace(frame, image=orientation.set_upright(frame.image), detail=None)
