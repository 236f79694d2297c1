"""Measures of quality that were tried and left, beside the shipped ones: why docs/quality.md differs from OFIQ.

Usage: python -m benchmarks.alternatives [--media ../shared/data] [--people 13]
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import spearmanr

from benchmarks import captures
from benchmarks.desk import Desk
from device.vision.embedding import similarity
from device.vision.eyes import LEFT_EYE, RIGHT_EYE
from device.vision.pictures import read_picture
from device.vision.quality import SIDE

CHIN, LOWER_LIP, NOSE_BRIDGE, MOUTH_CORNERS = 152, 17, 195, (61, 291)
STEPS = (
    ("unharmed", None, (None,)),
    ("share of light", captures.dark, (0.5, 0.1, 0.025)),
    ("light from the side", captures.side_light, (0.5, 0.06)),
    ("haze", captures.hazy, (0.2,)),
    ("out of focus, %", captures.out_of_focus, (1.5, 2, 2.5, 3, 4, 5)),
    ("moved, %", captures.moved, (4, 8, 10, 12, 16, 20)),
    ("covered by", captures.covered, captures.COVERS),
)


def laplacian(crop, _):
    """What was shipped before: the variance of the Laplacian at 128 px."""
    return cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var()


def shared_histogram(crop, points):
    """OFIQ's illumination uniformity: the area that the histograms of both cheeks share; 32 bins for so few pixels."""
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    eyes = [points[[eye[0], eye[3]]].mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE)]
    down = (points[list(MOUTH_CORNERS)].mean(axis=0) - sum(eyes) / 2) / 2
    half = 0.15 * np.hypot(*(eyes[0] - eyes[1]))
    left, right = (np.histogram(_zone(luma, eye + down, half), bins=32, range=(0, 256))[0] for eye in eyes)
    return np.minimum(left / left.sum(), right / right.sum()).sum()


def chin_colour(crop, points):
    """How far the chin's chroma (Cr, Cb) is from that of the forehead and the bridge of the nose, in grey levels."""
    chroma = cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(float)
    eyes = [points[[eye[0], eye[3]]].mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE)]
    down = (points[list(MOUTH_CORNERS)].mean(axis=0) - sum(eyes) / 2) / 2
    half = 0.15 * np.hypot(*(eyes[0] - eyes[1]))
    places = (sum(eyes) / 2 - 1.1 * down, points[NOSE_BRIDGE], (points[CHIN] + points[LOWER_LIP]) / 2)
    forehead, nose, chin = (_zone(chroma, place, half).reshape(-1, 2).mean(axis=0) for place in places)
    return np.hypot(*(chin - (forehead + nose) / 2))


MEASURES = {
    "Laplacian, 128 px": laplacian,
    "cheeks' shared histogram": shared_histogram,
    "chin's colour": chin_colour,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parser.add_argument("--people", type=int, default=13)
    parsed = parser.parse_args()
    cv2.setNumThreads(1)
    desk, pairs = Desk(), parsed.media / "pairs"
    neutral = sorted((pairs / "london").rglob("*_neutral.jpg"))
    subjects = []
    for path in neutral[:: max(len(neutral) // parsed.people, 1)][: parsed.people]:
        picture = read_picture(Path(str(path).replace("neutral", "smiling")))
        subjects.append((picture, desk.look(picture), desk.portrait(read_picture(path), path.name)))
    print(f"| what | {' | '.join(MEASURES)} | sharpness | uniformity | eye visibility |")
    print("|---|" + "---|" * (len(MEASURES) + 3))
    blurred = []
    for name, degrade, steps in STEPS:
        for step in steps:
            rows = [_row(desk, *subject, degrade, step) for subject in subjects]
            _print(f"{name} {step or ''}".strip(), [row[1:] for row in rows if row])
            if degrade in (None, captures.out_of_focus, captures.moved):
                blurred += [row for row in rows if row]
    stills = sorted((pairs / "lfw_colour").rglob("*.jpg"))[::8]
    seen = [(picture, desk.look(picture)) for picture in map(read_picture, stills)]
    _print(f"LFW colour, {len(seen)}", [_measured(picture, one) for picture, one in seen if one])
    losses = [row[0] for row in blurred]
    for name, column in (("Laplacian", 1), ("sharpness", len(MEASURES) + 1)):
        rank = spearmanr([row[column] for row in blurred], losses).statistic
        print(f"\nrank correlation of {name} with the score over defocus and motion: {rank:.2f}")


def _row(desk, picture, seen, reference, degrade, step):
    harmed = picture if degrade is None else degrade(picture, seen.face, step)
    one = desk.look(harmed)
    return None if one is None else (similarity(one.embedding, reference), *_measured(harmed, one))


def _measured(picture, one):
    box, quality = one.face.box, one.view.quality
    left, top = max(int(box.x), 0), max(int(box.y), 0)
    cut = picture[top : int(box.y + box.height), left : int(box.x + box.width)]
    points = (one.face.landmarks[:, :2] - (left, top)) * (SIDE / cut.shape[1], SIDE / cut.shape[0])
    crop = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    tried = [measure(crop, points) for measure in MEASURES.values()]
    return (*tried, quality.sharpness, quality.uniformity, quality.eye_visibility)


def _print(name, rows):
    cells = []
    for values in zip(*rows, strict=True):
        low, middle, high = np.nanpercentile(values, [5, 50, 95])
        cells.append(f"{middle:.3g} ({low:.2g} to {high:.2g})")
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def _zone(image, centre, half):
    (x, y), half = centre, max(half, 1)
    return image[max(int(y - half), 0) : int(y + half) + 1, max(int(x - half), 0) : int(x + half) + 1]


if __name__ == "__main__":
    sys.exit(main())
