"""What the quality tables look with: one set of eyes, references as chip portraits, clips as frames seen one by one."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.camera import RecordingEndedError
from device.camera.recording import RecordingCamera
from device.evaluation.degrade import ReferenceKind, as_reference
from device.signals import Face, Frame, Signals, View
from device.vision.assembly import load_vision
from device.vision.inference import Runtime
from device.vision.manifest import default_directory
from device.vision.reference import PortraitReader

FRAMES_A_CLIP = 50


@dataclass(frozen=True)
class Seen:
    """A picture as the terminal's eyes saw it."""

    signals: Signals
    face: Face
    embedding: np.ndarray

    @property
    def view(self) -> View:
        return self.signals.view


class Desk:
    """One set of eyes; references are chip portraits of 102x126 px."""

    def __init__(self):
        self.vision = load_vision(default_directory(), Runtime.LITERT)
        self.reader = PortraitReader(self.vision.models)
        self.threshold = self.vision.models.thresholds.fmr_1e_4

    def look(self, picture) -> Seen | None:
        """Looks twice, as at a second frame: the first look only knows where the detector saw the face."""
        follower = self.vision.follower
        follower.restart()
        for number in range(2):
            signals, face = follower.look(Frame(picture, number / 30, number))
        if face is None or signals.view is None:
            return None
        return Seen(signals, face, self.vision.embedder.embed(picture, face.landmarks))

    def portrait(self, picture, name):
        face = self.reader.faces(picture)[0]
        chip = as_reference(ReferenceKind.CHIP, picture, face.box, name, seed=0)
        return self.vision.embedder.embed(chip, self.reader.faces(chip)[0].landmarks)


@dataclass(frozen=True)
class Clip:
    """Some frames of a clip; its most frontal one, which is not among them, as seen and as a chip portrait."""

    name: str
    frames: list[Seen]
    reference: np.ndarray
    neutral: Seen


@functools.cache
def clips(desk: Desk, media: Path) -> list[Clip]:
    """The clips of live people in which twenty frames or more show a face."""
    return [clip for path in sorted((media / "videos").glob("live_*")) if (clip := _clip(desk, path))]


def _clip(desk, path):
    seen = [(picture, found) for picture in _pictures(path) if (found := desk.look(picture)) is not None]
    if len(seen) < 20:
        return None
    open_eyes = np.median([min(frame.view.left_eye, frame.view.right_eye) for _, frame in seen])
    calm = [item for item in seen if min(item[1].view.left_eye, item[1].view.right_eye) >= 0.9 * open_eyes]
    portrait, neutral = min(calm, key=lambda item: _unrest(item[1].view))
    others = [frame for _, frame in seen if frame is not neutral]
    return Clip(path.name, others, desk.portrait(portrait, path.name), neutral)


def _unrest(view):
    return abs(view.yaw) + abs(view.pitch) + 100 * view.quality.mouth_opening


def _pictures(path):
    camera, numbers, pictures = RecordingCamera(path), 0, []
    total = min(camera.info.frames or 300, 900)
    try:
        while numbers < total:
            picture = camera.read().image
            if numbers % max(total // FRAMES_A_CLIP, 1) == 0:
                pictures.append(picture)
            numbers += 1
    except RecordingEndedError:
        pass
    finally:
        camera.close()
    return pictures
