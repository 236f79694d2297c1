"""`likeness-terminal doctor`: walks through everything a session needs and says what to do. A first version."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from device.camera import CameraError
from device.camera.calibration import load_calibration
from device.config import ModelSettings, TerminalSettings, load_terminal
from device.daemon import load_configured_vision, make_camera
from device.delivery.clocks import TerminalClock
from device.delivery.database import OutboxError, OutboxState
from device.delivery.keys import load_terminal_keys
from device.delivery.outbox import Outbox
from device.delivery.pipe import tls_context
from device.panel.gpio import Panel, PanelError, PinReader, mock_factory, pi_factory
from device.panel.prompts import Scene, prompt
from device.settings import SettingsError
from device.signals import Frame
from device.vision.inference import InferenceError, available_runtimes
from device.vision.manifest import ModelError
from device.wire.fields import ClockState

CAMERA_FRAMES = 20
CONNECT_S = 5.0
EXPIRY_WARNING_DAYS = 14
EXPECTED = (CameraError, InferenceError, ModelError, OutboxError, PanelError, SettingsError, OSError)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, what was found, and what to do when it is not."""

    check: str
    well: bool
    found: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding's fields."""
        return asdict(self)


def examine(config: Path | None) -> Iterator[Finding]:
    """Yields the findings one by one; never raises for what it is there to find."""
    settings = None
    if config is not None:
        settings, finding = _configuration(config)
        yield finding
    yield _guarded("models", "reinstall likeness", lambda: _models(settings))
    yield _clock()
    if settings is None:
        if config is None:
            advice = "give --config FILE to check them"
            yield Finding("camera, panel, keys, broker", well=False, found="not checked", advice=advice)
        return
    checks: list[tuple[str, str, Callable[[TerminalSettings], Finding]]] = [
        ("panel", "check the pin map and the wiring", _panel),
        ("camera", "check cable and connector, then run again", _camera),
        ("calibration", "run likeness-terminal calibrate", _calibration),
        ("keys", "enrol the terminal again", _keys),
        ("outbox", "check the disk", _outbox),
        ("broker", "check network, address and firewall", _broker),
    ]
    for name, advice, check in checks:
        yield _guarded(name, advice, partial(check, settings))


def _guarded(name: str, advice: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except EXPECTED as error:
        found = (str(error).splitlines() or [type(error).__name__])[0]
        return Finding(name, well=False, found=found, advice=advice)


def _configuration(config: Path) -> tuple[TerminalSettings | None, Finding]:
    try:
        settings, digest = load_terminal(config)
    except SettingsError as error:
        return None, Finding("configuration", well=False, found="; ".join(error.faults), advice=f"mend {config}")
    return settings, Finding("configuration", well=True, found=f"{config} is valid, sha256 {digest[:16]}")


def _models(settings: TerminalSettings | None) -> Finding:
    vision = load_configured_vision(settings.models if settings is not None else ModelSettings())
    grey = np.full((480, 640, 3), 128, np.uint8)
    began = perf_counter()
    for number in range(5):
        vision.follower.look(Frame(grey, float(number), number))
    spent_ms = (perf_counter() - began) / 5 * 1000
    installed = ", ".join(available_runtimes())
    found = f"hashes right; {vision.models.runtime} (installed: {installed}), {spent_ms:.0f} ms a look"
    return Finding("models", well=True, found=found)


def _clock() -> Finding:
    now = TerminalClock().read()
    shown = datetime.fromtimestamp(now.unix_s, UTC).isoformat(timespec="seconds")
    if now.state is ClockState.SYNCED:
        return Finding("clock", well=True, found=f"synchronised, {shown}")
    advice = "connect a time server (timedatectl status); sessions run meanwhile and say so in their results"
    return Finding("clock", well=False, found=f"{now.state.value}, {shown}", advice=advice)


def _panel(settings: TerminalSettings) -> Finding:
    factory = pi_factory() if settings.panel.factory == "pi" else mock_factory()
    panel, reader = Panel(settings.panel.pins, factory), PinReader(settings.panel.pins, factory)
    try:
        wanted = prompt(Scene.VERIFIED, 0.0)
        panel.show(wanted)
        seen = reader.lights()
    finally:
        panel.close()
    lit = all(abs(a - b) < 0.02 for a, b in zip((*wanted.status, wanted.left), (*seen.status, seen.left), strict=True))
    pins = ", ".join(f"{name} {number}" for name, number in settings.panel.pins.pins().items())
    if not lit:
        return Finding("panel", well=False, found="the pins do not follow", advice="check the pin map and the wiring")
    where = "mock pins, no hardware" if settings.panel.factory == "mock" else "GPIO"
    return Finding("panel", well=True, found=f"{where}: {pins}")


def _camera(settings: TerminalSettings) -> Finding:
    factory = mock_factory()
    panel = Panel(settings.panel.pins, factory)
    camera = make_camera(settings.camera, PinReader(settings.panel.pins, factory))
    try:
        frames = [camera.read() for _ in range(CAMERA_FRAMES)]
    finally:
        camera.close()
        panel.close()
    height, width = frames[-1].image.shape[:2]
    fps = (CAMERA_FRAMES - 1) / max(frames[-1].taken_at - frames[0].taken_at, 1e-6)
    found = f"{settings.camera.kind}, {width}x{height}, {fps:.0f} frames a second"
    return Finding(
        "camera", well=fps >= 10, found=found, advice="" if fps >= 10 else "more light: the session needs 10"
    )


def _calibration(settings: TerminalSettings) -> Finding:
    if settings.camera.kind == "rehearsal":
        return Finding("calibration", well=True, found="a rehearsal needs none")
    calibration = load_calibration(settings.camera.calibration)
    if calibration is None:
        advice = "run likeness-terminal calibrate: a camera that hangs or mirrors otherwise fails every turn"
        return Finding("calibration", well=False, found="the camera was never calibrated", advice=advice)
    mirrors = "mirrors" if calibration.mirrored else "does not mirror"
    found = f"{calibration.calibrated:%Y-%m-%d}: turned by {calibration.rotation} degrees, {mirrors}"
    return Finding("calibration", well=True, found=found)


def _keys(settings: TerminalSettings) -> Finding:
    keys = load_terminal_keys(settings.keys)
    left = (keys.tls.not_after - datetime.now(UTC)).days
    found = f"{keys.terminal}; the certificate serves for {left} more days"
    well = left >= EXPIRY_WARNING_DAYS
    return Finding("keys", well=well, found=found, advice="" if well else "run likeness-terminal rotate")


def _outbox(settings: TerminalSettings) -> Finding:
    keys = load_terminal_keys(settings.keys)
    outbox = Outbox(settings.outbox, keys.terminal, keys.result_key, epoch=keys.epoch)
    try:
        status = outbox.check()
    finally:
        outbox.close()
    if status.state is OutboxState.OK:
        return Finding("outbox", well=True, found=status.sentence)
    found, _, advice = status.sentence.rpartition(": ")
    return Finding("outbox", well=False, found=found, advice=advice)


def _broker(settings: TerminalSettings) -> Finding:
    address = (settings.broker.host, settings.broker.port)
    with socket.create_connection(address, CONNECT_S) as connection:
        keys = load_terminal_keys(settings.keys)
        with tls_context(keys.tls).wrap_socket(connection, server_hostname=settings.broker.host) as secured:
            found = f"{settings.broker.host}:{settings.broker.port} answers, trusted, {secured.version()}"
    return Finding("broker", well=True, found=found)
