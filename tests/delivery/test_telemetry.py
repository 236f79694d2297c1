"""Health: numbers of the machine and of the loop, and nothing else."""

import samples

from device.delivery.clocks import TerminalClock
from device.delivery.outbox import Outbox
from device.delivery.telemetry import Telemetry, Vitals, measured
from device.wire.health import HealthClaims


def clock() -> TerminalClock:
    return TerminalClock(lambda: samples.NOW + 60.0, lambda: 100.0, lambda: True)


def test_health_is_measured(outbox):
    outbox.append(samples.result)
    vitals = Vitals(camera="ok", sessions=7, paused=True, locked_until_s=130.0, refused=2)
    claims = Telemetry(samples.TERMINAL, samples.BOOT, clock(), outbox, vitals).claims("connected", 3)
    assert HealthClaims.read(claims.write()) == claims
    assert (claims.outbox, claims.waiting, claims.oldest_waiting_s) == ("ok", 1, 60.0)
    assert claims.outbox_bytes > 4096 and claims.disk_free_bytes > 2**20
    assert (claims.sessions, claims.paused, claims.lockout_s, claims.refused_messages) == (7, True, 30.0, 5)
    assert (claims.camera, claims.link, claims.clock) == ("ok", "connected", "synced")


def test_health_is_told_without_an_outbox(tmp_path, keys):
    path = tmp_path / "outbox"
    path.write_bytes(b"no database " * 1000)
    outbox = Outbox(path, samples.TERMINAL, keys.result_key)
    claims = Telemetry(samples.TERMINAL, samples.BOOT, clock(), outbox, Vitals()).claims("connected", 0)
    assert (claims.outbox, claims.waiting, claims.oldest_waiting_s) == ("damaged", None, None)
    assert claims.lockout_s is None


def test_an_outbox_from_the_future_is_not_older_than_now(outbox):
    outbox.append(lambda position: samples.result(position, iat=samples.NOW + 3600))
    claims = Telemetry(samples.TERMINAL, samples.BOOT, clock(), outbox, Vitals()).claims("connected", 0)
    assert claims.oldest_waiting_s == 0.0


def test_what_the_kernel_does_not_tell_is_left_out(tmp_path):
    place = tmp_path / "temp"
    assert measured(place, int) is None
    place.write_text("48312\n")
    assert measured(place, lambda text: int(text) / 1000) == 48.312
    place.write_text("hot\n")
    assert measured(place, int) is None
    place.write_text("50005\n")
    assert measured(place, lambda text: int(text, 16) != 0) is True
