"""What goes wrong before a camera, in steps: one good picture in, worse and worse pictures out.

Light is scaled in linear light, with shot and read noise as of a small sensor. It is a simulation: see docs/quality.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from device.liveness.capture import Component
from device.vision.eyes import LEFT_EYE, RIGHT_EYE, eye_distance

GAMMA = 2.2
SHOT_NOISE, READ_NOISE = 6e-4, 3e-5  # variance as a share of the full scale: 40 dB in a bright part
RIGHT_CHEEK, NOSE_BRIDGE, CHIN = 50, 195, 152
LOWER_FACE = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)


@dataclass(frozen=True)
class Ladder:
    """A degradation: its unit, its steps from mild to severe, what makes the picture, and what tells of it."""

    name: str
    unit: str
    steps: tuple
    degrade: Callable
    components: tuple[Component, ...]


def dark(image, _, share):
    return _sensor(_linear(image) * share)


def bright(image, _, times):
    return _sensor(_linear(image) * times)


def side_light(image, face, share):
    """One half of the face gets `share` of the other's light; the edge is as soft as a nose makes it."""
    across = (np.arange(image.shape[1]) - face.box.x) / face.box.width - 0.5
    light = share + (1 - share) / (1 + np.exp(across / 0.12))
    return _sensor(_linear(image) * light[None, :, None])


def out_of_focus(image, face, percent):
    return cv2.GaussianBlur(image, (0, 0), percent / 100 * face.box.width)


def moved(image, face, percent):
    length = max(round(percent / 100 * face.box.width), 1) | 1
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    return cv2.filter2D(image, -1, kernel)


def hazy(image, _, contrast):
    return np.uint8(image * contrast + 170 * (1 - contrast))


def small(image, face, pixels):
    scale = pixels / eye_distance(face.landmarks)
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def cut_by_side(image, face, share):
    return _shifted(image, image.shape[1] - face.box.x - face.box.width + share * face.box.width, 0)


def cut_by_bottom(image, face, share):
    return _shifted(image, 0, image.shape[0] - face.box.y - face.box.height + share * face.box.width)


def tilted(image, face, degrees):
    centre = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
    turn = cv2.getRotationMatrix2D(centre, degrees, 1)
    return cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def covered(image, face, what):
    """Draws sunglasses, a mask or a hand; the hand has the colour of the cheek."""
    points = face.landmarks[:, :2]
    x, y = points[RIGHT_CHEEK].astype(int)
    skin = image[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3).mean(axis=0) * 0.92
    if what == "sunglasses":
        for eye in (RIGHT_EYE, LEFT_EYE):
            image = _painted(image, _lens(points[eye[0]], points[eye[3]]), (25, 22, 22))
        return image
    if what == "hand on the mouth":
        reach = 0.55 * eye_distance(face.landmarks)
        return _painted(image, _ellipse(points[14], (reach, 0), (0, 0.6 * reach)), skin)
    colour = {"white mask": (215, 220, 222), "blue mask": (120, 165, 200), "black mask": (28, 28, 30)}[what]
    return _painted(image, points[[*LOWER_FACE, 425, NOSE_BRIDGE, 205]], colour)


COVERS = ("sunglasses", "white mask", "blue mask", "black mask", "hand on the mouth")
LADDERS = (
    Ladder(
        "less light",
        "share",
        (1, 0.5, 0.2, 0.1, 0.05, 0.025, 0.012, 0.006),
        dark,
        (Component.DYNAMIC_RANGE, Component.BRIGHTNESS, Component.UNDER_EXPOSURE),
    ),
    Ladder(
        "more light",
        "times",
        (1.5, 2, 3, 4, 6, 8, 12),
        bright,
        (Component.OVER_EXPOSURE, Component.DYNAMIC_RANGE, Component.BRIGHTNESS),
    ),
    Ladder(
        "side light",
        "share on the far side",
        (0.5, 0.25, 0.12, 0.06, 0.03, 0.01),
        side_light,
        (Component.UNIFORMITY, Component.DYNAMIC_RANGE),
    ),
    Ladder("out of focus", "sigma, % of the face", (1, 1.5, 2, 2.5, 3, 4, 5), out_of_focus, (Component.SHARPNESS,)),
    Ladder("moved", "% of the face", (4, 8, 10, 12, 16, 20), moved, (Component.SHARPNESS,)),
    Ladder("haze", "contrast", (0.5, 0.3, 0.2, 0.1, 0.05), hazy, (Component.DYNAMIC_RANGE,)),
    Ladder("small", "px between the eyes", (60, 40, 30, 24, 20, 16, 12), small, (Component.INTER_EYE_DISTANCE,)),
    Ladder("cut by the side", "face widths", (-0.1, 0.0, 0.1, 0.2, 0.3, 0.4), cut_by_side, (Component.MARGIN,)),
    Ladder(
        "cut by the bottom", "face widths", (-0.1, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3), cut_by_bottom, (Component.MARGIN,)
    ),
    Ladder("tilted", "degrees", (10, 20, 30, 45), tilted, (Component.ROLL,)),
    Ladder("covered", "", COVERS, covered, (Component.EYES_VISIBLE,)),
)


def _linear(image):
    return (image / 255.0) ** GAMMA


def _sensor(light):
    noise = np.random.default_rng(0).normal(size=light.shape)
    light = light + noise * np.sqrt(light * SHOT_NOISE + READ_NOISE)
    return np.uint8(np.clip(light, 0, 1) ** (1 / GAMMA) * 255)


def _shifted(image, right, down):
    return cv2.warpAffine(image, np.float32([[1, 0, right], [0, 1, down]]), image.shape[1::-1])


def _lens(outer, inner):
    along = (inner - outer) * 0.85
    across = np.array([-along[1], along[0]]) * 0.75
    return _ellipse((outer + inner) / 2, along, across)


def _ellipse(centre, along, across):
    turn = np.linspace(0, 2 * np.pi, 40)[:, None]
    return centre + np.cos(turn) * along + np.sin(turn) * across


def _painted(image, outline, colour):
    inside = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(outline).astype(np.int32)], 255)
    share = cv2.GaussianBlur(inside, (0, 0), 1.5)[..., None] / 255
    random = np.random.default_rng(0)
    folds = cv2.GaussianBlur(random.normal(size=image.shape[:2]), (0, 0), 8)[..., None] * 60
    paint = np.array(colour, float) + folds + random.normal(size=image.shape) * 3
    return np.uint8(np.clip(image * (1 - share) + paint * share, 0, 255))
