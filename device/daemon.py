"""Builds the daemon's adapters from its configuration, wires them, and takes them down again."""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from device.admission import Admission
from device.app import App
from device.camera import Camera, CameraError, model_of
from device.camera.calibration import load_calibration
from device.camera.newest import NewestFrame
from device.camera.orientation import oriented
from device.camera.pace import RealTimeCamera
from device.camera.person import load_person
from device.camera.picamera import PiCamera
from device.camera.rehearsal import RehearsalCamera
from device.camera.usb import UsbCamera
from device.closing import Closing
from device.config import CameraSettings, ModelSettings, TerminalSettings, load_terminal
from device.delivery.clocks import TerminalClock, boot_id
from device.delivery.commands import CommandDesk
from device.delivery.inbox import Inbox
from device.delivery.keys import KeysInUse, load_terminal_keys
from device.delivery.link import Link
from device.delivery.outbox import Outbox
from device.delivery.requests import PolicyFloor, RequestDesk
from device.delivery.telemetry import Telemetry, Vitals
from device.durable import alone
from device.liveness.limits import Limits
from device.liveness.session import Press
from device.orders import Orders
from device.panel.console import Caption, Console
from device.panel.gpio import Panel, PanelError, PinReader, open_panel
from device.panel.prompts import Scene, prompt
from device.panel.sentences import sentence
from device.results import Terminal
from device.service import Service, keep_memory_to_ourselves, log_to_journal
from device.updates.probation import Probation
from device.updates.store import Store, package_version
from device.vision.assembly import Vision, load_tuned_vision, load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import Models, default_directory
from device.voice.voice import open_voice
from device.wire.claims import Software
from device.wire.update import listing_digest

if TYPE_CHECKING:
    from device.slip.giver import SlipGiver

LOG = logging.getLogger(__name__)
RESTART = 75  # EX_TEMPFAIL: systemd starts the daemon again, as it does when central orders a restart
GUESS_CEILING = 0.1


def run_daemon(config: Path, *, show_panel: bool) -> int:
    """Runs the terminal until SIGTERM or SIGINT; returns the exit status."""
    log_to_journal(logging.INFO)
    keep_memory_to_ourselves()
    settings, digest = load_terminal(config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _warn_uncalibrated(settings.camera)
    vision = load_configured_vision(settings.models)
    with ExitStack() as stack:
        _hold_terminal(settings, stack)
        try:
            panel, pins = open_panel(settings.panel.pins, on_pi=settings.panel.factory == "pi")
        except PanelError as error:
            # A chip may come late, another process may hold a line: systemd tries again.
            LOG.critical("panel failed: %s", error)
            return RESTART
        stack.callback(panel.close)
        try:
            frames = NewestFrame(
                make_camera(settings.camera, pins), waits_for_taker=settings.camera.kind == "rehearsal"
            )
            frames.start()
            stack.callback(_stop_camera, frames)
            app, link = _build(settings, digest, vision, frames, panel, stack)
            on_tick = stack.enter_context(_Watcher(app, link, pins)).draw if show_panel else _nothing
            if settings.panel.factory == "mock" and settings.camera.kind != "rehearsal" and sys.stdin.isatty():
                _press_by_keyboard(pins)
            app.run(stop, on_tick)
            if not stop.is_set():
                return RESTART
        except CameraError as error:
            # The panel tells it, and systemd starts the process anew: a stalled pipeline does not recover in place.
            panel.show(prompt(Scene.NO_CAMERA, 0.0))
            LOG.critical("camera failed: %s", error)
            return RESTART
        finally:
            Service().stopping()
    return 0


def lock_of(settings: TerminalSettings) -> Path:
    """The file whose lock says that this terminal is served."""
    return settings.outbox.with_name(f"{settings.outbox.name}.lock")


def _hold_terminal(settings: TerminalSettings, stack: ExitStack) -> None:
    """Holds camera, pins and line in the eyes of the doctor; a disk that cannot be written is told by the outbox."""
    with suppress(OSError):
        if not stack.enter_context(alone(lock_of(settings))):
            LOG.warning("another process serves this terminal: stop one of them")


def make_camera(settings: CameraSettings, pins: PinReader) -> Camera:
    """Opens the configured camera, its frames set upright as calibrated; raises CameraError or SettingsError."""
    calibration = load_calibration(settings.calibration)
    camera = open_camera(settings, pins)
    if calibration is None:
        return camera
    if calibration.camera != model_of(camera):
        LOG.warning("the calibration is another camera's: likeness-terminal calibrate. model=%s", model_of(camera))
    return oriented(camera, calibration.orientation)


def open_camera(settings: CameraSettings, pins: PinReader) -> Camera:
    """Opens the configured camera as it hangs; raises CameraError."""
    if settings.kind == "pi-camera":
        return PiCamera(settings.index)
    if settings.kind == "usb-camera":
        return UsbCamera(settings.index)
    if settings.person is None:
        raise CameraError("a rehearsal needs a person: add person: FILE.json")
    person = load_person(settings.person)
    # On real pins the person looks at the real lights, and START waits for a real finger.
    finger = (lambda: pins.press(Press.START)) if pins.can_press else None
    rehearsal = RehearsalCamera(person, pins.lights, seed=settings.seed, press_start=finger)
    return RealTimeCamera(rehearsal)


def models_digest(models: Models) -> str:
    """One sha256 for all model files in use, as results name it."""
    lines = "".join(f"{role} {sha256}\n" for role, sha256 in sorted(models.hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def firmware_digest() -> str:
    """One sha256 for the program that runs, as results name it."""
    folder = Path(__file__).parent
    files = ((path.relative_to(folder.parent).as_posix(), path.read_bytes()) for path in folder.rglob("*.py"))
    return listing_digest((path, hashlib.sha256(source).hexdigest()) for path, source in files)


def load_configured_vision(settings: ModelSettings) -> Vision:
    """Loads the models that the configuration names; raises ModelError or InferenceError."""
    folder = settings.folder or default_directory()
    if settings.tuned is not None:
        return load_tuned_vision(folder, settings.tuned)
    return load_vision(folder, settings.runtime or preferred_runtime(), settings.threads)


def _build(
    settings: TerminalSettings, digest: str, vision: Vision, frames: NewestFrame, panel: Panel, stack: ExitStack
) -> tuple[App, Link]:
    """Opens keys, outbox and link; what was opened is closed by `stack`, last one first."""
    in_use, keys = KeysInUse(settings.keys), load_terminal_keys(settings.keys)
    outbox = Outbox(settings.outbox, keys.terminal, keys.result_key, epoch=keys.epoch)
    stack.callback(outbox.close)
    software = Software(
        firmware=package_version(),
        firmware_sha256=firmware_digest(),
        runtime=vision.models.runtime.value,
        models_sha256=models_digest(vision.models),
        configuration_sha256=digest,
    )
    boot, clock, vitals, policy = boot_id(), TerminalClock(), Vitals(), settings.policy
    requests, commands = Inbox("request"), Inbox("command")
    link = Link(
        settings.broker.link(),
        keys,
        outbox,
        boot=boot,
        software=software,
        clock=clock,
        on_request=requests.put,
        on_command=commands.put,
        telemetry=Telemetry(keys.terminal, boot, clock, outbox, vitals),
    )
    limits = Limits(policy.max_failures, pause_s=policy.pause_s)
    admission = Admission(outbox, boot, clock, limits, vitals, offline_sessions=settings.offline.sessions)
    has_ring, updates = settings.panel.lights_ring, Probation(Store(settings.releases), vitals)
    terminal = Terminal(keys.terminal, boot, policy.consent, software, frames.source, has_ring)
    slips = _slips(settings, stack)
    app = App(
        terminal=terminal,
        frames=frames,
        panel=panel,
        voice=stack.enter_context(open_voice(settings.voice)),
        vision=vision,
        requests=requests,
        desk=RequestDesk(keys, boot, outbox, PolicyFloor(policy.fmr, GUESS_CEILING)),
        link=link,
        clock=clock,
        vitals=vitals,
        admission=admission,
        closing=Closing(terminal, outbox, clock, admission, keys.evidence_recipient, slips),
        orders=Orders(commands, CommandDesk(keys, boot, outbox, clock), link, admission, vitals, updates, in_use),
        service=Service(),
        steady=settings.panel.steady,
    )
    link.start()
    stack.callback(link.stop)
    return app, link


def _slips(settings: TerminalSettings, stack: ExitStack) -> SlipGiver | None:
    if settings.slip is None:
        return None
    from device.slip.giver import open_slips  # noqa: PLC0415  Pillow and a font take 8 MB, and many counters give no slips

    return stack.enter_context(open_slips(settings.slip, settings.voice.languages))


def _warn_uncalibrated(settings: CameraSettings) -> None:
    if settings.kind != "rehearsal" and load_calibration(settings.calibration) is None:
        LOG.warning("the camera was never calibrated: where it mirrors, every turn fails: likeness-terminal calibrate")


def _stop_camera(frames: NewestFrame) -> None:
    if not frames.stop():
        LOG.critical("the camera does not stop: leaving without it")
        os._exit(RESTART)


def _nothing() -> None:
    return


class _Watcher:
    """Draws the panel for somebody at a desk or in the demonstration."""

    def __init__(self, app: App, link: Link, pins: PinReader) -> None:
        self._app, self._link = app, link
        self._console = Console(sys.stdout, pins.lights)

    def __enter__(self) -> _Watcher:
        self._console.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._console.close()

    def draw(self) -> None:
        """Draws what the pins show now."""
        shown, running = self._app.shown, self._app.running
        told = sentence(shown.scene, guidance=shown.guidance, action=shown.action)
        progress = running.progress if running is not None else f"link: {self._link.status.state.value}"
        self._console.draw(Caption(self._app.title, told, progress))


def _press_by_keyboard(pins: PinReader) -> None:
    """Enter is START and c is CANCEL: a desk has no buttons."""

    def listen(press: Callable[[Press], None]) -> None:
        for line in sys.stdin:
            press(Press.CANCEL if line.strip().lower().startswith("c") else Press.START)

    threading.Thread(target=listen, args=(pins.press,), name="keyboard", daemon=True).start()
