"""Judgements over the machine: power, heat, clock, card, journal, network. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from device.delivery.clocks import Instant
from device.delivery.database import DISK_RESERVE_BYTES
from device.doctor.findings import RELEASED, Finding, Gauge, Level, plural, skipped, well
from device.wire.fields import ClockState

HOT_C, TOO_HOT_C = 70.0, 80.0  # a Pi slows down from 80 degrees on
FEW_BYTES = 200 * 1024 * 1024
WORN_TENTHS, LIFE_TENTHS = 8, 10  # of an eMMC's life, as JESD84-B51 counts it
MIB = 1024 * 1024
_NOW = {0: "too little voltage", 1: "a capped clock", 2: "throttling", 3: "the soft temperature limit"}
_POWER_BITS = 0b0001
_EARLIER = 16


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds the outbox.

    Attributes:
        source: its device: `/dev/mmcblk0p2`.
        errors: that it counted since it was made; None where it does not tell.
        written_bytes: likewise.
    """

    place: str
    source: str
    read_only: bool
    free_bytes: int
    total_bytes: int
    free_files: int
    errors: int | None = None
    written_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """The flash memory under that file system.

    Attributes:
        kind: `SD` or `MMC` (eMMC).
        life: tenths of its life that are used, the worse of both kinds of cells, 1 to 11; None where it does not tell.
        end_of_life: 1 normal, 2 most of its reserve used, 3 nearly all; None where it does not tell.
    """

    kind: str
    name: str
    made: str
    life: int | None = None
    end_of_life: int | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Interfaces other than the loopback by name, whether each has a link; and whether there is a way out."""

    links: tuple[tuple[str, bool], ...]
    default_route: bool


def judge_power(throttled: int | None) -> Finding:
    """Judges the firmware's bits: 0 to 3 now, 16 to 19 since the machine started."""
    if throttled is None:
        return skipped("power", "this machine's firmware does not tell (no Raspberry Pi)")
    now = [name for bit, name in _NOW.items() if throttled >> bit & 1]
    earlier = [name for bit, name in _NOW.items() if throttled >> (bit + _EARLIER) & 1]
    if not now and not earlier:
        return well("power", "never too little voltage, never throttled since the start")
    found = f"now: {', '.join(now)}" if now else f"since the start: {', '.join(earlier)}"
    if (throttled | throttled >> _EARLIER) & _POWER_BITS:
        why = "a weak supply resets the terminal in the middle of a session and damages cards"
        return Finding("power", Level.MEND, found, why, "use the Pi's own power supply and a short, thick cable")
    why = "a slowed processor looks at too few frames, and sessions end as inconclusive"
    return Finding("power", Level.MEND, found, why, "cool the housing: heat sink, vents, no sun on it; then restart")


def judge_heat(celsius: float | None) -> Finding:
    """Judges the processor's temperature."""
    if celsius is None:
        return skipped("temperature", "this machine has no sensor that the kernel knows")
    gauge = Gauge("processor", celsius, "°C", 0.0, 100.0, 0.0, HOT_C)
    if celsius < HOT_C:
        return well("temperature", f"{celsius:.0f} °C", gauge)
    why = f"the processor slows down from {TOO_HOT_C:.0f} °C on, and a closed counter in summer is warmer than now"
    advice = "cool the housing: heat sink, vents, no sun on it"
    return Finding("temperature", Level.MEND, f"{celsius:.0f} °C", why, advice, gauge)


def judge_clock(now: Instant, not_before: datetime | None) -> Finding:
    """Judges the wall clock; it cannot be earlier than the certificate that this terminal holds."""
    moment = datetime.fromtimestamp(now.unix_s, UTC)
    shown = f"{moment:%Y-%m-%d %H:%M} UTC"
    earliest = max(RELEASED, not_before or RELEASED)
    advice = "give it a network with a time server (timedatectl status), or set it: timedatectl set-time"
    if moment < earliest:
        why = (
            f"it cannot be earlier than {earliest:%Y-%m-%d}: certificates are not valid yet, and the broker is refused"
        )
        return Finding("clock", Level.STOPS, f"the clock says {shown}", why, advice)
    if now.state is ClockState.SYNCED:
        return well("clock", f"synchronised, {shown}")
    why = "results say that their time is not trusted, and requests are not checked for expiry"
    return Finding("clock", Level.MEND, f"{now.state.value}, {shown}", why, advice)


def judge_room(disk: Disk) -> Finding:
    """Judges room and health of the file system under the outbox."""
    free = disk.free_bytes / MIB
    found = f"{_size(disk.free_bytes)} of {_size(disk.total_bytes)} free at {disk.place} ({disk.source})"
    most = max(disk.total_bytes / MIB, 1.0)
    gauge = Gauge("free on the card", min(free, most), "MiB", 0.0, most, min(FEW_BYTES / MIB, most / 2), most)
    if disk.read_only:
        why = "no result can be kept, so no session begins; the kernel does this after errors of the card"
        return Finding("card", Level.STOPS, f"{disk.place} is read-only ({disk.source})", why, "replace the card")
    if disk.free_bytes < DISK_RESERVE_BYTES or disk.free_files == 0:
        why = "no result can be kept, so no session begins"
        advice = "find what fills it (du -xh / | sort -h), remove it, and restore the connection so that results leave"
        return Finding("card", Level.STOPS, f"full: {found}", why, advice, gauge)
    if disk.errors:
        why = "the card loses data"
        told = f"{plural(disk.errors, 'error')} of the file system; {found}"
        return Finding("card", Level.MEND, told, why, "replace the card: likeness-provision card writes one", gauge)
    if disk.free_bytes < FEW_BYTES:
        why = "a full card stops the terminal"
        return Finding("card", Level.MEND, found, why, "find what fills it (du -xh / | sort -h) and remove it", gauge)
    return well("card", found, gauge)


def judge_wear(card: Card | None, written_bytes: int | None) -> Finding:
    """Judges what the flash memory tells of its life."""
    written = f"; {_size(written_bytes)} written since it was formatted" if written_bytes is not None else ""
    if card is None:
        return skipped("card's wear", f"no SD card or eMMC under the outbox{written}")
    name = f"{card.kind} {card.name} of {card.made}"
    if card.life is None:
        return Finding("card's wear", Level.NOTE, f"{name} does not tell its wear{written}")
    share = f"{(card.life - 1) * 10} to {card.life * 10} %" if card.life <= LIFE_TENTHS else "more than all"
    used = f"{name}: {share} of its life used{written}"
    gauge = Gauge("life used", min(card.life * 10.0, 100.0), "%", 0.0, 100.0, 0.0, WORN_TENTHS * 10.0)
    if card.life > WORN_TENTHS or (card.end_of_life or 1) > 1:
        why = "worn flash fails at once, with the results that still wait on it"
        advice = "let all results leave (doctor: outbox), then replace it"
        return Finding("card's wear", Level.MEND, used, why, advice, gauge)
    return well("card's wear", used, gauge)


def judge_journal(*, runs: bool, persistent: bool) -> Finding:
    """Judges where the log goes."""
    if not runs:
        return skipped("journal", "systemd-journald does not run here")
    if not persistent:
        return well("journal", "in memory only")
    why = "each line wears the card, and logs outlive what they are needed for"
    advice = "set Storage=volatile in /etc/systemd/journald.conf.d/, then systemctl restart systemd-journald"
    return Finding("journal", Level.MEND, "is written to the card", why, advice)


def judge_network(network: Network) -> Finding:
    """Judges whether the terminal has a network at all."""
    if not network.links:
        found = "no network interface"
    elif not any(up for _, up in network.links):
        found = f"no link: {', '.join(name for name, _ in network.links)}"
    elif not network.default_route:
        found = f"a link ({', '.join(name for name, up in network.links if up)}), but no way out: no default route"
    else:
        return well("network", f"a link and a way out ({', '.join(name for name, up in network.links if up)})")
    why = "no request comes and no result leaves; results wait on the card"
    advice = "plug the cable in, or check Wi-Fi name, key and country (nmcli device status)"
    return Finding("network", Level.STOPS, found, why, advice)


def _size(count: int) -> str:
    """Bytes for people."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
