"""An identity document that nobody issued: a portrait, guilloche and print in the proportions of ICAO Doc 9303, TD1."""

import cv2
import numpy as np

from device.camera.portrait import load_picture
from device.vision.manifest import default_directory

WIDTH, HEIGHT = 1012, 638  # 85.6 x 54 mm at 300 dots an inch
PORTRAIT = (50, 150, 256, 330)  # x, y, width, height
INK = (40, 40, 50)
FIELDS = ("SURNAME SPECIMEN", "GIVEN NAMES ANNA", "NATIONALITY UTO", "BORN 12 AUG 1974", "NUMBER D23145890")
ZONE = ("IDUTOD231458907<<<<<<<<<<<<<<<", "7408122F3204159UTO<<<<<<<<<<<6", "SPECIMEN<<ANNA<MARIA<<<<<<<<<<")


def astronaut() -> np.ndarray:
    """The committed public-domain portrait, cut as for a document."""
    return load_picture(default_directory() / "rehearsal" / "astronaut.png")[:420, 160:480]


def identity_card(portrait: np.ndarray | None, *, printed: bool = True) -> np.ndarray:
    """Returns the card's (HEIGHT, WIDTH, 3) picture; without a portrait its place is plain."""
    card = _guilloche()
    x, y, width, height = PORTRAIT
    if portrait is not None:
        photo = cv2.resize(portrait, (width, height), interpolation=cv2.INTER_AREA)
        place = card[y : y + height, x : x + width]
        card[y : y + height, x : x + width] = cv2.addWeighted(photo, 0.9, place, 0.1, 0)
    if printed:
        _write(card, "UTOPIA IDENTITY CARD", (330, 60), 1.1)
        for line, text in enumerate(FIELDS):
            _write(card, text, (340, 140 + 70 * line), 0.8)
        for line, text in enumerate(ZONE):
            _write(card, text, (45, 530 + 42 * line), 1.05)
    return card


def with_ghost(card: np.ndarray, portrait: np.ndarray) -> np.ndarray:
    """The same card with the second, small and faint portrait that many documents have."""
    small = cv2.resize(portrait, (128, 165), interpolation=cv2.INTER_AREA)
    card = card.copy()
    card[320:485, 850:978] = cv2.addWeighted(small, 0.5, card[320:485, 850:978], 0.5, 0)
    return card


def _guilloche() -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    colours = [225 + 12 * np.sin(x / 90 + y / 60), 228 + 10 * np.sin(y / 70), 215 + 14 * np.cos(x / 120 - y / 80)]
    card = np.stack(colours, axis=-1)
    for wave in range(14):
        curve = HEIGHT / 14 * wave + 40 * np.sin(x * (0.02 + 0.004 * wave) + wave)
        line = 0.35 * np.exp(-(((y - curve) / 1.2) ** 2))[..., None]
        card = card * (1 - line) + np.array((150, 120, 170)) * line
    return np.clip(card, 0, 255).astype(np.uint8)


def _write(card: np.ndarray, text: str, at: tuple[int, int], size: float) -> None:
    cv2.putText(card, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 2, cv2.LINE_AA)
