"""The canonical face: MediaPipe's average face, against which the pose is solved."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalFace:
    """MediaPipe's average face.

    Attributes:
        vertices: (468, 3) float64, centimetres: x to the face's own left, y up, z out of the face; row i is landmark i.
        weights: (468,) float64, each landmark's weight in a Procrustes fit, 0 for most.
    """

    vertices: NDArray[np.float64]
    weights: NDArray[np.float64]


def parse_canonical_face(text: str) -> CanonicalFace:
    """Returns the face of a CSV text with a header; raises ValueError when it is none."""
    table = np.array(list(csv.reader(io.StringIO(text)))[1:], np.float64)
    if table.shape != (468, 4):
        raise ValueError("not 468 lines of x, y, z and weight")
    return CanonicalFace(table[:, :3].copy(), table[:, 3].copy())
