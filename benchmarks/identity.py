"""Likeness through a session: of frontal frames to each other, and of turned heads to the mean of the frontal frames.

Every third frame of each live clip is embedded. Frontal is what is within `frontal_deg` of the clip's own middle;
strangers are all other clips, another clip of the same person left out.

Usage: python -m benchmarks.identity [--media ../shared/data] [--runtime ai-edge-litert]
"""

import argparse
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.liveness import clips
from device.camera import RecordingEndedError
from device.camera.recording import RecordingCamera
from device.liveness.rules import DEFAULT_RULES
from device.vision.assembly import load_vision
from device.vision.embedding import fuse
from device.vision.inference import Runtime, preferred_runtime
from device.vision.manifest import default_directory

EVERY = 3
BANDS = (15, 20, 25, 30, 35, 40)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A clip's person by name, the yaw of each embedded frame from the clip's own middle, and its embedding."""

    name: str
    yaws: np.ndarray
    embeddings: np.ndarray

    @property
    def frontal(self) -> np.ndarray:
        return self.embeddings[np.abs(self.yaws) <= DEFAULT_RULES.frontal_deg]

    def turned(self, first: float, last: float) -> np.ndarray:
        return self.embeddings[(np.abs(self.yaws) > first) & (np.abs(self.yaws) <= last)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runtime", type=Runtime, choices=list(Runtime), default=preferred_runtime())
    parsed = parser.parse_args()
    vision = load_vision(default_directory(), parsed.runtime)
    print(
        f"{parsed.runtime}\n\n| clip | frontal frames | of any two: least, one in a thousand | "
        + " | ".join(f"turned {first} to {last}: frames, least" for first, last in itertools.pairwise(BANDS))
        + " |"
    )
    print("|" + "---|" * (len(BANDS) + 2))
    seen = []
    for path in clips(parsed.media):
        seen.append(look(vision, path))
        print(row(seen[-1]), flush=True)
    print(strangers(seen))


def look(vision, path: Path) -> Clip:
    camera, yaws, embeddings = RecordingCamera(path), [], []
    vision.follower.restart()
    try:
        for number in itertools.count():
            frame = camera.read()
            signals, face = vision.follower.look(frame)
            if number % EVERY == 0 and face is not None and signals.view is not None:
                yaws.append(signals.view.yaw)
                embeddings.append(vision.embedder.embed(frame.image, face.landmarks))
    except RecordingEndedError:
        pass
    finally:
        camera.close()
    angles = np.array(yaws)
    middle = np.median(angles[np.abs(angles) <= DEFAULT_RULES.max_position_yaw])
    return Clip(path.stem, angles - middle, np.stack(embeddings))


def row(clip: Clip) -> str:
    frontal = clip.frontal
    pairs = (frontal @ frontal.T)[np.triu_indices(len(frontal), 1)]
    cells = [clip.name, str(len(frontal)), f"{pairs.min():.2f}, {np.quantile(pairs, 1e-3):.2f}"]
    for first, last in itertools.pairwise(BANDS):
        found = clip.turned(first, last) @ fuse(list(frontal))
        cells.append(f"{len(found)}, {found.min():.2f}" if len(found) else "-")
    return "| " + " | ".join(cells) + " |"


def strangers(seen: list[Clip]) -> str:
    """The greatest likeness of anybody else's turned head, and of anybody else's frontal frame, to the mean."""
    pairs = [(one, other) for one, other in itertools.permutations(seen, 2) if person(one) != person(other)]
    cells = ["the greatest of others", "", f"{max((a.frontal @ b.frontal.T).max() for a, b in pairs):.2f}"]
    for first, last in itertools.pairwise(BANDS):
        found = np.concatenate([a.turned(first, last) @ fuse(list(b.frontal)) for a, b in pairs])
        cells.append(f"{len(found)}, {found.max():.2f}")
    return "| " + " | ".join(cells) + " |"


def person(clip: Clip) -> str:
    """Clips are named after their sources; one person of one source is one person."""
    return clip.name.split("_", 2)[2]


if __name__ == "__main__":
    sys.exit(main())
