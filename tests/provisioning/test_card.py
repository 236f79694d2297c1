"""The card: files that their readers accept, secrets that do not outlive the first boot, and the first run itself."""

import hashlib
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from device.config import load_terminal
from device.delivery.keys import load_terminal_keys
from provisioning import card
from provisioning.__main__ import main as provision_main
from provisioning.card.bookworm import command_line, custom_toml
from provisioning.card.plan import CardPlan, Wifi, make_plan, terminal_yaml
from provisioning.card.trixie import trixie_files
from provisioning.command_line import now
from provisioning.serving import Endpoint
from provisioning.vault import ProvisioningError
from tests.provisioning.cloud_init import schema
from tests.provisioning.shop import PASSPHRASE, open_shop

ENROL = "likeness-enrol.service"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBJ5Bh technician@laptop"
WIFI = Wifi(ssid="Toko Sinar", password="rahasia besar", country="ID")
PLANS = [
    CardPlan(terminal="shop-17"),
    CardPlan(terminal="shop-17", wifi=WIFI),
    CardPlan(terminal="shop-17", wifi=WIFI, technician_key=KEY, packages=("python3-picamera2", "i2c-tools")),
]
COMMAND_LINE = "console=tty1 root=PARTUUID=1 rootfstype=ext4 rootwait init=/usr/lib/raspberrypi-sys-mods/firstboot\n"


@pytest.fixture(scope="module")
def cloud_config(tmp_path_factory):
    return schema(tmp_path_factory.mktemp("cloud-init"))


@pytest.mark.parametrize("plan", PLANS)
def test_cloud_inits_own_schema_accepts_user_data(plan, cloud_config):
    text = trixie_files(plan, "card-1")["user-data"]
    assert text.startswith("#cloud-config\n")
    document = yaml.safe_load(text)
    jsonschema.Draft4Validator(cloud_config).validate(document)
    wrong = jsonschema.Draft4Validator(cloud_config).iter_errors(document | {"runcmd": 1})
    assert list(wrong), "a schema that accepts everything proves nothing"


@pytest.mark.parametrize("plan", PLANS)
def test_network_config_is_netplan_version_2(plan):
    """netplan.readthedocs.io, YAML configuration: these keys; 64 hexadecimal digits are the key itself."""
    network = yaml.safe_load(trixie_files(plan, "card-1")["network-config"])["network"]
    assert network.pop("version") == 2
    if plan.wifi is None:
        assert network == {"ethernets": {"eth0": {"dhcp4": True}}}
        return
    point = {"password": hashlib.pbkdf2_hmac("sha1", b"rahasia besar", b"Toko Sinar", 4096, 32).hex()}
    wlan = {"dhcp4": True, "regulatory-domain": "ID", "access-points": {"Toko Sinar": point}}
    assert network == {"wifis": {"wlan0": wlan}}


def test_the_wifi_key_is_that_of_the_standard():
    """IEEE 802.11, annex J.4.2, the first test vector."""
    key = Wifi(ssid="IEEE", password="password", country="ID").key
    assert key == "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"


PRINTABLE = st.text("aZ 09\"'\\#[]{}=:éÅ\u200b漢", min_size=1, max_size=10)


@given(PRINTABLE)
def test_custom_toml_says_what_it_was_told(ssid):
    try:
        plan = make_plan(terminal="shop-17", wifi={"ssid": ssid, "password": "12345678", "country": "ID"})
    except ProvisioningError as error:
        assert "\n" not in str(error)
        return
    document = tomllib.loads(custom_toml(plan))
    assert document["config_version"] == 1 and document["system"] == {"hostname": "shop-17"}
    assert document["wlan"]["ssid"] == ssid and len(document["wlan"]["password"]) == 64
    assert yaml.safe_load(trixie_files(plan, "c")["network-config"])["network"]["wifis"]["wlan0"]["access-points"][ssid]


def test_custom_toml_has_the_fields_that_init_config_reads():
    document = tomllib.loads(custom_toml(PLANS[2]))
    assert document.keys() == {"config_version", "system", "user", "ssh", "wlan"}
    assert document["ssh"] == {"enabled": True, "password_authentication": False, "authorized_keys": [KEY]}
    assert document["wlan"].keys() == {"ssid", "password", "password_encrypted", "hidden", "country"}


def test_the_kernels_command_line():
    once = command_line(COMMAND_LINE)
    assert once.startswith(COMMAND_LINE.strip() + " systemd.run=") and once.count("\n") == 1
    assert command_line(once) == once
    with pytest.raises(ProvisioningError, match="no kernel command line"):
        command_line("hello\n")
    with pytest.raises(ProvisioningError, match="runs something else"):
        command_line(COMMAND_LINE.strip() + " systemd.run=/boot/firmware/firstrun.sh\n")


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"terminal": "Shop"}, "terminal: "),
        ({"wifi": {"ssid": "a\nb", "password": "12345678", "country": "ID"}}, "wifi.ssid: "),
        ({"wifi": {"ssid": "a", "password": "short", "country": "ID"}}, "8 to 63 printable"),
        ({"wifi": {"ssid": "a", "password": "12345678", "country": "Indonesia"}}, "wifi.country: "),
        ({"technician_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "technician_key: "),
        ({"packages": ["a; rm -rf /"]}, "packages.0: "),
    ],
)
def test_a_wrong_plan_is_one_line(wrong, line):
    with pytest.raises(ProvisioningError) as error:
        make_plan(**({"terminal": "shop-17"} | wrong))
    assert line in str(error.value) and "\n" not in str(error.value)


def test_the_configuration_is_one_that_the_terminal_takes(tmp_path):
    place = tmp_path / "terminal.yaml"
    place.write_text(terminal_yaml("broker.example.org", 8883))
    assert load_terminal(place)[0].keys == Path("/var/lib/likeness/keys")


class Bench:
    """An authority that listens, and a folder that stands for a card's boot partition."""

    def __init__(self, folder: Path, endpoint: Endpoint, shop) -> None:
        self.folder, self.shop, self.endpoint = folder, shop, endpoint
        self.boot, self.root, self.commands = folder / "boot", folder / "root", folder / "commands"
        for made in (self.boot, self.root / "etc/systemd/system", self.root / "etc/cloud/cloud.cfg.d", self.commands):
            made.mkdir(parents=True)
        (self.boot / "cmdline.txt").write_text(COMMAND_LINE)
        self.deb, self._token = folder / "likeness.deb", ""
        self.deb.write_bytes(b"!<arch>\ndebian-binary   ")
        for name, text in (("passphrase", PASSPHRASE), ("wifi", WIFI.password)):
            (folder / name).touch(0o600)
            (folder / name).write_text(text + "\n")
        # Debian's own commands, which this machine must not run: what they are told is kept and looked at.
        for name in ("apt-get", "dpkg"):
            self._command(name, f'echo "{name} $*" >>"$LIKENESS_LOG"')
        enrol = f'{sys.executable} -m device enrol --config "$LIKENESS_ROOT/etc/likeness/terminal.yaml"'
        enrol += ' --token-file "$LIKENESS_BOOT/likeness/token"'
        self._command("systemctl", f'echo "systemctl $*" >>"$LIKENESS_LOG"\n[ "$2" != {ENROL} ] || exec {enrol}')

    def _command(self, name: str, line: str) -> None:
        (self.commands / name).write_text(f"#!/bin/sh\n{line}\n")
        (self.commands / name).chmod(0o755)

    def write(self, release: str, *more: str) -> int:
        command = ["card", "shop-17", str(self.boot), "--release", release, "--deb", str(self.deb)]
        command += ["--server", "{}:{}".format(*self.endpoint.address), "--authority", str(self.shop.folder)]
        configuration = self.folder / "terminal.yaml"
        keys, outbox = self.root / "var/lib/likeness/keys", self.root / "var/lib/likeness/outbox.sqlite"
        configuration.write_text(
            f"camera: {{kind: usb-camera}}\nbroker: {{host: localhost}}\nkeys: {keys}\noutbox: {outbox}\n"
        )
        command += ["--config", str(configuration), "--passphrase-file", str(self.folder / "passphrase")]
        command += ["--wifi", WIFI.ssid, "--wifi-password-file", str(self.folder / "wifi"), "--country", "ID"]
        return provision_main(command + list(more))

    def run(self, script: str, cut: int = 0) -> int:
        """Runs a script of the card; with `cut`, it is killed before that command of its own."""
        environment = os.environ | {
            "PATH": f"{self.commands}:{os.environ['PATH']}",
            "LIKENESS_BOOT": str(self.boot),
            "LIKENESS_ROOT": str(self.root),
            "LIKENESS_GROUP": subprocess.check_output(["id", "-gn"], text=True).strip(),
            "LIKENESS_LOG": str(self.folder / "log"),
            "PYTHONPATH": str(Path.cwd()),
        }
        shell = "sh"
        if cut:
            trap = self.folder / "trap"
            trap.write_text(f"left={cut}\nset -T\ntrap 'left=$((left-1)); [ $left != 0 ] || kill -9 $$' DEBUG\n")
            environment["BASH_ENV"], shell = str(trap), "bash"
        run = [shell, str(self.boot / "likeness" / script)]
        self.done = subprocess.run(run, env=environment, check=False, capture_output=True, text=True)
        return self.done.returncode

    def secrets_left(self) -> list[str]:
        """Files of the boot partition that hold the token, the password or the network's key."""
        place = self.boot / "likeness" / "token"
        self._token = place.read_text().strip() if place.exists() else self._token
        held = [WIFI.password.encode(), WIFI.key.encode(), self._token.encode()]
        files = [path for path in self.boot.rglob("*") if path.is_file()]
        return [str(path) for path in files if any(secret in path.read_bytes() for secret in held)]


@pytest.fixture
def bench(quick):
    shop = open_shop(quick)
    with Endpoint(shop.folder, shop.authority, shop.records, ("127.0.0.1", 0), now=now) as endpoint:
        yield Bench(quick, endpoint, shop)
    shop.records.close()


@pytest.mark.parametrize("release", ["trixie", "bookworm"])
def test_from_card_to_enrolled_terminal(bench, release, capsys):
    assert bench.write(release) == 0
    assert "holds a token and the Wi-Fi key" in capsys.readouterr().out
    assert bench.write(release) == 0 and "nothing changed" in capsys.readouterr().out
    assert WIFI.password.encode() not in b"".join(p.read_bytes() for p in bench.boot.rglob("*") if p.is_file())
    assert bench.secrets_left()
    assert bench.run("install.sh") == 0, bench.done.stderr
    assert (bench.boot / "cmdline.txt").read_text() == COMMAND_LINE
    assert (bench.root / "etc/systemd/system/likeness-first-run.service").is_file()
    assert bench.run("first-run.sh") == 0, bench.done.stderr
    assert load_terminal_keys(bench.root / "var/lib/likeness/keys").terminal == "shop-17"
    assert bench.secrets_left() == []
    assert stat.S_IMODE((bench.root / "etc/likeness/terminal.yaml").stat().st_mode) == 0o640
    told = (bench.folder / "log").read_text()
    install = f"apt-get install --yes --no-install-recommends {bench.boot}/likeness/likeness.deb"
    assert f"dpkg --configure -a\n{install}\n" in told
    assert told.endswith("systemctl start --no-block likeness-terminal.service\n")


def test_without_the_authority_the_card_stays_as_it_is(bench):
    bench.write("trixie")
    before = {path: path.read_bytes() for path in bench.boot.rglob("*") if path.is_file()}
    bench.endpoint.__exit__(None, None, None)
    assert bench.run("first-run.sh") != 0 and "the authority does not answer" in bench.done.stderr
    assert {path: path.read_bytes() for path in bench.boot.rglob("*") if path.is_file()} == before


def test_power_is_lost_before_each_command_of_the_first_run(bench):
    """Each boot gets one command further than the one before, until one gets through."""
    bench.write("trixie")
    assert bench.secrets_left()
    keys, cuts = bench.root / "var/lib/likeness/keys", 0
    while (bench.boot / "likeness" / "token").exists():  # what makes the unit start
        cuts += 1
        assert bench.run("first-run.sh", cut=cuts) in (0, -9), bench.done.stderr
        assert not keys.exists() or load_terminal_keys(keys).terminal == "shop-17"
    assert cuts > 15 and bench.secrets_left() == []
    assert load_terminal_keys(keys).terminal == "shop-17"
    assert "systemctl enable likeness-terminal.service" in (bench.folder / "log").read_text()


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (("--deb", "/dev/null"), "is no Debian package"),
        (("--config", "/dev/null"), "is no terminal's configuration"),
        (("--package", "a b"), "packages.0"),
        (("--release", "bookworm", "--package", "i2c-tools"), "bookworm has no cloud-init"),
        (("--country", "id"), "wifi.country"),
        (("--server", "nowhere"), "is not HOST:PORT"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(bench, capsys, more, line):
    before = sorted(bench.boot.rglob("*"))
    try:
        code = bench.write("trixie", *more)
    except SystemExit as left:
        code = left.code
    blamed = capsys.readouterr().err
    assert code == 2 and line in blamed and blamed.count("\n") == 1
    assert sorted(bench.boot.rglob("*")) == before


def test_a_folder_that_is_no_card(bench, capsys):
    (bench.boot / "cmdline.txt").unlink()
    assert bench.write("bookworm") == 2 and "holds no cmdline.txt" in capsys.readouterr().err


def test_the_unit_is_one_that_systemd_takes():
    unit = Path(card.__file__).with_name("likeness-first-run.service")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], check=False, capture_output=True, text=True)
    assert done.stderr == ""
