"""What the terminal sees, as plain values: frame -> face -> signals.

`Signals` hold scalars only. They may be logged and replayed: no picture, landmark or embedding is in them.
Left and right are always the customer's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from the camera.

    Attributes:
        image: (height, width, 3) uint8, R G B, not mirrored: the customer's left is at the picture's right.
        taken_at: seconds on the camera's monotonic clock; the session's only clock.
        number: counts up by one for each frame that the camera delivered.
        detail: the same exposure at a higher resolution, (height, width, 3) uint8 R G B; None where there is none.
    """

    image: NDArray[np.uint8]
    taken_at: float
    number: int
    detail: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; `x`, `y` is its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A located face.

    Attributes:
        box: the landmarks' (or, before landmarks, the detector's) bounding box in pixels of the whole frame.
        score: the model's confidence that this is a face, 0..1.
        landmarks: (478, 3) float32, x and y in pixels of the whole frame, z in the same unit, smaller is nearer.
    """

    box: Box
    score: float
    landmarks: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """The scalars measured on the one face that is followed.

    Attributes:
        width: width of the face's box as a share of the picture's shorter side.
        centre_x: centre of the box, share of the picture's width; 0 is the picture's left.
        centre_y: centre of the box, share of the picture's height; 0 is the top.
        yaw: degrees, positive when the customer turns to their own left.
        pitch: degrees, positive when the customer looks up.
        roll: degrees, positive when the head tilts towards the customer's own left shoulder.
        left_eye: openness (eye aspect ratio, lid distance over eye width) of the customer's left eye, about 0..0.45.
        right_eye: the same for the right eye.
        brightness: mean luma of the face, 0..1.
        contrast: 5th to 95th percentile of the face's luma, 0..1.
        sharpness: variance of the Laplacian of the face's luma at a fixed size (grey levels squared).
        relief: how far the landmarks are from any homography of the frontal landmarks, as a share of the
            eye distance; 0 is flat. None until a frontal view was seen.
        aspect: the face's width over its height, relative to the frontal view; a turned print narrows, a turned head
            does so only with its yaw. None until a frontal view was seen.
        nod: degrees of pitch away from the frontal view; None like `aspect`.
        likeness: the least cosine score of this frame's embedding against any earlier one of the challenge, 1 for the
            first; None when not embedded.
    """

    width: float
    centre_x: float
    centre_y: float
    yaw: float
    pitch: float
    roll: float
    left_eye: float
    right_eye: float
    brightness: float
    contrast: float
    sharpness: float
    relief: float | None = None
    aspect: float | None = None
    nod: float | None = None
    likeness: float | None = None


@dataclass(frozen=True, slots=True)
class Signals:
    """All that the session may know of one frame.

    Attributes:
        at: seconds, the frame's `taken_at`.
        number: the frame's number.
        faces: how many faces are in the picture (counted every few frames, carried between).
        view: the followed face; None when no face is found.
        repeated: the picture is the same, pixel for pixel, as the one before.
    """

    at: float
    number: int
    faces: int
    view: View | None
    repeated: bool = False
