"""What the kernel and the firmware tell of the machine; every file is found below one root."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from device.delivery.telemetry import TEMPERATURE, THROTTLED, measured
from device.doctor.machine import Card, Disk, Network

LIMIT_S = 5.0
T = TypeVar("T")


class Kernel:
    """Reads /sys, /proc and the firmware."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def throttled(self) -> int | None:
        """The firmware's bits, by its file or its command; None where there is neither."""
        told = self._read(THROTTLED, lambda text: int(text, 16))
        return told if told is not None else _asked(["vcgencmd", "get_throttled"], r"throttled=(0x[0-9a-fA-F]+)")

    def celsius(self) -> float | None:
        """The processor's temperature."""
        return self._read(TEMPERATURE, lambda text: int(text) / 1000)

    def disk(self, place: Path) -> Disk:
        """The file system that holds `place`; raises OSError."""
        room = os.statvfs(place)
        source, kind, options = self._mount(place)
        told = Path("/sys/fs/ext4") / Path(source).name
        kilobytes = self._read(told / "lifetime_write_kbytes", int) if kind == "ext4" else None
        return Disk(
            place=str(place),
            source=source,
            read_only="ro" in options.split(",") or bool(room.f_flag & os.ST_RDONLY),
            free_bytes=room.f_bavail * room.f_frsize,
            total_bytes=room.f_blocks * room.f_frsize,
            free_files=room.f_favail if room.f_files else 1,
            errors=self._read(told / "errors_count", int) if kind == "ext4" else None,
            written_bytes=None if kilobytes is None else kilobytes * 1024,
        )

    def card(self, source: str) -> Card | None:
        """The SD card or eMMC of a partition such as /dev/mmcblk0p2; None for any other disk."""
        found = re.fullmatch(r"/dev/(mmcblk\d+)(p\d+)?", source)
        if found is None:
            return None
        told = Path("/sys/block") / found[1] / "device"
        life = self._read(told / "life_time", lambda text: max(int(cells, 16) for cells in text.split()))
        return Card(
            kind=self._read(told / "type", str) or "MMC",
            name=self._read(told / "name", str) or "without a name",
            made=self._read(told / "date", str) or "unknown age",
            life=life or None,  # 0: not defined
            end_of_life=self._read(told / "pre_eol_info", lambda text: int(text, 16)) or None,
        )

    def journal(self) -> tuple[bool, bool]:
        """Whether journald runs, and whether it keeps its log on the disk (journald.conf(5))."""
        runs = (self._root / "run/systemd/journal").is_dir()
        storage = "auto"
        for file in self._journal_settings():
            parser = configparser.ConfigParser(strict=False, interpolation=None)
            with suppress(configparser.Error, OSError, UnicodeDecodeError):
                parser.read_string(file.read_text())
                storage = parser.get("Journal", "Storage", fallback=storage).strip().lower()
        kept = (self._root / "var/log/journal").is_dir()
        return runs, storage == "persistent" or (storage == "auto" and kept)

    def network(self) -> Network:
        """The interfaces, and the routes of both families."""
        told = (self._read(Path("/proc/net/dev"), str) or "").splitlines()
        names = sorted(line.partition(":")[0].strip() for line in told if ":" in line)
        links = tuple(
            (name, self._read(Path("/sys/class/net") / name / "carrier", str) == "1") for name in names if name != "lo"
        )
        return Network(links, any(self._default_routes()))

    def _default_routes(self) -> Iterator[bool]:
        for line in (self._read(Path("/proc/net/route"), str) or "").splitlines()[1:]:
            yield line.split()[1] == "00000000"
        for line in (self._read(Path("/proc/net/ipv6_route"), str) or "").splitlines():
            yield line.startswith(f"{'0' * 32} 00 ") and not line.endswith(" lo")

    def _journal_settings(self) -> list[Path]:
        """In the order in which they count; of one name the file in /etc."""
        dropped = {}
        for folder in ("usr/lib", "run", "etc"):
            for file in (self._root / folder / "systemd/journald.conf.d").glob("*.conf"):
                dropped[file.name] = file
        return [self._root / "etc/systemd/journald.conf", *(dropped[name] for name in sorted(dropped))]

    def _mount(self, place: Path) -> tuple[str, str, str]:
        """Source, kind and options of the mount that holds a place."""
        best, found = -1, ("unknown", "unknown", "")
        where = place.resolve()
        for line in (self._read(Path("/proc/self/mounts"), str) or "").splitlines():
            source, target, kind, options = line.split()[:4]
            folder = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), target))
            if where.is_relative_to(folder) and len(folder.parts) >= best:
                best, found = len(folder.parts), (source, kind, options)
        return found

    def _read(self, place: Path, read: Callable[[str], T]) -> T | None:
        return measured(self._root / place.relative_to("/"), read)


def _asked(command: list[str], pattern: str) -> int | None:
    """What a command prints, as a hexadecimal number; None where there is no such command, or no such answer."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(pattern, answer)
    return int(found[1], 16) if found else None
