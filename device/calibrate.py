"""`likeness-terminal calibrate`: finds out how the camera hangs and whether it mirrors, from one person's two turns."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from device.camera import Camera, CameraError, CaptureSource, RecordingEndedError, model_of
from device.camera.calibration import Calibration, write_calibration
from device.camera.orientation import ROTATIONS, Orientation
from device.camera.recording import RecordingCamera
from device.command_line import Add
from device.config import TerminalSettings, load_terminal
from device.daemon import load_configured_vision, open_camera
from device.doctor.sight import judge_site
from device.liveness.calibrating import Failed, Found, Looking, Rotation, Round, Sighting, Turning, look, turn
from device.panel.gpio import Panel, PinReader, mock_factory, pi_factory
from device.panel.prompts import Scene, Shown
from device.settings import SettingsError
from device.signals import Frame
from device.vision.assembly import Vision
from device.wire.plan import Action

ROUNDS = 2  # live: both must say the same; who turned the wrong way is found out
PROMPTS = {
    Looking: (Scene.POSITION, "Look straight at the camera."),
    Turning: (Scene.CUE, "Turn your head to your own LEFT, as far as is easy, then look at the camera again."),
}


def add_calibrate(add: Add) -> None:
    """Adds the command."""
    text = (
        "Find out how the camera hangs and whether it mirrors: one person looks at it and turns the head to the left, "
        "twice. Stop the daemon first. Exit 0 when both turns said the same."
    )
    command = add("calibrate", _calibrate, text, "--config /etc/likeness/terminal.yaml")
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="the terminal's configuration")
    command.add_argument("--out", type=Path, metavar="FILE", help="write here, not to what camera.calibration names")
    command.add_argument("--clip", type=Path, metavar="CLIP", help="try it on a recording of one turn; needs --out")


def find_round(camera: Camera, vision: Vision, show: Callable[[Round, float], None]) -> Found:
    """Looks at `camera` until one round has its answer; raises CameraError with what to do.

    Args:
        camera: gives frames as they come, not set upright.
        vision: the terminal's eyes.
        show: told each state and its frame's time.
    """
    state: Round = Looking()
    while isinstance(state, Looking | Turning):
        try:
            frame = camera.read()
        except RecordingEndedError:
            raise CameraError("the recording ended before there was an answer: show a look and a turn") from None
        if isinstance(state, Looking):
            state = look(state, frame.taken_at, {each: sight(vision, frame, each) for each in ROTATIONS})
            vision.follower.restart()  # the last rotation looked at is not the one that was found
        else:
            state = turn(state, frame.taken_at, vision.follower.look(_turned(frame, state.rotation))[0])
        show(state, frame.taken_at)
    if isinstance(state, Failed):
        raise CameraError(state.advice)
    return state


def sight(vision: Vision, frame: Frame, rotation: Rotation) -> Sighting:
    """Looks at one frame in one rotation, without memory: each rotation is a picture of its own."""
    turned = _turned(frame, rotation)
    vision.follower.restart()
    signals, _ = vision.follower.look(turned)
    scores = [detection.score for detection in vision.detector.detect(turned.image)] if signals.view else []
    return Sighting(signals, max(scores, default=0.0))


def _calibrate(parsed: argparse.Namespace) -> int:
    if parsed.clip is not None and parsed.out is None:
        raise SettingsError(["--clip needs --out FILE: a recording says nothing of this terminal's own camera"])
    settings, _ = load_terminal(parsed.config)
    out = parsed.out or settings.camera.calibration
    if out is None:
        advice = "add camera.calibration: calibration.yaml, or give --out FILE"
        raise SettingsError([f"{parsed.config}: names no file for the findings: {advice}"])
    vision = load_configured_vision(settings.models)
    if parsed.clip is None:
        found, camera = _look_live(settings, vision)
    else:
        found, camera = _look_at_clip(parsed.clip, vision), CaptureSource.RECORDING.value
    write_calibration(out, _calibration(found, camera))
    mirrored = "it mirrors, which is undone" if found.mirrored else "it does not mirror"
    sys.stdout.write(
        f"The camera is turned upright by {found.rotation} degrees clockwise; {mirrored}. Written to {out}\n"
    )
    site = judge_site(found, None)
    if site.is_to_do:
        sys.stdout.write(f"{site.found}: {site.advice}\n")
    return 0


def _look_at_clip(clip: Path, vision: Vision) -> Found:
    camera = RecordingCamera(clip)
    try:
        return find_round(camera, vision, lambda *_: None)
    except CameraError as error:
        raise CameraError(f"{clip}: {error}") from None
    finally:
        camera.close()


def _look_live(settings: TerminalSettings, vision: Vision) -> tuple[Found, str]:
    """Returns what was found, and of which camera."""
    factory = pi_factory() if settings.panel.factory == "pi" else mock_factory()
    panel = Panel(settings.panel.pins, factory)
    try:
        camera = open_camera(settings.camera, PinReader(settings.panel.pins, factory))
        try:
            model = model_of(camera)
            prompters = (Prompter(panel, steady=settings.panel.steady) for _ in range(ROUNDS))
            first, *others = (find_round(camera, vision, prompter) for prompter in prompters)
        finally:
            camera.close()
    finally:
        panel.close()
    if not all(first.agrees(other) for other in others):
        raise CameraError("the turns went to different sides: run again, and turn to your own left each time")
    return first, model


def _calibration(found: Found, camera: str) -> Calibration:
    return Calibration(
        rotation=found.rotation,
        mirrored=found.mirrored,
        calibrated=datetime.now(UTC),
        camera=camera,
        brightness=found.brightness,
        face_width=found.width,
    )


class Prompter:
    """Asks by light and in words, once for each thing to do."""

    def __init__(self, panel: Panel, say: Callable[[str], None] | None = None, *, steady: bool = False) -> None:
        """Takes the panel, who says the words (without anybody they go to standard output), and how lights change."""
        self._panel, self._say = panel, say or _print
        self._shown = Shown(Scene.IDLE, 0.0, glides=steady)

    def __call__(self, state: Round, at: float) -> None:
        """Shows what `state` waits for at time `at` in seconds."""
        scene, sentence = PROMPTS.get(type(state), (Scene.STEP_DONE, "Done."))
        if scene is not self._shown.scene:
            self._say(sentence)
        action = Action.TURN_LEFT if scene is Scene.CUE else None
        self._shown = self._shown.then(at, scene, action=action)
        self._panel.show(self._shown.lights(at))


def _print(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _turned(frame: Frame, rotation: Rotation) -> Frame:
    return replace(frame, image=Orientation(rotation).set_upright(frame.image), detail=None)
