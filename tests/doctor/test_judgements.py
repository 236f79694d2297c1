"""The doctor's judgements over facts, and the adapters that read facts from the kernel's files."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from device.camera import Conditions
from device.camera.calibration import Calibration
from device.delivery.clocks import TerminalClock
from device.delivery.database import DISK_RESERVE_BYTES
from device.doctor.findings import Finding, Level, Report, plain
from device.doctor.kernel import Kernel
from device.doctor.machine import (
    MIB,
    Card,
    Disk,
    Network,
    judge_clock,
    judge_heat,
    judge_journal,
    judge_network,
    judge_power,
    judge_room,
    judge_wear,
)
from device.doctor.sight import Film, judge_film, judge_orientation, judge_site
from device.doctor.speed import judge_speed
from device.doctor.trust import Keys, Permissions, judge_keys, judge_permissions
from device.liveness.calibrating import Found

NOW = datetime(2026, 11, 26, 7, tzinfo=UTC)


def told(finding: Finding, level: Level, *words: str) -> None:
    assert finding.level is level, finding
    assert bool(finding.advice) == bool(finding.why) == finding.is_to_do
    for word in words:
        assert word in f"{finding.found} | {finding.why} | {finding.advice}"


@pytest.mark.parametrize(
    ("bits", "level", "word"),
    [
        (None, Level.SKIPPED, "no Raspberry Pi"),
        (0, Level.WELL, "never"),
        (0x50005, Level.MEND, "now: too little voltage, throttling"),
        (0x10000, Level.MEND, "since the start: too little voltage"),
        (0x80008, Level.MEND, "cool the housing"),
    ],
)
def test_power_is_read_bit_by_bit(bits, level, word):
    told(judge_power(bits), level, word)


@pytest.mark.parametrize(("celsius", "level"), [(None, Level.SKIPPED), (48.3, Level.WELL), (70.0, Level.MEND)])
def test_heat(celsius, level):
    told(judge_heat(celsius), level)


def clock(unix_s: float, *, synced: bool) -> TerminalClock:
    return TerminalClock(lambda: unix_s, lambda: 100.0, lambda: synced)


def test_a_clock_in_1970_stops_and_says_what_to_do():
    told(
        judge_clock(clock(42.0, synced=False).read(), None), Level.STOPS, "1970-01-01 00:00 UTC", "timedatectl set-time"
    )
    # It cannot be earlier than the certificate either, whatever it believes of itself.
    yesterday = clock((NOW - timedelta(days=1)).timestamp(), synced=True).read()
    told(judge_clock(yesterday, NOW), Level.STOPS, "cannot be earlier than 2026-11-26")
    told(judge_clock(yesterday, NOW - timedelta(days=2)), Level.WELL, "synchronised")
    told(judge_clock(clock(NOW.timestamp(), synced=False).read(), None), Level.MEND, "never-synced")


ROOM = Disk("/var/lib/likeness", "/dev/mmcblk0p2", False, 8000 * MIB, 14000 * MIB, 90_000, 0, 400 * MIB)


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({}, Level.WELL, "7.8 GiB of 13.7 GiB free"),
        ({"free_bytes": DISK_RESERVE_BYTES - 1}, Level.STOPS, "full: "),
        ({"free_files": 0}, Level.STOPS, "full: "),
        ({"free_bytes": 100 * MIB}, Level.MEND, "100.0 MiB"),
        ({"read_only": True}, Level.STOPS, "is read-only"),
        ({"errors": 3}, Level.MEND, "3 errors of the file system"),
    ],
)
def test_room_on_the_card(changes, level, word):
    told(judge_room(replace(ROOM, **changes)), level, word)


EMMC = Card("MMC", "BJTD4R", "03/2024", life=2, end_of_life=1)


@pytest.mark.parametrize(
    ("card", "level", "word"),
    [
        (None, Level.SKIPPED, "no SD card"),
        (EMMC, Level.WELL, "10 to 20 % of its life used; 1.0 GiB written"),
        (replace(EMMC, life=9), Level.MEND, "80 to 90 %"),
        (replace(EMMC, life=11), Level.MEND, "more than all of its life used"),
        (replace(EMMC, end_of_life=2), Level.MEND, "replace it"),
        (Card("SD", "SC64G", "03/2024"), Level.NOTE, "SD SC64G of 03/2024 does not tell its wear"),
    ],
)
def test_wear_of_the_card(card, level, word):
    told(judge_wear(card, 1024 * MIB), level, word)


@pytest.mark.parametrize(
    ("network", "level", "word"),
    [
        (Network((), False), Level.STOPS, "no network interface"),
        (Network((("eth0", False), ("wlan0", False)), False), Level.STOPS, "no link: eth0, wlan0"),
        (Network((("eth0", True),), False), Level.STOPS, "no default route"),
        (Network((("eth0", False), ("wlan0", True)), True), Level.WELL, "wlan0"),
    ],
)
def test_network(network, level, word):
    told(judge_network(network), level, word)


def test_a_journal_on_the_card_is_to_be_mended():
    told(judge_journal(runs=True, persistent=True), Level.MEND, "Storage=volatile")
    told(judge_journal(runs=True, persistent=False), Level.WELL)
    told(judge_journal(runs=False, persistent=False), Level.SKIPPED)


KEYS = Keys(
    "shop-1",
    2,
    "/k",
    (),
    NOW - timedelta(days=10),
    NOW + timedelta(days=20),
    NOW + timedelta(days=900),
    encrypted=False,
    tpm=False,
)


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({}, Level.WELL, "shop-1, chain epoch 2; the certificate serves for 20 more days"),
        ({"not_after": NOW + timedelta(days=4)}, Level.MEND, "likeness-terminal rotate"),
        ({"not_after": NOW - timedelta(days=1)}, Level.STOPS, "the certificate expired on 2026-11-25"),
        ({"not_before": NOW + timedelta(days=1)}, Level.STOPS, "this clock says 2026-11-26"),
        ({"authority_until": NOW}, Level.STOPS, "the broker's authority ended"),
    ],
)
def test_the_certificates_time(changes, level, word):
    told(judge_keys(replace(KEYS, **changes), NOW)[0], level, word)


def test_keys_that_others_may_read_and_keys_that_can_be_copied():
    told(judge_keys(KEYS, NOW)[1], Level.NOTE, "not encrypted", "whoever takes the card out can copy them")
    told(judge_keys(replace(KEYS, encrypted=True), NOW)[1], Level.NOTE, "by a key on this very card")
    told(judge_keys(replace(KEYS, encrypted=True, tpm=True), NOW)[1], Level.WELL, "this board has a TPM")
    told(judge_keys(replace(KEYS, loose=("tls.key",)), NOW)[1], Level.STOPS, "tls.key", "chmod go-rwx")


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({}, Level.WELL, "likeness, groups gpio, video"),
        ({"denied": ("/dev/gpiochip0",)}, Level.STOPS, "usermod --append --groups video,gpio likeness"),
        ({"unwritable": ("/var/lib/likeness",)}, Level.STOPS, "may not write /var/lib/likeness"),
        ({"unreadable": ("/etc/likeness/terminal.yaml",)}, Level.STOPS, "may not read /etc/likeness/terminal.yaml"),
        ({"open_files": ("/etc/likeness/terminal.yaml",)}, Level.MEND, "chmod go-w"),
    ],
)
def test_permissions(changes, level, word):
    told(judge_permissions(replace(Permissions("likeness", ("gpio", "video")), **changes)), level, word)


TOLD = Conditions("imx708 /base/i2c", ("main BGR888 1280x960, stride 3840",), 12_000.0, 2.0, 1.5)
FILM = Film(640, 480, tuple(n / 25 for n in range(60)), 0.4, 0.2, 0.01, 0.0, 0.3, TOLD)


def test_a_good_film_is_well_and_tells_format_stride_and_exposure():
    camera, pace, picture, focus = judge_film("pi-camera", FILM)
    for finding in (camera, pace, picture, focus):
        told(finding, Level.WELL)
    assert "imx708 /base/i2c; main BGR888 1280x960, stride 3840" in camera.found
    assert pace.found == "25 frames a second, longest gap 40 ms"
    assert picture.found.endswith("exposed 12.0 ms, gain 2.0")
    assert focus.found == "sharpness of the face 0.30; lens at 1.5 dioptres"


@pytest.mark.parametrize(
    ("changes", "check", "level", "word"),
    [
        ({"taken_at": tuple(n / 8 for n in range(60))}, 1, Level.STOPS, "8 frames a second"),
        ({"taken_at": (0.0, 0.04, 0.08, 0.4, 0.44)}, 1, Level.MEND, "longest gap 320 ms"),
        ({"taken_at": (0.0,)}, 1, Level.SKIPPED, "fewer than two"),
        ({"contrast": 0.0}, 2, Level.STOPS, "take the cap or the film off the lens"),
        ({"repeated": 0.5}, 2, Level.STOPS, "50% of the frames are repeated"),
        ({"luma": 0.03}, 2, Level.MEND, "put light"),
        ({"burnt": 0.5}, 2, Level.MEND, "turn the terminal away"),
        ({"sharpness": 0.1}, 3, Level.MEND, "clean the lens"),
        ({"sharpness": None}, 3, Level.SKIPPED, "nobody stood before the camera"),
    ],
)
def test_what_a_film_shows(changes, check, level, word):
    told(judge_film("pi-camera", replace(FILM, **changes))[check], level, word)


CALIBRATION = Calibration(
    rotation=180, mirrored=False, calibrated=NOW, camera="imx708 /base/i2c", brightness=0.5, face_width=0.4
)
SEEN = Found(180, mirrored=False, brightness=0.45, width=0.4)


@pytest.mark.parametrize(
    ("calibration", "model", "found", "level", "word"),
    [
        (None, "imx708 /base/i2c", None, Level.STOPS, "never calibrated"),
        (CALIBRATION, "imx708 /base/i2c", None, Level.WELL, "not tried: nobody"),
        (CALIBRATION, "imx708 /base/i2c", SEEN, Level.WELL, "and seen so now"),
        (CALIBRATION, "imx219 /base/i2c", SEEN, Level.STOPS, "of another camera or socket (imx708 /base/i2c)"),
        (
            CALIBRATION,
            "imx708 /base/i2c",
            replace(SEEN, mirrored=True),
            Level.STOPS,
            "seen now: turned by 180 degrees, mirrors",
        ),
        (CALIBRATION, "imx708 /base/i2c", replace(SEEN, rotation=0), Level.STOPS, "camera or mount were moved"),
    ],
)
def test_a_calibration_of_another_camera_or_mount_is_noticed(calibration, model, found, level, word):
    told(judge_orientation(calibration, model, found, "nobody"), level, word)


@pytest.mark.parametrize(
    ("found", "level", "word"),
    [
        (SEEN, Level.WELL, "brightness 0.45"),
        (replace(SEEN, brightness=0.1), Level.MEND, "put light on the face"),
        (replace(SEEN, width=0.1), Level.MEND, "move the terminal nearer"),
        (replace(SEEN, width=0.9), Level.MEND, "move the terminal back"),
        (replace(SEEN, brightness=0.2), Level.NOTE, "it was 0.50 on 2026-11-26"),
    ],
)
def test_light_and_distance_of_the_site(found, level, word):
    told(judge_site(found, CALIBRATION), level, word)


def test_models_that_are_too_slow_stop():
    told(judge_speed(31.0, "LiteRT"), Level.WELL, "31 ms a look")
    told(judge_speed(140.0, "LiteRT"), Level.STOPS, "likeness-terminal tune")


def test_a_name_with_a_terminals_commands_in_it_is_made_harmless():
    assert plain("imx\x1b[2J708\n\u202e caf\u00e9") == "imx?[2J708?? caf\u00e9"


def test_the_report_says_the_worst_first():
    findings = (judge_power(0), judge_heat(75.0), judge_network(Network((), False)), judge_power(None))
    report = Report("shop-1", NOW, "1", findings)
    assert [finding.check for finding in report.worst_first] == ["network", "temperature", "power", "power"]
    assert (report.exit_status, report.verdict) == (
        1,
        "This terminal cannot serve: 2 things to do, 1 check skipped.",
    )
    assert Report("s", NOW, "1", findings[1:2]).verdict == "This terminal serves, with 1 thing to do."
    assert Report("s", NOW, "1", findings[:1]).exit_status == 0


@pytest.fixture
def root(tmp_path):
    """A kernel's files, as a Pi 4 with an SD card has them."""

    def put(path: str, text: str) -> None:
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    put("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    put("sys/class/thermal/thermal_zone0/temp", "48312\n")
    put(
        "proc/self/mounts",
        f"/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n/dev/mmcblk0p3 {tmp_path}/my\\040state ext4 ro 0 0\n",
    )
    put("sys/fs/ext4/mmcblk0p2/errors_count", "2\n")
    put("sys/fs/ext4/mmcblk0p2/lifetime_write_kbytes", "1024\n")
    put("sys/block/mmcblk0/device/type", "MMC\n")
    put("sys/block/mmcblk0/device/name", "BJTD4R\n")
    put("sys/block/mmcblk0/device/date", "03/2024\n")
    put("sys/block/mmcblk0/device/life_time", "0x02 0x05\n")
    put("sys/block/mmcblk0/device/pre_eol_info", "0x01\n")
    put("proc/net/dev", "Inter-|   Receive\n face |bytes\n    lo: 1 2\n  eth0: 3 4\n")
    put("sys/class/net/lo/carrier", "1\n")
    put("sys/class/net/eth0/carrier", "1\n")
    put("proc/net/route", "Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0\t0003\n")
    (tmp_path / "my state").mkdir()
    return put, Kernel(tmp_path), tmp_path


def test_the_kernels_files_are_read(root):
    _, kernel, folder = root
    assert (kernel.throttled(), kernel.celsius()) == (0x50005, 48.312)
    disk = kernel.disk(folder)
    assert (disk.source, disk.read_only, disk.errors, disk.written_bytes) == ("/dev/mmcblk0p2", False, 2, 1024 * 1024)
    assert kernel.disk(folder / "my state").read_only
    assert kernel.card(disk.source) == Card("MMC", "BJTD4R", "03/2024", 5, 1)
    assert kernel.card("/dev/nvme0n1p2") is None
    assert kernel.network() == Network((("eth0", True),), True)


def test_what_the_kernel_does_not_tell_or_tells_in_riddles_is_left_out(root, tmp_path):
    put, kernel, _ = root
    put("sys/block/mmcblk0/device/life_time", "0x00 zero\n")
    put("sys/devices/platform/soc/soc:firmware/get_throttled", "\n")
    assert kernel.card("/dev/mmcblk0").life is None
    assert kernel.throttled() is None
    bare = Kernel(tmp_path / "nothing")
    assert (bare.celsius(), bare.network(), bare.journal()) == (None, Network((), False), (False, False))
    assert bare.disk(tmp_path).source == "unknown"


def test_an_ipv6_route_is_a_way_out_and_the_kernels_own_is_none(root):
    put, kernel, _ = root
    put("proc/net/route", "Iface\tDestination\n")
    zeros = "0" * 32
    own = f"{zeros} 00 {zeros} 00 {zeros} ffffffff 00000001 00000000 00200200       lo\n"
    put("proc/net/ipv6_route", own)
    assert not kernel.network().default_route
    put(
        "proc/net/ipv6_route",
        own + f"{zeros} 00 {zeros} 00 fe80{'0' * 28} 00000400 00000001 00000000 00000003     eth0\n",
    )
    assert kernel.network().default_route


@pytest.mark.parametrize(
    ("files", "persistent"),
    [
        ({}, False),
        ({"var/log/journal/x": ""}, True),
        ({"var/log/journal/x": "", "etc/systemd/journald.conf": "[Journal]\n#Storage=auto\nStorage=volatile\n"}, False),
        ({"usr/lib/systemd/journald.conf.d/a.conf": "[Journal]\nStorage=persistent\n"}, True),
        (
            {
                "usr/lib/systemd/journald.conf.d/a.conf": "[Journal]\nStorage=persistent\n",
                "etc/systemd/journald.conf.d/a.conf": "[Journal]\nStorage=volatile\n",
            },
            False,
        ),
        ({"var/log/journal/x": "", "etc/systemd/journald.conf": "rubbish\n"}, True),
    ],
)
def test_where_the_journal_goes(root, files, persistent):
    put, kernel, folder = root
    (folder / "run/systemd/journal").mkdir(parents=True)
    for path, text in files.items():
        put(path, text)
    assert kernel.journal() == (True, persistent)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB; only root may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small disk cannot be mounted here: this test did not run")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_card_stops_and_a_read_only_one_too(small_disk):
    (small_disk / "ballast").write_bytes(bytes(1000 * 1024))
    told(judge_room(Kernel().disk(small_disk)), Level.STOPS, "full: ", "(tmpfs)")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    told(judge_room(Kernel().disk(small_disk)), Level.STOPS, "is read-only (tmpfs)")
