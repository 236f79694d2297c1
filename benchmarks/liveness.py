"""The figures of docs/liveness.md for motion, screens and planes, as Markdown tables.

Usage: python -m benchmarks.liveness {continuity,stillness,planes,screens} [--media ../shared/data]
"""

import argparse
import itertools
import math
import sys
from pathlib import Path

import cv2
import numpy as np

from benchmarks.sheets import sheet
from device.camera import RecordingEndedError
from device.camera.person import load_person
from device.camera.recording import RecordingCamera
from device.liveness.motion import Motion, watch_motion
from device.liveness.rules import DEFAULT_RULES
from device.liveness.sway import Sway, watch_sway
from device.signals import Frame
from device.vision.assembly import Vision, load_vision
from device.vision.inference import available_runtimes
from device.vision.manifest import default_directory
from device.vision.pose import PoseSolver
from device.vision.reference import PortraitReader
from device.vision.relief import aspect, relief

MOST_FRAMES = 900  # of a clip: the longest has 4800


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(REPORTS))
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parsed = parser.parse_args()
    runtime = available_runtimes()[-1]
    print(f"{runtime}\n")
    REPORTS[parsed.what](load_vision(default_directory(), runtime), parsed.media)


def clips(media: Path) -> list[Path]:
    return sorted((media / "videos").glob("live_*"))


def frames_of(clip: Path):
    camera = RecordingCamera(clip)
    try:
        for _ in range(MOST_FRAMES):
            yield camera.read()
    except RecordingEndedError:
        return
    finally:
        camera.close()


def continuity(vision: Vision, media: Path) -> None:
    """What no change around it explains, its greatest of each clip; and hard cuts within the rehearsals' segments."""
    print("| what | cuts | shift beyond | times as much | face beyond | doubled in motion |\n|---|---|---|---|---|---|")
    for clip in clips(media):
        row(clip.stem, 0, unexplained(vision, frames_of(clip)))
    for path in sorted((media / "people").glob("*.json")):
        person = load_person(path)
        for seed in range(4):
            row(f"{path.stem}, joined, seed {seed}", 0, unexplained(vision, performed(person, seed, hard=False)))
        for seed in range(4):
            row(f"{path.stem}, hard cuts, seed {seed}", 4, unexplained(vision, performed(person, seed, hard=True)))


def performed(person, seed: int, *, hard: bool):
    """Two actions; with hard cuts the segments begin and end at once, as a player that is told to jump plays them."""
    performance = person.perform(seed)
    actions = sorted(person.actions)
    for number in range(int(14 * person.fps)):
        if number in (int(1.5 * person.fps), int(8 * person.fps)):
            action = actions[(seed + number) % len(actions)]
            if hard:
                cut_to(performance, action)
            else:
                performance.start(action)
        yield Frame(performance.picture(), number / person.fps, number)


def cut_to(performance, action) -> None:
    segment = "blink" if action.value == "blink-twice" else action.value
    performance._queue.extend(performance._segments[segment])


def row(name: str, cuts: int, found: tuple[float, float, float, float]) -> None:
    shift, ratio, face, doubled = found
    print(f"| {name} | {cuts} | {shift:.3f} | {ratio:.1f} | {face:.3f} | {doubled:.2f} |", flush=True)


def unexplained(vision: Vision, frames) -> tuple[float, float, float, float]:
    vision.follower.restart()
    motion, worst = Motion(), (0.0, 0.0, 0.0)
    for frame in frames:
        motion = watch_motion(motion, vision.follower.look(frame)[0], DEFAULT_RULES)
        if len(motion.moves) == 6:
            move, others = motion.moves[3], (*motion.moves[:3], *motion.moves[4:])
            shift = move.over_s * max(other.shift / other.over_s for other in others)
            face = move.over_s * max(other.face / other.over_s for other in others)
            found = (move.shift - shift, move.shift / (shift + 0.01), move.face - face)
            worst = tuple(max(pair) for pair in zip(worst, found, strict=True))
    return (*worst, motion.stalled / max(motion.moving, 1))


def stillness(vision: Vision, media: Path) -> None:
    """The least sway within two seconds: clips, and portraits with a sensor's noise."""
    print("| what | least sway in 2 s, thousandths of a face |\n|---|---|")
    for clip in clips(media):
        sway_row(vision, clip.stem, frames_of(clip))
    for path in sorted((media / "pairs" / "london").rglob("*_neutral.jpg"))[:5]:
        for noise in (2.0, 5.0):
            sway_row(vision, f"{path.stem}, noise of {noise:g} grey levels", still(read(path), noise))


def still(picture, noise: float):
    scale = 480 / picture.shape[0]
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    random = np.random.default_rng(0)
    for number in range(90):
        noisy = np.clip(picture + random.normal(0.0, noise, picture.shape), 0, 255).astype(np.uint8)
        yield Frame(noisy, number / 30, number)


def sway_row(vision: Vision, name: str, frames) -> None:
    vision.follower.restart()
    sway = Sway()
    for frame in frames:
        change = vision.follower.look(frame)[0].change
        sway = watch_sway(sway, frame.taken_at, change.place if change is not None else None, DEFAULT_RULES.sway_s)
    print(f"| {name} | {'too short' if sway.least is None else f'{1000 * sway.least:.1f}'} |", flush=True)


def planes(vision: Vision, media: Path) -> None:
    """Relief and aspect of real turns, and of portraits as sheets that are tilted, flat or bent to an arc."""
    face = vision.models.canonical_face
    solver = PoseSolver(face.vertices, face.weights)
    print("| what | frames | relief: least, median | aspect over the cosine: least |\n|---|---|---|---|")
    for clip in clips(media):
        turned = genuine(vision, solver, clip)
        if turned:
            reliefs, aspects = (sorted(column) for column in zip(*turned, strict=True))
            middle = reliefs[len(reliefs) // 2]
            print(f"| {clip.stem} | {len(turned)} | {reliefs[0]:.3f}, {middle:.3f} | {aspects[0]:.2f} |", flush=True)
    reader = PortraitReader(vision.models)
    print("\n| arc, tilt | greatest yaw | relief: greatest, median | aspect over cosine: greatest |\n|---|---|---|---|")
    stills = [read(path) for path in sorted((media / "pairs" / "london").rglob("*_neutral.jpg"))[:8]]
    for arc, tilt in itertools.product((0, 40, 80, 120, -60), (30, 45, 60)):
        found = [measured for picture in stills if (measured := bent_sheet(reader, solver, picture, arc, tilt))]
        yaws, reliefs, aspects = (sorted(column) for column in zip(*found, strict=True))
        middle = reliefs[len(reliefs) // 2]
        print(f"| {arc}, {tilt} | {yaws[-1]:.0f} | {reliefs[-1]:.3f}, {middle:.3f} | {aspects[-1]:.2f} |", flush=True)


def genuine(vision: Vision, solver: PoseSolver, clip: Path) -> list[tuple[float, float]]:
    vision.follower.restart()
    faces = [found for frame in frames_of(clip) if (found := vision.follower.look(frame)[1]) is not None]
    posed = [(solver.solve(found.landmarks), found.landmarks) for found in faces]
    pitch = float(np.median([pose.pitch for pose, _ in posed]))
    straight, frontal = min(posed, key=lambda each: abs(each[0].yaw) + 0.5 * abs(each[0].pitch - pitch))
    return [
        (relief(frontal, landmarks) or 0.0, turned_aspect(frontal, landmarks, pose.yaw - straight.yaw))
        for pose, landmarks in posed
        if abs(pose.yaw - straight.yaw) >= DEFAULT_RULES.turn_peak_deg
    ]


def turned_aspect(frontal, turned, degrees: float) -> float:
    return aspect(turned) / aspect(frontal) / math.cos(math.radians(min(abs(degrees), 80.0)))


def bent_sheet(reader: PortraitReader, solver: PoseSolver, picture, arc: int, tilt: int):
    flat, bent = (reader.faces(sheet(picture, *shape)) for shape in ((0, 0), (arc, tilt)))
    if not flat or not bent:
        return None
    frontal, turned = flat[0].landmarks, bent[0].landmarks
    degrees = solver.solve(turned).yaw - solver.solve(frontal).yaw
    return abs(degrees), relief(frontal, turned) or 0.0, turned_aspect(frontal, turned, degrees)


def screens(vision: Vision, media: Path) -> None:
    """Moire: the highest peak of the face's spectrum over its surroundings, in natural logarithms."""
    reader = PortraitReader(vision.models)
    spoof = media / "spoof"
    print("| what | pictures | peak: median, greatest |\n|---|---|---|")
    for clip in (*sorted(spoof.glob("*.mp4")), *clips(media)):
        peak_row(reader, clip.stem, [frame.image for frame in itertools.islice(frames_of(clip), 0, 150, 25)])
    for path in sorted(spoof.glob("silentface_*")):
        peak_row(reader, path.stem, [read(path)])
    for folder, kind in itertools.product(sorted(spoof.glob("crops_*")), ("real", "fake")):
        paths = [path for path in sorted(folder.rglob("*.png")) if kind in str(path.relative_to(spoof)).lower()]
        peak_row(reader, f"{folder.name}, {kind}", [read(path) for path in paths])
    london = sorted((media / "pairs" / "london").rglob("*_neutral.jpg"))[:8]
    peak_row(reader, "London, neutral", [read(path) for path in london])


def peak_row(reader: PortraitReader, name: str, pictures) -> None:
    found = [(picture, faces[0].box) for picture in pictures if (faces := reader.faces(picture))]
    peaks = sorted(peak for picture, box in found if (peak := spectral_peak(picture, box)) is not None)
    shown = f"{peaks[len(peaks) // 2]:.2f}, {peaks[-1]:.2f}" if peaks else "too small"
    print(f"| {name} | {len(peaks)} | {shown} |", flush=True)


def spectral_peak(picture, box) -> float | None:
    """Over the median of its 5x5 neighbours, between 0.12 and 0.48 periods a pixel, off the axes."""
    side = int(min(box.width, box.height) * 0.9)
    left, top = max(int(box.x + box.width / 2 - side / 2), 0), max(int(box.y + box.height / 2 - side / 2), 0)
    luma = cv2.cvtColor(picture[top : top + side, left : left + side], cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = min(*luma.shape, 256)
    if side < 90:
        return None
    luma = luma[(luma.shape[0] - side) // 2 :, (luma.shape[1] - side) // 2 :][:side, :side]
    window = np.outer(np.hanning(side), np.hanning(side))
    spectrum = np.log(np.abs(np.fft.fftshift(np.fft.fft2((luma - luma.mean()) * window))) + 1).astype(np.float32)
    down, across = np.indices(spectrum.shape) - side // 2
    periods = np.hypot(down, across) / side
    ring = (periods > 0.12) & (periods < 0.48) & (np.abs(down) > 2) & (np.abs(across) > 2)
    return float((spectrum - cv2.medianBlur(spectrum, 5))[ring].max())


def read(path: Path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


REPORTS = {"continuity": continuity, "stillness": stillness, "planes": planes, "screens": screens}

if __name__ == "__main__":
    sys.exit(main())
