"""Admission: without an outbox nothing begins, counts survive, and only central ends what central ordered."""

from pathlib import Path

import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.admission import CHECK_S, Admission
from device.delivery.clocks import TerminalClock
from device.delivery.database import OutboxError
from device.delivery.outbox import Outbox
from device.delivery.telemetry import Vitals
from device.liveness.limits import Limits
from device.panel.prompts import Scene
from device.wire.envelope import SigningKey
from device.wire.fields import ClockState

KEY = SigningKey(Ed25519PrivateKey.generate())


class Machine:
    """A terminal's outbox and what counts on it, at a time that is told."""

    def __init__(self, folder: Path, *, boot: str = samples.BOOT, offline: int = 0, now: int = samples.NOW) -> None:
        self.outbox = Outbox(folder / "outbox", samples.TERMINAL, KEY)
        self.vitals, self.uptime_s = Vitals(), 1000.0
        self.clock = clock = TerminalClock(lambda: now, lambda: self.uptime_s, lambda: True)
        limits = Limits(max_failures=2, pause_s=300)
        self.admission = Admission(self.outbox, boot, clock, limits, self.vitals, offline_sessions=offline)
        self.admission.look(0.0)

    def fail(self) -> None:
        self.admission.begin("request")
        self.admission.ended(failed=True)
        self.outbox.append(samples.result, remember=self.admission.counts())

    def remember(self, change) -> None:
        values, apply = change
        self.outbox.remember(values)
        apply()


def test_a_sound_terminal_may_begin(tmp_path):
    machine = Machine(tmp_path)
    assert machine.admission.obstacle is None
    machine.admission.begin("request")
    assert machine.vitals.sessions == 1


def test_failures_lock_and_central_may_clear_it(tmp_path):
    machine = Machine(tmp_path)
    machine.fail()
    assert machine.admission.obstacle is None
    machine.fail()
    assert machine.admission.obstacle is Scene.PAUSED and machine.vitals.locked_until_s == 1300
    again = Machine(tmp_path)
    assert again.admission.obstacle is Scene.PAUSED
    again.remember(again.admission.clearing())
    assert again.admission.obstacle is None and again.vitals.locked_until_s == 0
    assert Machine(tmp_path).admission.obstacle is None


def test_a_pause_by_command_lasts_over_a_restart(tmp_path):
    machine = Machine(tmp_path)
    machine.remember(machine.admission.pausing(paused=True))
    assert machine.admission.obstacle is Scene.PAUSED
    again = Machine(tmp_path, boot=samples.OTHER_BOOT)
    assert again.admission.obstacle is Scene.PAUSED and again.vitals.paused
    again.remember(again.admission.pausing(paused=False))
    assert again.admission.obstacle is None
    assert Machine(tmp_path).admission.obstacle is None


def test_without_an_outbox_nothing_begins_and_it_comes_back_by_itself(tmp_path, caplog):
    folder = tmp_path / "later"
    machine = Machine(folder)
    assert machine.admission.obstacle is Scene.FAULT
    machine.admission.look(CHECK_S)
    machine.admission.look(2 * CHECK_S)
    assert caplog.text.count("outbox state=read-only") == 1
    with pytest.raises(OutboxError):
        machine.admission.begin("request")
    folder.mkdir()
    machine.admission.look(2.5 * CHECK_S)
    assert machine.admission.obstacle is Scene.FAULT
    machine.admission.look(3 * CHECK_S)
    assert machine.admission.obstacle is None


def test_a_fault_that_somebody_met_stops_at_once(tmp_path):
    machine = Machine(tmp_path)
    machine.admission.fault(OutboxError("the disk is gone"))
    assert machine.admission.obstacle is Scene.FAULT
    machine.admission.look(CHECK_S)
    assert machine.admission.obstacle is None


def test_offline_sessions_are_counted_until_a_receipt_comes(tmp_path):
    machine = Machine(tmp_path, offline=2)
    assert machine.admission.offline_scene is Scene.OFFLINE_READY
    for _ in range(2):
        machine.admission.begin("own", offline=True)
    assert machine.admission.offline_scene is Scene.OFFLINE_SPENT
    again = Machine(tmp_path, offline=2)
    assert again.admission.offline_scene is Scene.OFFLINE_SPENT
    envelope = again.outbox.append(samples.result)
    again.outbox.remove([(1, 1, envelope.sha256)])
    again.admission.look(CHECK_S)
    assert again.admission.offline_scene is Scene.OFFLINE_READY


def test_who_may_not_work_offline_waits(tmp_path):
    assert Machine(tmp_path).admission.offline_scene is Scene.OFFLINE_IDLE


def test_a_clock_that_was_rolled_back_between_two_runs_shows_in_results(tmp_path):
    machine = Machine(tmp_path)
    assert machine.clock.read().state is ClockState.SYNCED
    machine.admission.begin("request")
    assert Machine(tmp_path).clock.read().state is ClockState.SYNCED
    assert Machine(tmp_path, now=samples.NOW - 3600).clock.read().state is ClockState.STEPPED
