"""Tiny clips that the tests write themselves: each frame's brightness tells its number."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

ClipWriter = Callable[..., Path]


@pytest.fixture
def write_clip(tmp_path: Path) -> ClipWriter:
    """Writes `frames` grey frames, brighter by 4 each, with a red left half when `halves`."""

    def write(frames: int = 40, fps: float = 20.0, *, name: str = "clip.mp4", halves: bool = False) -> Path:
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (64, 48))
        for number in range(frames):
            image = np.full((48, 64, 3), 20 + 4 * number, np.uint8)
            if halves:
                image[:, :32] = (0, 0, 220)
            writer.write(image)
        writer.release()
        return path

    return write
