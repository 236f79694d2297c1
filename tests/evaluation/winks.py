"""Winks made from real blinks: the open eye of another frame is laid over one eye of each frame."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from device.camera.person import load_person
from device.camera.recorded import RecordedPerformance, RecordedPerson, Segment
from device.signals import Frame
from device.vision.assembly import Vision
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, openness

EYES = {"left": LEFT_EYE, "right": RIGHT_EYE}
# Landmarks that lids do not move: the eyes' corners, the nose's bridge and tip, the brow's middle.
STILL = (33, 133, 362, 263, 6, 197, 195, 1, 168)


def winked(vision: Vision, images: Sequence[np.ndarray], open_eye: str) -> list[np.ndarray]:
    """Returns the pictures with the one eye kept open; the face is found in each of them."""
    vision.follower.restart()
    faces = [vision.follower.look(Frame(image, number / 30, number))[1] for number, image in enumerate(images)]
    widest = max(range(len(images)), key=lambda index: openness(faces[index].landmarks, EYES[open_eye]))
    donor, landmarks = images[widest], faces[widest].landmarks
    return [
        _lay_over(image, face.landmarks, donor, landmarks, EYES[open_eye])
        for image, face in zip(images, faces, strict=True)
    ]


def _lay_over(image, landmarks, donor, donor_landmarks, eye) -> np.ndarray:
    """Moves the donor's eye to where the head is now and blends it in, lids and lashes included."""
    from_donor, _ = cv2.estimateAffinePartial2D(donor_landmarks[list(STILL), :2], landmarks[list(STILL), :2])
    moved = cv2.warpAffine(donor, from_donor, image.shape[1::-1])
    outer, inner = landmarks[eye[0], :2], landmarks[eye[3], :2]
    width = float(np.linalg.norm(outer - inner))
    centre = (outer + inner) / 2
    mask = np.zeros(image.shape[:2], np.float32)
    angle = float(np.degrees(np.arctan2(*(inner - outer)[::-1])))
    size = (round(0.72 * width), round(0.5 * width))
    cv2.ellipse(mask, tuple(int(value) for value in centre), size, angle, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.08 * width)[:, :, None]
    return (mask * moved + (1 - mask) * image + 0.5).astype(np.uint8)


class WinkingPerson:
    """A recorded person who answers each cue for a blink with a wink."""

    def __init__(self, path: Path, vision: Vision, open_eye: str) -> None:
        person = load_person(path)
        assert isinstance(person, RecordedPerson)
        self.name, self.actions, self.fps = person.name, person.actions, person.fps
        self._person = person
        blink = person.pictures(Segment.BLINK)
        self._winks = dict(zip(map(id, blink), winked(vision, blink, open_eye), strict=True))

    def perform(self, seed: int) -> "_Winking":
        return _Winking(self._person.perform(seed), self._winks)


class _Winking:
    """A performance whose pictures of the blink are exchanged."""

    def __init__(self, performance: RecordedPerformance, winks: dict[int, np.ndarray]) -> None:
        self._performance, self._winks = performance, winks
        self.start = performance.start

    @property
    def busy(self) -> bool:
        return self._performance.busy

    def picture(self) -> np.ndarray:
        image = self._performance.picture()
        return self._winks.get(id(image), image)
