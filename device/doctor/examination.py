"""The doctor's round: gathers facts with thin adapters, has them judged, and hands out each finding as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from device.camera import CameraError
from device.config import TerminalSettings
from device.daemon import load_configured_vision, lock_of
from device.delivery.clocks import TerminalClock, boot_id
from device.delivery.database import OutboxError, OutboxState
from device.delivery.keys import TerminalKeys, load_terminal_keys
from device.delivery.outbox import Outbox
from device.delivery.telemetry import Telemetry, Vitals
from device.doctor.counter import Counter, Person
from device.doctor.findings import Finding, Level, Pictures, Report, plain, skipped, well
from device.doctor.inspecting import inspect_keys, inspect_permissions
from device.doctor.kernel import Kernel
from device.doctor.machine import (
    judge_clock,
    judge_heat,
    judge_journal,
    judge_network,
    judge_power,
    judge_room,
    judge_wear,
)
from device.doctor.reaching import reach
from device.doctor.slips import examine_slips
from device.doctor.speed import measure_speed
from device.doctor.trust import CHECKS, ENROL, judge_journey, judge_keys, judge_permissions
from device.durable import is_held
from device.panel.gpio import PanelError, pin_errors
from device.settings import SettingsError
from device.updates.store import package_version
from device.vision.assembly import Vision
from device.vision.inference import InferenceError
from device.vision.manifest import ModelError
from device.wire.envelope import Envelope, Kind, sign

AT_WORK = "the terminal's service is at work and holds it: systemctl stop likeness-terminal, then run again"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined.

    Attributes:
        config: the configuration's file, and `digest` its sha256.
    """

    config: Path
    settings: TerminalSettings
    digest: str


class Examination:
    """One round through one terminal; `person` is the technician, if there is one."""

    def __init__(
        self,
        subject: Subject,
        person: Person | None,
        tell: Callable[[str], None],
        *,
        kernel: Kernel | None = None,
        clock: TerminalClock | None = None,
    ) -> None:
        self._subject, self._settings, self._person, self._tell = subject, subject.settings, person, tell
        self._kernel, self._clock = kernel or Kernel(), clock or TerminalClock()
        self._keys: TerminalKeys | None = None
        self._vision: Vision | None = None
        self._found: list[Finding] = []
        self._pictures = Pictures()

    def report(self) -> Report:
        """What was found so far."""
        terminal = self._keys.terminal if self._keys is not None else "not enrolled"
        firmware, now = package_version(), datetime.fromtimestamp(self._clock.read().unix_s, UTC)
        return Report(terminal, now, firmware, tuple(self._found), self._pictures)

    def findings(self) -> Iterator[Finding]:
        """Goes the round."""
        rounds: list[tuple[str, str, Callable[[], list[Finding]]]] = [
            ("permissions", "check the paths in the configuration", self._permissions),
            ("keys", ENROL, self._check_keys),
            ("machine", "tell central's team", self._machine),
            ("outbox", "check the disk", self._outbox),
            ("network", "check the cable", lambda: [judge_network(self._kernel.network())]),
            ("models", "reinstall likeness, or mend models.folder", self._models),
            ("panel", "check the pin map and what else uses these pins: likeness-terminal wiring", self._counter),
            ("slip", "mend slip: in the configuration", self._slips),
            ("broker", "check network, address and firewall", self._journey),
        ]
        yield self._keep(well("configuration", f"{self._subject.config}, sha256 {self._subject.digest[:16]}"))
        for name, advice, look in rounds:
            self._tell(name)
            for finding in _guarded(name, advice, look):
                yield self._keep(finding)

    def _keep(self, finding: Finding) -> Finding:
        self._found.append(replace(finding, found=plain(finding.found)))
        return self._found[-1]

    def _permissions(self) -> list[Finding]:
        return [judge_permissions(inspect_permissions(self._settings, self._subject.config))]

    def _check_keys(self) -> list[Finding]:
        self._keys = load_terminal_keys(self._settings.keys)
        now = datetime.fromtimestamp(self._clock.read().unix_s, UTC)
        return judge_keys(inspect_keys(self._settings.keys, self._keys), now)

    def _machine(self) -> list[Finding]:
        kernel = self._kernel
        disk = kernel.disk(self._settings.outbox.parent)
        runs, persistent = kernel.journal()
        return [
            judge_power(kernel.throttled()),
            judge_heat(kernel.celsius()),
            judge_clock(self._clock.read(), None if self._keys is None else self._keys.tls.not_before),
            judge_room(disk),
            judge_wear(kernel.card(disk.source), disk.written_bytes),
            judge_journal(runs=runs, persistent=persistent),
        ]

    def _outbox(self) -> list[Finding]:
        if self._keys is None:
            return [skipped("outbox", "needs the keys")]
        outbox = self._open_outbox(self._keys)
        try:
            status = outbox.check()
        finally:
            outbox.close()
        if status.state is OutboxState.OK:
            return [well("outbox", status.sentence)]
        found, _, advice = status.sentence.rpartition(": ")
        return [Finding("outbox", Level.STOPS, found, "no result can be kept, so no session begins", advice)]

    def _models(self) -> list[Finding]:
        self._vision = load_configured_vision(self._settings.models)
        return [measure_speed(self._vision)]

    def _counter(self) -> list[Finding]:
        if is_held(lock_of(self._settings)):
            return [skipped("panel", AT_WORK), skipped("camera", AT_WORK)]
        with Counter(self._settings, self._vision, self._person, self._tell) as counter:
            found = counter.examine()
            self._pictures = counter.pictures
            return found

    def _slips(self) -> list[Finding]:
        return examine_slips(self._settings, self._person, self._kernel)

    def _journey(self) -> list[Finding]:
        if self._keys is None:
            return [skipped(check, "needs the keys") for check in CHECKS.values()]
        if is_held(lock_of(self._settings)):
            return [skipped(check, AT_WORK) for check in CHECKS.values()]
        keys = self._keys
        return judge_journey(reach(self._settings.broker.link(), keys, lambda: self._health(keys)))

    def _open_outbox(self, keys: TerminalKeys) -> Outbox:
        return Outbox(self._settings.outbox, keys.terminal, keys.result_key, epoch=keys.epoch)

    def _health(self, keys: TerminalKeys) -> Envelope:
        """A health message as the daemon sends it, which asks for a receipt."""
        outbox = self._open_outbox(keys)
        try:
            vitals = Vitals(camera="not-at-work")
            claims = Telemetry(keys.terminal, boot_id(), self._clock, outbox, vitals).claims("doctor", 0)
        finally:
            outbox.close()
        return sign(Kind.HEALTH, claims.model_copy(update={"receipt": True}).write(), keys.result_key)


def _guarded(name: str, advice: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """What a check cannot even look at is its finding."""
    ours = (CameraError, InferenceError, ModelError, OutboxError, PanelError, SettingsError)
    expected: tuple[type[Exception], ...] = (*ours, *pin_errors())
    try:
        return look()
    except expected as error:
        found = (str(error).splitlines() or [type(error).__name__])[0]
        return [Finding(name, Level.STOPS, found, "no session can be held without it", advice)]
