"""The self-test of a release: everything that a session needs, before the service runs with it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from device.camera import CameraError
from device.config import TerminalSettings, load_terminal
from device.daemon import load_configured_vision, make_camera
from device.delivery.database import OutboxError
from device.delivery.keys import load_terminal_keys
from device.delivery.outbox import Outbox
from device.evaluation.tune_check import load_check
from device.panel.gpio import Panel, PanelError, PinReader, mock_factory
from device.settings import SettingsError
from device.vision.inference import InferenceError
from device.vision.manifest import ModelError, default_directory

FRAMES = 5
EXPECTED = (CameraError, InferenceError, ModelError, OutboxError, PanelError, SettingsError, OSError)


class AnswerError(ModelError):
    """The models load, and see something else in the check pictures than they should."""


def self_test(config: Path) -> str | None:
    """Runs every part; returns the first one's name that fails, and says why on standard error."""
    try:
        settings, _ = load_terminal(config)
    except (SettingsError, OSError) as error:
        return _failed("configuration", error)
    parts: dict[str, Callable[[TerminalSettings], None]] = {
        "models": _models,
        "keys": _keys,
        "outbox": _outbox,
        "camera": _camera,
    }
    for name, part in parts.items():
        try:
            part(settings)
        except EXPECTED as error:
            return _failed(name, error)
    return None


def _models(settings: TerminalSettings) -> None:
    vision = load_configured_vision(settings.models)
    models = vision.models
    check = load_check(settings.models.folder or default_directory(), default_directory() / "rehearsal")
    for role, model in (
        ("detector", models.detector),
        ("landmarks", models.landmarks),
        ("embedding", models.embedding),
    ):
        deviation = check.deviation(role, model)
        if deviation.broken:
            raise AnswerError(f"{role} answers otherwise than it should: {deviation}")


def _keys(settings: TerminalSettings) -> None:
    load_terminal_keys(settings.keys)


def _outbox(settings: TerminalSettings) -> None:
    keys = load_terminal_keys(settings.keys)
    outbox = Outbox(settings.outbox, keys.terminal, keys.result_key, epoch=keys.epoch)
    try:
        # Full, read-only or damaged: that is a state of its own, which going back would not mend.
        outbox.check()
    finally:
        outbox.close()


def _camera(settings: TerminalSettings) -> None:
    factory = mock_factory()
    panel = Panel(settings.panel.pins, factory)
    try:
        camera = make_camera(settings.camera, PinReader(settings.panel.pins, factory))
        try:
            for _ in range(FRAMES):
                camera.read()
        finally:
            camera.close()
    finally:
        panel.close()


def _failed(name: str, error: Exception) -> str:
    print(f"self-test failed: {name}: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
    return name
