"""The counter itself: panel and camera, with the technician where there is one. All dark when it is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from device.calibrate import Prompter, find_round
from device.camera import Camera, CameraError, CameraStalledError, model_of
from device.camera.calibration import load_calibration
from device.camera.orientation import Orientation
from device.config import TerminalSettings
from device.daemon import open_camera
from device.doctor.filming import film
from device.doctor.findings import Finding, Level, Pictures, skipped, well
from device.doctor.interview import Interview, Keyboard
from device.doctor.sight import judge_film, judge_orientation, judge_site
from device.doctor.touch import judge_touch, levels
from device.liveness.calibrating import Found
from device.panel.gpio import Panel, PanelError, PinReader, mock_factory, pi_factory, pin_errors
from device.panel.prompts import Lights, Scene, prompt
from device.settings import SettingsError
from device.vision.assembly import Vision

NOBODY = "needs a person at a keyboard"
CLOSE_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Person:
    """The technician: what they type, and how they are spoken to."""

    keyboard: Keyboard
    say: Callable[[str], None]


class Counter:
    """Panel and camera of one terminal, to be used in a `with` block."""

    def __init__(
        self, settings: TerminalSettings, vision: Vision | None, person: Person | None, tell: Callable[[str], None]
    ) -> None:
        self._settings, self._vision, self._person, self._tell = settings, vision, person, tell
        self._stack = ExitStack()
        self._panel: Panel | None = None
        self._factory = mock_factory()
        self.pictures = Pictures()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def examine(self) -> list[Finding]:
        """The panel first: the camera's questions are asked by it."""
        unusable: tuple[type[Exception], ...] = (PanelError, *pin_errors())
        try:
            found = self._examine_panel()
        except unusable as error:
            advice = "check the pin map and what else uses these pins: likeness-terminal wiring"
            found = [Finding("panel", Level.STOPS, str(error), "customers are asked by its lights", advice)]
        try:
            return found + self._examine_camera()
        except (CameraError, SettingsError) as error:
            advice = "check its cable at both ends (the power off), then run again"
            return [*found, Finding("camera", Level.STOPS, str(error), "no session can be held without it", advice)]

    def _examine_panel(self) -> list[Finding]:
        pins = self._settings.panel.pins
        if self._settings.panel.factory == "pi":
            self._factory = pi_factory()
        self._panel = Panel(pins, self._factory)
        self._stack.callback(self._panel.close)
        found = self._check_pins(self._panel)
        for check in ("buttons", "lights", "sound"):
            if self._settings.panel.factory == "mock":
                found.append(skipped(check, "mock pins: there is nothing to see or to press"))
            elif self._person is None:
                found.append(skipped(check, NOBODY))
        if len(found) > 1 or self._person is None:
            return found
        answers = Interview(self._panel, pins, self._person.keyboard, self._person.say).walk()
        self.pictures = Pictures(parts=levels(answers))
        return found + judge_touch(pins, answers)

    def _check_pins(self, panel: Panel) -> list[Finding]:
        """Whether the pins follow: what hangs on them, nobody but a person can see."""
        pins, wanted = self._settings.panel.pins, prompt(Scene.VERIFIED, 0.0)
        panel.show(wanted)
        seen = PinReader(pins, self._factory).lights()
        panel.show(Lights())
        asked, read = (*wanted.status, wanted.left), (*seen.status, seen.left)
        where = "mock pins, no hardware" if self._settings.panel.factory == "mock" else "GPIO"
        told = ", ".join(f"{name} {number}" for name, number in pins.pins().items())
        if all(abs(one - other) < 0.02 for one, other in zip(asked, read, strict=True)):
            return [well("panel", f"{where}: {told}")]
        advice = "something else drives them: check the pin map, overlays in config.txt, and short circuits"
        return [Finding("panel", Level.STOPS, "the pins do not follow", "customers see other cues", advice)]

    def _examine_camera(self) -> list[Finding]:
        settings = self._settings.camera
        rehearsal = settings.kind == "rehearsal"
        calibration = None if rehearsal else load_calibration(settings.calibration)
        self._tell("camera")
        camera = open_camera(settings, PinReader(self._settings.panel.pins, self._factory))
        try:
            turned, reason = (None, "a rehearsal hangs upright") if rehearsal else self._ask_for_turn(camera)
            orientation = calibration.orientation if calibration else Orientation()
            if turned is not None:
                orientation = Orientation(turned.rotation, turned.mirrored)
            seen = film(camera, self._vision, orientation, self._tell)
            model = model_of(camera)
        finally:
            _close(camera)
        self.pictures = Pictures(seen.gaps_ms, self.pictures.parts)
        if rehearsal:
            return [*judge_film(settings.kind, seen), skipped("orientation", reason), skipped("site", reason)]
        site = skipped("site", reason) if turned is None else judge_site(turned, calibration)
        return [*judge_film(settings.kind, seen), judge_orientation(calibration, model, turned, reason), site]

    def _ask_for_turn(self, camera: Camera) -> tuple[Found | None, str]:
        """One person turns once; without an answer, why there is none."""
        if self._person is None:
            return None, NOBODY
        if self._vision is None or self._panel is None:
            return None, "needs models and panel"
        try:
            return find_round(
                camera, self._vision, Prompter(self._panel, self._person.say, steady=self._settings.panel.steady)
            ), ""
        except CameraStalledError:
            raise
        except CameraError as error:
            return None, str(error)


def _close(camera: Camera) -> None:
    """A wedged driver blocks in close() for ever: then the process leaves without it."""
    closer = threading.Thread(target=camera.close, name="camera-close", daemon=True)
    closer.start()
    closer.join(CLOSE_LIMIT_S)
