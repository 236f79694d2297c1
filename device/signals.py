"""What the terminal sees, as plain values: frame -> face -> signals.

`Signals` hold scalars only. They may be logged and replayed: no picture, landmark or embedding is in them.
Left and right are always the customer's own.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

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
class CaptureQuality:
    """How well a face was captured: the quality components that its pose, place and eyes do not tell already.

    docs/quality.md gives each one's source, mostly ISO/IEC 29794-5 and its reference implementation OFIQ.

    Attributes:
        eye_distance: between the eyes' centres, in pixels of the picture; a turn of the head does not shorten it.
        margin: the least distance from the face to an edge of the picture, in widths of the face; negative beyond it.
        mouth_opening: the gap of the inner lips over the distance from the eyes to the chin; 0 is closed.
        brightness: mean luma of the face, 0..1.
        under_exposed: the share of the face that is nearly black, 0..1.
        over_exposed: the share of the face that is burnt out, 0..1.
        dynamic_range: entropy of the face's luma, bits, 0..8.
        uniformity: mean luma of the darker cheek over the lighter one's, 0..1.
        eye_visibility: mean luma of the brighter eye's surroundings over the cheeks', about 0.5..1; dark glasses have
            less.
        sharpness: variance of the luma's second derivative in its least sharp direction over that of the face's
            features; about 0.2..0.7, less when out of focus or moved.
    """

    eye_distance: float
    margin: float
    mouth_opening: float
    brightness: float
    under_exposed: float
    over_exposed: float
    dynamic_range: float
    uniformity: float
    eye_visibility: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Chroma:
    """The colour of the light in the face and behind it: ln(red / green) and ln(blue / green) in linear light.

    `background` is None where too little of it is in the picture.
    """

    face: tuple[float, float]
    background: tuple[float, float] | None = None


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
        quality: how well the face was captured.
        relief: how far the nose has left the plane of the frontal face, as a share of the eye distance; 0 is flat.
            None until a frontal view was seen.
        aspect: the face's width over its height, relative to the frontal view; a turned print narrows, a turned head
            does so only with its yaw. None until a frontal view was seen.
        nod: degrees of pitch away from the frontal view; None like `aspect`.
        likeness: the least cosine score of this frontal frame's embedding against any earlier one of the challenge, 1
            for the first; None when not embedded.
        turned_likeness: the cosine score of this turned frame's embedding against the mean of the frontal ones so far;
            None when not embedded.
        chroma: the colour of the light; None when no coloured light is shown or the face is turned.
    """

    width: float
    centre_x: float
    centre_y: float
    yaw: float
    pitch: float
    roll: float
    left_eye: float
    right_eye: float
    quality: CaptureQuality
    relief: float | None = None
    aspect: float | None = None
    nod: float | None = None
    likeness: float | None = None
    turned_likeness: float | None = None
    chroma: Chroma | None = None


class CardFault(StrEnum):
    """Why a picture gives no usable portrait of an identity document, worst first."""

    NO_PORTRAIT = "no-portrait"
    SEVERAL_PORTRAITS = "several-portraits"
    BLURRED = "blurred"
    NO_DOCUMENT = "no-document"
    TOO_SMALL = "too-small"
    NOT_FRONTAL = "not-frontal"
    GLARE = "glare"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class CardView:
    """The scalars measured on the identity document that is held before the camera.

    Attributes:
        fault: what hinders the reading most; None when the portrait can be used.
        agreeing: how many usable portraits in a row, this one included, are of one face.
    """

    fault: CardFault | None
    agreeing: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """How a picture differs from the last one that showed anything new.

    Attributes:
        since: seconds, when that one was taken.
        new: whether this one does; False is a near copy, as codecs write them and an injected still repeats them.
        scene: mean difference of both pictures' luma, softened, 0..1.
        face: mean difference of both faces' luma, cut out upright, in units of its contrast, 0..about 2; None where
            either picture has no face.
        shift: how far the face moved, in its own sizes; None like `face`.
        place: where the face is in the picture, (x, y) in its own sizes; None without a face.
    """

    since: float
    new: bool
    scene: float
    face: float | None = None
    shift: float | None = None
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Signals:
    """All that the session may know of one frame.

    Attributes:
        at: seconds, the frame's `taken_at`.
        number: the frame's number.
        faces: how many faces are in the picture (counted every few frames, carried between).
        view: the followed face; None when no face is found.
        repeated: the picture is the same, pixel for pixel, as the one before.
        change: how the picture differs from the last new one; None for the first.
        card: the document, on frames in which it was looked for; None on all others.
    """

    at: float
    number: int
    faces: int
    view: View | None
    repeated: bool = False
    change: Change | None = None
    card: CardView | None = None

    def without_nonsense(self) -> Signals:
        """A view with a value that is no finite number is no view, and a change like that was not measured."""
        view, change = self.view, self.change
        if view is not None and not _is_finite(astuple(view)):
            view = None
        if change is not None and not (_is_finite(astuple(change)) and change.since < self.at):
            change = None
        return self if (view, change) == (self.view, self.change) else replace(self, view=view, change=change)


def _is_finite(values: Iterable[Any]) -> bool:
    """Whether each value, those of nested dataclasses too, is a finite number or None."""
    return all(
        _is_finite(value) if isinstance(value, tuple) else value is None or math.isfinite(value) for value in values
    )
