"""The evaluation commands: what they print, for people and as JSON, and their exit codes."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device.camera import CameraError
from device.camera.held_card import load_document
from device.camera.person import load_person
from device.camera.recording import RecordingCamera
from device.card import CardReading
from device.evaluation.analyse import analyse
from device.evaluation.compare import CompareError, compare_pairs, compare_pictures
from device.evaluation.lit import Room
from device.evaluation.lit_camera import lit_by_the_ring
from device.evaluation.sessions import Drawn, MakeCamera, answering, draw, verify_on_desk
from device.liveness.evidence import Ending
from device.liveness.rules import DEFAULT_RULES
from device.vision.assembly import Vision, load_vision
from device.vision.document import DocumentReader
from device.vision.embedding import Embedding
from device.vision.inference import preferred_runtime
from device.vision.reference import PortraitReader
from device.wire.claims import Outcome

PROGRESS_EVERY = 25  # frames


def rehearse(parsed: argparse.Namespace) -> int:
    """`rehearse`: 0 verified, 1 any other outcome."""
    person = load_person(parsed.person)
    document = None if parsed.card is None else load_document(parsed.card)
    drawn = draw(_seed(parsed), person.actions, light=parsed.light is not None)
    return _session(parsed, parsed.person, answering(person, document), drawn, lux=parsed.light)


def replay(parsed: argparse.Namespace) -> int:
    """`replay`: 0 verified, 1 any other outcome."""
    clip = RecordingCamera(parsed.clip)
    return _session(parsed, parsed.clip, lambda _panel, _seed: clip, draw(_seed(parsed)), press_start=True)


def analyse_clip(parsed: argparse.Namespace) -> int:
    """`analyse`."""
    camera = RecordingCamera(parsed.clip)
    try:
        document = analyse(camera, _vision(parsed).follower, progress=_progress(camera.info.frames))
    except CameraError as error:
        raise CameraError(f"{parsed.clip}: {error}") from None
    finally:
        camera.close()
    if parsed.json:
        _print_json(document)
        return 0
    faces = f"{document['frames_with_face']} with a face, {document['max_faces']} at most in one"
    print(f"{document['frames']} frames at {document['fps']} a second, {faces}")
    for blink in document["blinks"]:
        print(f"{blink['at_s']:8.2f} s  blink       {blink['duration_s'] * 1000:5.0f} ms")
    for turn in document["turns"]:
        lasts = f"{turn['peak_deg']:5.0f} degrees, until {turn['end_s']:.2f} s"
        print(f"{turn['start_s']:8.2f} s  {turn['direction']:10}  {lasts}")
    print("quality: " + ", ".join(f"{name} {value}" for name, value in document["quality"].items()))
    return 0


def compare(parsed: argparse.Namespace) -> int:
    """`compare`: 0 whatever the match."""
    if parsed.pairs is not None:
        if parsed.pictures or parsed.root is None:
            raise CompareError("compare takes two pictures, or --pairs FILE.csv with --root DIR")
        compare_pairs(PortraitReader(_vision(parsed).models), parsed.pairs, parsed.root, sys.stdout, sys.stderr)
        return 0
    if len(parsed.pictures) != 2:
        raise CompareError("compare takes two pictures, or --pairs FILE.csv with --root DIR")
    vision = _vision(parsed)
    one, other = parsed.pictures
    result = compare_pictures(PortraitReader(vision.models), one, other, vision.models.thresholds.fmr_1e_3)
    if parsed.json:
        _print_json(result.as_json())
    else:
        verdict = "match" if result.match else "do not match"
        print(f"The faces {verdict}: score {result.score:.3f}, threshold {result.threshold:.3f}")
    return 0


def _vision(parsed: argparse.Namespace) -> Vision:
    return load_vision(parsed.models, parsed.runtime or preferred_runtime())


def _seed(parsed: argparse.Namespace) -> int:
    return secrets.randbelow(2**31) if parsed.seed is None else int(parsed.seed)


def _session(
    parsed: argparse.Namespace,
    path: Path,
    make_camera: MakeCamera,
    drawn: Drawn,
    *,
    press_start: bool = False,
    lux: float | None = None,
) -> int:
    vision = _vision(parsed)
    if lux is not None:
        make_camera = lit_by_the_ring(make_camera, vision, Room(lux))
    if parsed.reference is None:
        reference: Embedding | CardReading = CardReading(DocumentReader(vision.models), drawn.nonce, DEFAULT_RULES)
    else:
        reference = PortraitReader(vision.models).read(parsed.reference).embedding
    verdict, document = verify_on_desk(make_camera, vision, reference, drawn, press_start=press_start)
    if not verdict.face_seen and Ending.CARD_NOT_READ not in verdict.decision.reasons:
        raise CameraError(f"{path}: no face in any frame: give a clip of a face that looks at the camera")
    if parsed.json:
        _print_json(document)
    else:
        _print_session(document)
    return 0 if verdict.decision.outcome is Outcome.VERIFIED else 1


def _print_session(document: dict[str, Any]) -> None:
    print(f"{document['outcome']}: {document['sentence']}")
    if document["comparison"] is not None:
        print(f"  score     {document['comparison']['score']:.3f}, threshold {document['comparison']['threshold']:.3f}")
    print(f"  plan      {', '.join(document['liveness']['plan'])} (seed {document['seed']})")
    for step in document["liveness"]["steps"]:
        times = ", ".join(
            f"{name} {step[key]:.2f} s"
            for name, key in (("cue", "cue_s"), ("onset", "onset_s"), ("done", "done_s"))
            if step[key] is not None
        )
        print(f"  {'passed' if step['passed'] else 'failed'}    {step['action']}: {times}")
    light = document["liveness"].get("light")
    if light is not None:
        told = ", ".join(f"{name} {light[name]:.2f}" for name in ("correlation", "gain") if name in light)
        print(f"  light     {light['verdict']} (experimental, simulated){': ' if told else ''}{told}")
    capture = document["capture"]
    print(f"  capture   {capture['source']}, {capture['frames']} frames at {capture['fps']} a second")


def _print_json(document: dict[str, Any]) -> None:
    json.dump(document, sys.stdout, indent=2)
    print()


def _progress(frames: int | None) -> Callable[[int], None]:
    """A counter on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        return lambda _: None

    def show(done: int) -> None:
        if done % PROGRESS_EVERY == 0:
            print(f"\r{done}{f' of {frames}' if frames else ''} frames\x1b[K", end="", file=sys.stderr, flush=True)
        if done == frames:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    return show
