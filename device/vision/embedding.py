"""Turns a face into a unit vector and compares two: SFace (Zhong et al. 2021), cosine similarity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from device.vision.alignment import aligned_crop
from device.vision.inference import Model

Embedding = NDArray[np.float32]


class Embedder:
    """Runs the embedding model; not safe for use by two threads at once."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def embed(self, image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Embedding:
        """Returns the (128,) unit vector of the face with (478, 3) landmarks in an (H, W, 3) RGB picture."""
        return self.embed_crop(aligned_crop(image, landmarks))

    def embed_crop(self, crop: NDArray[np.uint8]) -> Embedding:
        """Returns the (128,) unit vector of an aligned (112, 112, 3) RGB crop."""
        (output,) = self._model.run(normalised(crop)[None])
        return _unit(output.ravel())

    def forget(self) -> None:
        """Overwrites what is left of the last face."""
        self._model.forget()


def normalised(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The crop's values as the model expects them: (value - 127.5) / 128."""
    return (crop.astype(np.float32) - 127.5) / 128


def similarity(a: Embedding, b: Embedding) -> float:
    """The comparison score of two unit vectors: their cosine, -1..1, higher is more alike."""
    return float(np.clip(a @ b, -1, 1))


def fuse(embeddings: Sequence[Embedding]) -> Embedding:
    """Returns the unit vector of the mean of several views of one face; raises ValueError when there is none."""
    if not embeddings:
        raise ValueError("no embedding to fuse")
    return _unit(np.mean(embeddings, axis=0))


def _unit(vector: NDArray[np.float32]) -> Embedding:
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise ValueError("an embedding without length says nothing about a face")
    return (vector / length).astype(np.float32)
