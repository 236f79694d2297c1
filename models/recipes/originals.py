"""The float originals, with which every variant is compared: the published files, not converted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from device.vision.inference import Model, Runtime


@dataclass(frozen=True, slots=True, eq=False)
class Originals:
    """MediaPipe's two models as published (float16 weights, float32 arithmetic) and SFace in OpenCV's ONNX reader."""

    detector: Model
    landmarks: Model
    embedding: cv2.dnn.Net

    def embed_crop(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the (128,) unit vector of an aligned (112, 112, 3) RGB crop; the file normalises by itself."""
        self.embedding.setInput(crop.transpose(2, 0, 1)[None].astype(np.float32))
        vector = np.asarray(self.embedding.forward(), np.float32).ravel()
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


def load_originals(files: Mapping[str, bytes], runtime: Runtime) -> Originals:
    """Loads the source files' bytes by role; detector and landmarks for `runtime`."""
    network = cv2.dnn.readNetFromONNX(np.frombuffer(files["embedding"], np.uint8))
    return Originals(Model(files["detector"], runtime), Model(files["landmarks"], runtime), network)
