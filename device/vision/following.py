"""Follows one face from frame to frame: detector when needed, landmarks always, then the scalars of a `View`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from device.signals import Box, Face, Frame, Signals, View
from device.vision.change import ChangeWatcher
from device.vision.detector import Detector
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, openness
from device.vision.landmarks import LandmarkFinder, region_from_detection, region_from_landmarks
from device.vision.pose import PoseSolver
from device.vision.quality import measure_quality

COUNT_EVERY = 6  # frames between two counts of faces: a fifth of a second at 30 frames a second
MIN_PRESENCE = 0.5
OTHER_FACE_SHARE = 0.3  # a face counts from this share of the followed one's width: not the portrait on a badge
REPEAT_STRIDE = 4  # rows


class FaceFollower:
    """Turns frames into `Signals`. One follower serves one session; `restart` forgets the face."""

    def __init__(self, detector: Detector, finder: LandmarkFinder, solver: PoseSolver) -> None:
        self._detector = detector
        self._finder = finder
        self._solver = solver
        self.restart()

    def restart(self) -> None:
        """Forgets the face, the count and the frame before."""
        self._face: Face | None = None
        self._faces = 0
        self._until_count = 0
        self._before: NDArray[np.uint8] | None = None
        self._changes = ChangeWatcher()

    def look(self, frame: Frame) -> tuple[Signals, Face | None]:
        """Returns what is seen in the frame, and the face itself for whoever may handle biometrics."""
        luma = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), np.uint8)
        face = self._follow(frame.image, self._face) if self._face is not None else None
        if face is None or self._until_count <= 0:
            face = self._detect(frame.image, face)
        self._until_count -= 1
        self._face = face
        view = self._view(luma, face) if face is not None else None
        signals = Signals(
            at=frame.taken_at,
            number=frame.number,
            faces=self._faces,
            view=view,
            repeated=self._is_repeated(luma),
            change=self._changes.watch(frame.taken_at, luma, face),
        )
        return signals, face

    def _follow(self, image: NDArray[np.uint8], before: Face) -> Face | None:
        return self._present(self._finder.find(image, region_from_landmarks(before.landmarks)))

    def _detect(self, image: NDArray[np.uint8], followed: Face | None) -> Face | None:
        """Finds the face to follow, unless one is followed already, and counts the faces."""
        self._until_count = COUNT_EVERY
        faces = [followed] if followed is not None else []
        for detection in sorted(self._detector.detect(image), key=lambda found: found.box.area, reverse=True):
            if faces and not _stands_beside(detection.box, faces):
                continue
            # The detector alone takes shadows and a chin seen from above for faces; the landmark model confirms.
            face = self._present(self._finder.find(image, region_from_detection(detection)))
            if face is not None and _stands_beside(face.box, faces):
                faces.append(face)
        self._faces = len(faces)
        return faces[0] if faces else None

    @staticmethod
    def _present(face: Face | None) -> Face | None:
        return face if face is not None and face.score >= MIN_PRESENCE else None

    def _is_repeated(self, luma: NDArray[np.uint8]) -> bool:
        """Sensor noise never repeats: equal pixels mean a frozen camera or an injected still."""
        sample = luma[::REPEAT_STRIDE].copy()
        before, self._before = self._before, sample
        return before is not None and np.array_equal(before, sample)

    def _view(self, luma: NDArray[np.uint8], face: Face) -> View | None:
        quality = measure_quality(luma, face)
        if quality is None:
            return None
        height, width = luma.shape
        pose = self._solver.solve(face.landmarks)
        return View(
            width=face.box.width / min(height, width),
            centre_x=(face.box.x + face.box.width / 2) / width,
            centre_y=(face.box.y + face.box.height / 2) / height,
            yaw=pose.yaw,
            pitch=pose.pitch,
            roll=pose.roll,
            left_eye=openness(face.landmarks, LEFT_EYE),
            right_eye=openness(face.landmarks, RIGHT_EYE),
            quality=quality,
        )


def _stands_beside(box: Box, faces: list[Face]) -> bool:
    """Whether `box` is another face: its centre lies in none of `faces`, and it is not far smaller than the first."""
    if not faces:
        return True
    x, y = box.x + box.width / 2, box.y + box.height / 2
    inside = any(
        face.box.x <= x <= face.box.x + face.box.width and face.box.y <= y <= face.box.y + face.box.height
        for face in faces
    )
    return not inside and box.width >= OTHER_FACE_SHARE * faces[0].box.width
