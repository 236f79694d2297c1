"""The figures of docs/documents.md, as Markdown tables: portraits on scans of documents, and under what they bear.

Usage: python -m benchmarks.documents {scans,hardening,painted,print} [--media ../shared/data]

scans      the test bed as it is, in all four rotations
hardening  the same documents held before a simulated camera: turned, tilted, small, blurred, under glare
painted    the same documents with every face painted over: whatever is found now is false
print      squares of print beside portraits, and beside living faces in clips and photographs
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from device.camera.held_card import Hold, lay_over, place
from device.signals import CardFault
from device.vision.assembly import Vision, load_vision
from device.vision.document import DocumentPortrait, DocumentReader
from device.vision.document_faces import DocumentFaceFinder
from device.vision.embedding import similarity
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.vision.pictures import read_picture
from device.vision.print_beside import print_beside
from device.vision.reference import PortraitReader

SIZE = (960, 1280)  # the Pi camera's large stream
DESK = (96, 104, 112)
# One woman is on five of the scans, another on two: once is enough.
SAME_PORTRAIT = ("pass2-uto", "100_pass-uto", "25_pass-uto", "passport-td2", "visa-polx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["scans", "hardening", "painted", "print"])
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parsed = parser.parse_args()
    cv2.setNumThreads(1)
    vision = load_vision(default_directory(), preferred_runtime())
    paths = sorted((parsed.media / "documents").glob("passporteye_*"))
    if not paths:
        sys.exit(f"{parsed.media / 'documents'}: no documents: give the folder of the evaluation media with --media")
    {"scans": scans, "hardening": hardening, "painted": painted, "print": prints}[parsed.what](vision, paths)


def scans(vision: Vision, paths: list[Path]) -> None:
    reader = DocumentReader(vision.models)
    print("| scan | size | face, pixels | looks aside | print | sharpness | usable | in the other rotations |")
    print("|---|---|---|---|---|---|---|---|")
    found = usable = 0
    for path in paths:
        image = read_picture(path)
        portrait = reader.read(image)
        if portrait is None:
            print(f"| {path.name} | {image.shape[1]} x {image.shape[0]} | none | | | | no-portrait | |", flush=True)
            continue
        found, usable = found + 1, usable + (portrait.fault is None)
        again = [reader.read(np.ascontiguousarray(np.rot90(image, turns))) for turns in (1, 2, 3)]
        same = sum(each is not None and similarity(each.embedding, portrait.embedding) > 0.8 for each in again)
        face = portrait.found
        cells = (
            path.name.removeprefix("passporteye_"),
            f"{image.shape[1]} x {image.shape[0]}",
            f"{face.width:.0f}",
            f"{portrait.yaw:.0f} degrees",
            face.print,
            f"{face.sharpness:.0f}",
            portrait.fault or "yes",
            f"{same} of 3",
        )
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    print(f"\nfound {found} of {len(paths)}, usable as a reference {usable}")


def painted(vision: Vision, paths: list[Path]) -> None:
    reader, finder = DocumentReader(vision.models), DocumentFaceFinder(vision.models)
    print("| scan | painted over | then found |\n|---|---|---|")
    for path in paths:
        image = read_picture(path)
        faces = finder.find(image)
        for face in faces:
            paint_over(image, face.eyes, face.width)
        false = reader.read(image)
        told = "nothing" if false is None else f"a face of {false.found.width:.0f} pixels: {false.fault or 'USABLE'}"
        print(f"| {path.name.removeprefix('passporteye_')} | {len(faces)} | {told} |", flush=True)


def paint_over(image: np.ndarray, eyes: tuple[float, float], width: float) -> None:
    x, y = eyes
    far = round(1.3 * width)
    cv2.circle(image, (round(x), round(y)), far, (150, 160, 170), -1)


def prints(vision: Vision, paths: list[Path]) -> None:
    reader, documents = PortraitReader(vision.models), DocumentReader(vision.models)
    media = paths[0].parents[1]
    print("| what | faces | least | median | 99th percentile | most |\n|---|---|---|---|---|---|")

    def row(name: str, counts: list[int]) -> None:
        middle, high = np.percentile(counts, (50, 99))
        print(f"| {name} | {len(counts)} | {min(counts)} | {middle:.0f} | {high:.0f} | {max(counts)} |", flush=True)

    row("portraits of the documents", [p.found.print for path in paths if (p := documents.read(read_picture(path)))])
    for name, pattern in (
        ("lfw_colour, every fifth", "pairs/lfw_colour/**/*.jpg"),
        ("London, every second", "pairs/london/**/*.jpg"),
    ):
        pictures = sorted(media.glob(pattern))[:: 5 if "lfw" in pattern else 2]
        images = (read_picture(path) for path in pictures)
        row(name, [print_beside(image, face.landmarks) for image in images for face in reader.faces(image)])
    for clip in sorted([*media.glob("videos/live_*"), *media.glob("multiface/*"), *media.glob("spoof/*.mp4")]):
        counts = [print_beside(image, face.landmarks) for image in _frames(clip) for face in reader.faces(image)]
        if counts:
            row(clip.name, counts)


def _frames(clip: Path) -> list[np.ndarray]:
    """Eight frames, evenly spread."""
    capture, frames = cv2.VideoCapture(str(clip)), []
    count = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 1)
    for number in range(count):
        if not capture.grab():
            break
        if number % max(count // 8, 1) == 0:
            frames.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
    return frames


Camera = Callable[[np.ndarray, DocumentPortrait], np.ndarray]
"""Takes a document's picture and where its portrait is; returns what a camera would see."""


def hardening(vision: Vision, paths: list[Path]) -> None:
    """One document after the other before each simulated camera; the score is against the flat scan's portrait."""
    reader = DocumentReader(vision.models)
    paths = [path for path in paths if not any(again in path.name for again in SAME_PORTRAIT)]
    flat = [(image := _upright(path), reader.read(image, (0,))) for path in paths]
    names = [path.stem.removeprefix("passporteye_") for path in paths]
    threshold = vision.models.thresholds.fmr_1e_4
    print(
        "| held before the camera | documents | found | usable | score: median, least | at or above the threshold |"
        " sharpness | burnt out | faults |\n|---|---|---|---|---|---|---|---|---|"
    )
    for name, see in cameras().items():
        quarters = (0, 1, 3, 2) if "quarter" in name or "upside" in name else (0,)
        scores, usable, faults, sharp, burnt = [], 0, [], [], []
        for document, (image, portrait) in zip(names, flat, strict=True):
            seen = reader.read(see(image, portrait), quarters)
            if seen is None or seen.fault is CardFault.NO_DOCUMENT:
                faults.append(f"{'no-portrait' if seen is None else 'no-document'} ({document})")
                continue
            scores.append(similarity(seen.embedding, portrait.embedding))
            sharp.append(seen.found.sharpness)
            burnt.append(seen.found.quality.over_exposed)
            usable += seen.fault is None
            if seen.fault is not None:
                faults.append(seen.fault.value)
        counted = ", ".join(f"{faults.count(fault)} {fault}" for fault in sorted(set(faults))) or "-"
        cells = [name, len(flat), len(scores), usable, "-", 0, "-", "-", counted]
        if scores:
            above = sum(score >= threshold for score in scores)
            cells[4:8] = f"{np.median(scores):.2f}, {min(scores):.2f}", above, _range(sharp, 0), _range(burnt, 2)
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def _range(values: list[float], digits: int) -> str:
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def _upright(path: Path) -> np.ndarray:
    """The scan, turned so that its portrait is upright."""
    return np.ascontiguousarray(np.rot90(read_picture(path), 1 if "pass-lva" in path.name else 0))


def cameras() -> dict[str, Camera]:
    table: dict[str, Camera] = {"flat, 85 % of the picture's width": partial(held, hold=Hold())}
    for roll, name in ((90, "quarter turn to the right"), (180, "upside down"), (270, "quarter turn to the left")):
        table[name] = partial(held, hold=Hold(width=0.6, roll=roll))
    for roll in (15, 30):
        table[f"askew by {roll} degrees"] = partial(held, hold=Hold(width=0.7, roll=roll))
    for angle in (30, 45):
        table[f"tilted sideways by {angle} degrees"] = partial(held, hold=Hold(yaw=angle))
        table[f"the same, its perspective undone exactly ({angle})"] = partial(undone, hold=Hold(yaw=angle))
    for angle in (30, 45):
        table[f"tilted back by {angle} degrees"] = partial(held, hold=Hold(pitch=angle))
    for pixels in (72, 56, 44, 32):
        table[f"so far away that the face has {pixels} pixels"] = partial(distant, pixels=pixels)
    for sigma in (1.0, 2.0, 3.0):
        table[f"out of focus, face of 80 pixels, sigma {sigma:g} pixels"] = partial(blurred, sigma=sigma)
    for length in (5, 9):
        table[f"moved, face of 80 pixels, over {length} pixels"] = partial(moved, length=length)
    for share in (0.3, 0.6, 0.9):
        table[f"a lamp's reflection {share:g} of the face wide, over one cheek"] = partial(glaring, share=share)
    for light in (0.25, 0.12):
        table[f"dark: {light:g} of the light, noise of 4 levels"] = partial(dark, light=light)
    return table


def held(image: np.ndarray, _: DocumentPortrait, hold: Hold, size: tuple[int, int] = SIZE) -> np.ndarray:
    high = image.shape[0] / image.shape[1] * size[1] / size[0]
    hold = Hold(hold.width / max(high, 1.0), hold.yaw, hold.pitch, hold.roll, hold.x, hold.y)
    return noisy(lay_over(np.full((*size, 3), DESK, np.uint8), image, hold))


def undone(image: np.ndarray, portrait: DocumentPortrait, hold: Hold) -> np.ndarray:
    """What rectifying by the outline could reach at best: the true homography's inverse."""
    high = image.shape[0] / image.shape[1] * SIZE[1] / SIZE[0]
    hold = Hold(hold.width / max(high, 1.0), hold.yaw)
    seen = held(image, portrait, Hold(0.85, hold.yaw))
    back = place(image.shape[:2], SIZE, Hold(hold.width)) @ np.linalg.inv(place(image.shape[:2], SIZE, hold))
    return cv2.warpPerspective(seen, back, SIZE[::-1], borderValue=DESK)


def distant(image: np.ndarray, portrait: DocumentPortrait, pixels: int) -> np.ndarray:
    return held(image, portrait, Hold(pixels / portrait.found.width * image.shape[1] / SIZE[1]))


def blurred(image: np.ndarray, portrait: DocumentPortrait, sigma: float) -> np.ndarray:
    return noisy(cv2.GaussianBlur(distant(image, portrait, 80), (0, 0), sigma))


def moved(image: np.ndarray, portrait: DocumentPortrait, length: int) -> np.ndarray:
    return noisy(cv2.blur(distant(image, portrait, 80), (length, 1)))


def glaring(image: np.ndarray, portrait: DocumentPortrait, share: float) -> np.ndarray:
    """A soft white spot over one cheek and eye, on the laminate."""
    x, y = portrait.found.eyes
    width = portrait.found.width
    rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    distance = np.hypot(columns - x - 0.25 * width, rows - y - 0.2 * width) / (share * width / 2)
    light = 255 * np.clip(1.6 - 0.8 * distance**2, 0, 1)[..., None]
    return held(np.clip(image + light, 0, 255).astype(np.uint8), portrait, Hold())


def dark(image: np.ndarray, portrait: DocumentPortrait, light: float) -> np.ndarray:
    return noisy((held(image, portrait, Hold()) * light).astype(np.uint8), 4.0)


def noisy(image: np.ndarray, levels: float = 2.0) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, levels, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
