"""A camera whose pictures are lit by the ring on the panel's pins: for rehearsals of the coloured light."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import Camera, CaptureSource
from device.evaluation.lit import FACE_M, LitSensor, Room, Scene
from device.evaluation.sessions import MakeCamera
from device.panel.prompts import Lights
from device.signals import Face, Frame
from device.vision.assembly import Vision
from device.vision.eyes import eye_distance
from device.vision.landmarks import region_from_detection
from device.wire.light import Duties

Triangles: TypeAlias = NDArray[np.intp]
"""Numbers of three landmarks each, (T, 3)."""
_EYE_DISTANCE_M = 0.063  # interpupillary, adults' mean (Dodgson, 2004)
_MESH_SIDE = 96  # pixels of the face's width in which slants are drawn
_HAIR, _TORSO = 0.5, 0.5  # the ring's light there, slant and distance taken together
_HAIR_SIZE = (0.7, 0.95)  # half axes of the head's outline with hair, over the box's width and height


class LitCamera:
    """Adds the ring's light to another camera's pictures."""

    def __init__(self, camera: Camera, watch: Callable[[], Lights], vision: Vision, room: Room, seed: int) -> None:
        """Takes the other camera, how to see the panel, the models that find the face, and the room."""
        self._camera, self._watch, self._vision, self._room = camera, watch, vision, room
        self._sensor = LitSensor(room, Scene.LIVE, seed)
        self._shown: deque[Duties] = deque(maxlen=max(room.latency_frames, 1))
        self._before = 0.0
        self._triangles: Triangles | None = None

    @property
    def source(self) -> CaptureSource:
        """The other camera's."""
        return self._camera.source

    def read(self) -> Frame:
        """Returns the other camera's next frame, lit by what the ring showed `latency_frames` ago."""
        frame = self._camera.read()
        self._shown.append(self._watch().ring)
        face = self._find(frame.image)
        reach = np.full(frame.image.shape[:2], self._room.background_reach, np.float32)
        if face is not None:
            self._triangles = triangulate(face.landmarks) if self._triangles is None else self._triangles
            reach = reach_map(face, reach, self._triangles)
        lit = self._sensor.expose(frame.image, reach, self._shown[0], frame.taken_at - self._before)
        self._before = frame.taken_at
        return replace(frame, image=lit, detail=None)

    def close(self) -> None:
        """Closes the other camera."""
        self._camera.close()

    def _find(self, image: NDArray[np.uint8]) -> Face | None:
        found = max(self._vision.detector.detect(image), key=lambda each: each.box.area, default=None)
        return None if found is None else self._vision.finder.find(image, region_from_detection(found))


def lit_by_the_ring(make_camera: MakeCamera, vision: Vision, room: Room) -> MakeCamera:
    """Returns a maker of the same cameras in `room`, lit by the ring of the panel they watch."""
    return lambda panel, seed: LitCamera(make_camera(panel, seed), panel.lights, vision, room, seed)


def reach_map(face: Face, background: NDArray[np.float32], triangles: Triangles) -> NDArray[np.float32]:
    """Returns how much of the ring's light falls on each pixel, (H, W), 1 at a face straight before it.

    The face's slants come from the landmarks' mesh; hair and torso are rough; the rest is `background`, (H, W).
    """
    height, width = background.shape
    scale = _MESH_SIDE / max(face.box.width, 1.0)
    small_size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = np.asarray(cv2.resize(background, small_size), np.float32)
    box = face.box
    middle = (round((box.x + box.width / 2) * scale), round((box.y + box.height / 2) * scale))
    axes = (round(box.width * _HAIR_SIZE[0] * scale), round(box.height * _HAIR_SIZE[1] * scale))
    chin, half = round((box.y + box.height) * scale), round(box.width * scale)
    cv2.rectangle(small, (middle[0] - half, chin), (middle[0] + half, small.shape[0]), (_TORSO,), cv2.FILLED)
    cv2.ellipse(small, middle, axes, 0, 0, 360, (_HAIR,), cv2.FILLED)
    _draw_slants(small, face.landmarks * np.float32(scale), triangles)
    smooth = cv2.GaussianBlur(small, (0, 0), 1.5)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def triangulate(landmarks: NDArray[np.float32]) -> Triangles:
    """Returns the Delaunay mesh of a face's landmarks; the same triangles serve every other view of a face."""
    places = landmarks[:, :2].round(1)
    low, high = np.floor(places.min(axis=0) - 1), np.ceil(places.max(axis=0) + 2)
    mesh = cv2.Subdiv2D((*low.astype(int).tolist(), *(high - low).astype(int).tolist()))
    for x, y in places.tolist():
        mesh.insert((x, y))
    numbers = {(round(x, 1), round(y, 1)): number for number, (x, y) in enumerate(places.tolist())}
    found = [
        [numbers.get((round(x, 1), round(y, 1))) for x, y in np.reshape(corners, (3, 2)).tolist()]
        for corners in mesh.getTriangleList()
    ]
    return np.array([corners for corners in found if None not in corners], np.intp).reshape(-1, 3)


def _draw_slants(small: NDArray[np.float32], points: NDArray[np.float32], triangles: Triangles) -> None:
    """Draws each triangle with its cosine towards the lens and its distance, the farthest first."""
    metres = _EYE_DISTANCE_M / max(eye_distance(points), 1e-3)
    corners = points[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    cosines = np.abs(normals[:, 2]) / np.maximum(np.linalg.norm(normals, axis=1), 1e-6)
    depths = corners[:, :, 2].mean(axis=1)
    reach = cosines * (FACE_M / np.maximum(FACE_M + depths * metres, 0.1)) ** 2
    places = corners[:, :, :2].round().astype(np.int32)
    for number in np.argsort(-depths).tolist():
        cv2.fillConvexPoly(small, places[number], (float(reach[number]),))
