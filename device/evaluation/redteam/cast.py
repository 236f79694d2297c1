"""The cast of a battery: models loaded once, and each portrait, head and recorded person made once and kept awhile."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from device.camera import CameraError, RecordingEndedError
from device.camera.portrait import Portrait
from device.camera.recorded import RecordedPerson, Segment
from device.camera.recording import RecordingCamera
from device.evaluation.redteam.gallery import Gallery, Recording
from device.evaluation.redteam.heads import frame_head
from device.vision.assembly import Vision
from device.vision.embedding import Embedding, similarity
from device.vision.pictures import read_picture
from device.vision.pose import PoseSolver
from device.vision.reference import PortraitError, PortraitReader

CHIP_PORTRAIT = (102, 126)  # width, height in pixels: the picture in a passport's chip can be this small
_LONGEST_SIDE = 960
_HEADS_KEPT, _PEOPLE_KEPT = 6, 4
_LOOKS, _LOOK_EVERY_S = 12, 0.4


class Cast:
    """Everybody who can play. One process uses it, one thread at a time."""

    def __init__(self, vision: Vision, gallery: Gallery) -> None:
        self.vision = vision
        self.gallery = gallery
        self.reader = PortraitReader(vision.models)
        self.performers = tuple(gallery.stills())
        self.documents = gallery.documents()
        self.head = lru_cache(_HEADS_KEPT)(self._head)
        self.person = lru_cache(_PEOPLE_KEPT)(self._person)
        self.reference = lru_cache(None)(self._reference)
        self.chip = lru_cache(None)(self._chip)
        self.clip_reference = lru_cache(None)(self._clip_reference)

    def _head(self, name: str) -> Portrait:
        """A still's head, framed as a customer's."""
        return frame_head(self.reader, read_picture(self.documents[name]))

    def _reference(self, name: str) -> Embedding:
        """The embedding of a still: the document, and the very picture that its attacks are made of."""
        return self.reader.read(self.documents[name]).embedding

    def is_usable(self, name: str) -> bool:
        """Whether somebody's still, if it is one, can be a document: press photos may hold several faces."""
        try:
            return name not in self.documents or self.reference(name) is not None
        except PortraitError as error:
            sys.stderr.write(f"left out: {error}\n")
            return False

    def _person(self, name: str) -> RecordedPerson:
        """A recorded person; raises CameraError when the clip is not there."""
        recording = self._recording(name)
        clip = self.gallery.clip(recording)
        if clip is None:
            raise CameraError(f"{name}: the media are not there: give --media")
        segments, back = recording.segments_s, recording.and_back
        return RecordedPerson(clip, clip, segments, and_back=back, longest_side=_LONGEST_SIDE)

    def _recording(self, name: str) -> Recording:
        return (self.gallery.people() | self.gallery.blinkers())[name]

    def _chip(self, name: str) -> Embedding:
        """A recorded person's document: a chip portrait cut from a frame that the segments do not use."""
        recording = self._recording(name)
        clip = self.gallery.clip(recording)
        if clip is None:
            raise CameraError(f"{name}: the media are not there: give --media")
        return self._cut(_frames(clip, (recording.portrait_s,))[0])

    def _clip_reference(self, clip: Path) -> Embedding:
        """A chip portrait cut from the most frontal of the clip's first frames."""
        face = self.vision.models.canonical_face
        solver = PoseSolver(face.vertices, face.weights)

        def turned(picture: NDArray[np.uint8]) -> float:
            faces = self.reader.faces(picture)
            return min((abs(solver.solve(each.landmarks).yaw) for each in faces), default=180.0)

        looks = _frames(clip, tuple(index * _LOOK_EVERY_S for index in range(_LOOKS)))
        return self._cut(min(looks, key=turned))

    def _cut(self, picture: NDArray[np.uint8]) -> Embedding:
        faces = self.reader.faces(picture)
        if not faces:
            raise CameraError("no face in the frame that was to be the document: name another second")
        box = max(faces, key=lambda face: face.box.area).box
        height = box.height * 1.6
        width = height * CHIP_PORTRAIT[0] / CHIP_PORTRAIT[1]
        left, top = max(int(box.x + (box.width - width) / 2), 0), max(int(box.y + box.height / 2 - height * 0.55), 0)
        part = picture[top : top + int(height), left : left + int(width)]
        chip = cv2.resize(cv2.cvtColor(part, cv2.COLOR_RGB2BGR), CHIP_PORTRAIT, interpolation=cv2.INTER_AREA)
        _, coded = cv2.imencode(".png", chip)
        return self.reader.read(coded.tobytes()).embedding

    def another(self, name: str) -> str:
        """Somebody else who can perform: halfway round the gallery, and always the same for each."""
        names = self.performers
        place = list(self.documents).index(name) + len(names) // 2
        other = names[place % len(names)]
        return other if other != name else names[(place + 1) % len(names)]

    def look_alike(self, name: str) -> str:
        """The performer whom the comparison finds most alike."""
        own = self.reference(name)
        others = [other for other in self.performers if other != name]
        return max(others, key=lambda other: similarity(own, self.reference(other)), default=name)


def _frames(clip: Path, seconds: tuple[float, ...]) -> list[NDArray[np.uint8]]:
    """Returns the first frame at or after each of `seconds`; the last one where the clip is shorter."""
    camera, found = RecordingCamera(clip), list[NDArray[np.uint8]]()
    try:
        while len(found) < len(seconds):
            frame = camera.read()
            if frame.taken_at >= seconds[len(found)] - 1e-6:
                found.append(frame.image)
    except RecordingEndedError:
        return found or [frame.image]
    finally:
        camera.close()
    return found


def blink_frames(clip: Path, span: tuple[float, float]) -> list[NDArray[np.uint8]]:
    """Returns the frames of a span of the clip."""
    person = RecordedPerson(clip, clip, {Segment.BLINK: span}, longest_side=_LONGEST_SIDE)
    return person.pictures(Segment.BLINK)
