"""The terminal's configuration: one YAML file, and the only place that says what may stand in it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from device.delivery.link_settings import LinkSettings
from device.panel.gpio import PinMap
from device.settings import Settings, load_settings
from device.slip.settings import SlipSettings
from device.updates.store import Store, updates_folder
from device.vision.inference import Runtime
from device.vision.tuned import MAX_THREADS
from device.voice.settings import VoiceSettings
from device.wire.fields import FalseMatchRate, Name
from device.wire.update import BundleKind

RELEASED = "terminal.yaml"
"""The one file of a configuration that came as an update."""


class CameraSettings(Settings):
    """Which camera.

    Attributes:
        kind: what it is.
        index: numbers Pi and USB cameras.
        calibration: the file that `likeness-terminal calibrate` writes; it says how the camera hangs.
        person: who rehearses, and `seed` how; they belong to the rehearsal.
    """

    kind: Literal["pi-camera", "usb-camera", "rehearsal"]
    index: Annotated[int, Field(ge=0, le=63)] = 0
    calibration: Path | None = None
    person: Path | None = None
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _person_rehearses(self) -> Self:
        if self.kind == "rehearsal" and self.person is None:
            raise ValueError("a rehearsal needs a person: add person: FILE.json")
        if self.kind != "rehearsal" and self.person is not None:
            raise ValueError(f"person belongs to kind: rehearsal, not to {self.kind}: remove one of them")
        if self.kind == "rehearsal" and self.calibration is not None:
            raise ValueError("calibration belongs to pi-camera and usb-camera: a rehearsal hangs upright, remove it")
        return self


class PanelSettings(Settings):
    """Where the panel's pins are: `pi` drives GPIO, `mock` has the same panel without hardware.

    `steady` is for people whom blinking light harms: lights glide instead, and the ring stays dark.
    """

    factory: Literal["pi", "mock"] = "pi"
    pins: PinMap = PinMap()
    steady: bool = False

    @property
    def lights_ring(self) -> bool:
        """Whether there is a ring that may show coloured light."""
        return self.pins.ring is not None and not self.steady


class BrokerSettings(Settings):
    """Where the broker is, and every how many seconds to tell it the terminal's health.

    Whom to trust and who we are stands in the keys' folder.
    """

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    health_every_s: Annotated[float, Field(ge=1, le=86400)] = 60.0

    @field_validator("host")
    @classmethod
    def _host_is_a_name(cls, host: str) -> str:
        try:
            host.encode("idna")
        except UnicodeError:
            raise ValueError(f"{host!r} is neither a host name nor an address: mend it") from None
        return host

    def link(self) -> LinkSettings:
        """These settings for the link."""
        return LinkSettings(host=self.host, port=self.port, health_every_s=self.health_every_s)


class ModelSettings(Settings):
    """Which models run, and how.

    Attributes:
        folder: the folder of manifest.yaml; without it the installed one.
        runtime: without it the best installed one.
        threads: for each model.
        tuned: the file that `likeness-terminal tune` wrote; it says runtime, threads and variants.
    """

    folder: Path | None = None
    runtime: Runtime | None = None
    threads: Annotated[int, Field(ge=1, le=MAX_THREADS)] = 1
    tuned: Path | None = None

    @model_validator(mode="after")
    def _told_once(self) -> Self:
        if self.tuned is not None and self.model_fields_set & {"runtime", "threads"}:
            raise ValueError("tuned says runtime and threads already: remove them, or tuned")
        return self


def _as_written(value: object) -> object:
    """YAML reads 1.0e-3 as a number, and 1e-3 as text: both are meant."""
    return next((rate for rate in FalseMatchRate if isinstance(value, float) and value == float(rate)), value)


class PolicySettings(Settings):
    """What no request may go below, and the limits against trying often.

    Attributes:
        fmr: the highest false match rate that a request may ask for: 1e-3 is one in a thousand.
        consent: version of the consent text that stands at the counter.
        max_failures: failed sessions within ten minutes that pause the terminal.
        pause_s: for how long.
    """

    fmr: Annotated[FalseMatchRate, BeforeValidator(_as_written)] = FalseMatchRate.ONE_IN_1000
    consent: Name = "1"
    max_failures: Annotated[int, Field(ge=1, le=100)] = 10
    pause_s: Annotated[float, Field(ge=0, le=86400)] = 300.0


class OfflineSettings(Settings):
    """Sessions without a request while central is out of reach: how many may wait for a receipt; 0 allows none."""

    sessions: Annotated[int, Field(ge=0, le=10_000)] = 0


class TerminalSettings(Settings):
    """The whole file; relative paths are relative to it.

    Attributes:
        keys: folder with the terminal's keys and certificates.
        outbox: the database of results that wait for a receipt.
        updates: folder of the updates; without it `updates` beside the outbox.
    """

    camera: CameraSettings
    panel: PanelSettings = PanelSettings()
    voice: VoiceSettings = VoiceSettings()
    slip: SlipSettings | None = None
    broker: BrokerSettings
    models: ModelSettings = ModelSettings()
    policy: PolicySettings = PolicySettings()
    offline: OfflineSettings = OfflineSettings()
    keys: Path
    outbox: Path
    updates: Path | None = None

    @property
    def releases(self) -> Path:
        """The folder of the updates."""
        return updates_folder(self.outbox, self.updates)


def load_terminal(path: Path) -> tuple[TerminalSettings, str]:
    """Loads what is in force: the file, or the update that took its place; and its sha256. Raises SettingsError.

    Paths are absolute then. Keys, outbox and updates stay where the terminal's own file has them: an update moves no
    chain. The calibration, once there is one, is part of the configuration: the sha256 goes on through that file.
    """
    settings, digest = load_own(path)
    store = Store(settings.releases)
    released = store.in_force(BundleKind.CONFIGURATION)
    if released is not None:
        own = {"keys": settings.keys, "outbox": settings.outbox, "updates": settings.updates}
        settings, digest = _load(released / RELEASED, path.parent.absolute())
        settings = settings.model_copy(update=own)
    folder = store.in_force(BundleKind.MODELS)
    if folder is not None and settings.models.folder is None:
        settings = settings.model_copy(update={"models": settings.models.model_copy(update={"folder": folder})})
    return settings, digest


def load_own(path: Path) -> tuple[TerminalSettings, str]:
    """Loads the terminal's own file, whatever updates say; raises SettingsError."""
    return _load(path, path.parent.absolute())


def _load(path: Path, base: Path) -> tuple[TerminalSettings, str]:
    settings = load_settings(path, TerminalSettings)
    camera, models = settings.camera, settings.models
    for name in ("person", "calibration"):
        if (place := getattr(camera, name)) is not None:
            camera = camera.model_copy(update={name: base / place})
    for name in ("folder", "tuned"):
        if (place := getattr(models, name)) is not None:
            models = models.model_copy(update={name: base / place})
    places = {
        "camera": camera,
        "models": models,
        "voice": settings.voice.model_copy(update={"folder": base / settings.voice.folder}),
        "keys": base / settings.keys,
        "outbox": base / settings.outbox,
    }
    if settings.updates is not None:
        places["updates"] = base / settings.updates
    digest = hashlib.sha256(path.read_bytes())
    if camera.calibration is not None and camera.calibration.is_file():
        digest.update(camera.calibration.read_bytes())
    return settings.model_copy(update=places), digest.hexdigest()
