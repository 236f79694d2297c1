"""The commands as a technician types them: what they print, that a second run changes nothing, and each fault."""

import json
import resource
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from central.config import load_central, load_signing_key
from central.registry import load_registry
from device.__main__ import main as terminal_main
from device.delivery.keys import load_terminal_keys
from device.durable import alone
from device.settings import read_private_file
from device.wire.keys import parse_sealing_key, parse_unsealing_key
from provisioning.__main__ import main as provision_main
from provisioning.authority import create
from provisioning.command_line import now
from provisioning.label import label_text
from provisioning.records import Records
from tests.provisioning.shop import CHEAP, PASSPHRASE, open_shop

CONFIGURATION = (
    "camera: {kind: usb-camera}\nbroker: {host: broker.example.org}\nkeys: state/keys\noutbox: outbox.sqlite\n"
)


class Desk:
    """A technician with a laptop and a terminal; a command returns its exit code, what it printed and its complaint."""

    def __init__(self, folder: Path, capsys) -> None:
        self.folder, self._capsys = folder, capsys
        self.config = folder / "terminal.yaml"
        self.config.write_text(CONFIGURATION)
        self.keys = folder / "state" / "keys"
        self._passphrase = folder / "passphrase"
        self._passphrase.touch(0o600)
        self._passphrase.write_text(PASSPHRASE + "\n")
        create(folder / "authority", PASSPHRASE, "likeness", now(), cost=CHEAP)

    def provision(self, *arguments):
        secret = ["--passphrase-file", str(self._passphrase)]
        authority = [] if arguments[0] in ("authority", "demo") else ["--authority", str(self.folder / "authority")]
        if arguments[0] in ("terminal", "list", "rotate", "label", "demo"):
            secret = []
        return self._run(provision_main, [*map(str, arguments), *authority, *secret])

    def terminal(self, command, *arguments):
        return self._run(terminal_main, [command, "--config", str(self.config), *map(str, arguments)])

    def _run(self, main, arguments):
        code = main(arguments)
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.err and printed.err.count("\n") == (code != 0)
        return code, printed.out, printed.err

    def enrol_by_file(self, terminal="shop-17"):
        self.provision("terminal", "add", terminal, "--outlet", "jakarta-04")
        self.provision("token", terminal, "--out", self.folder / "token")
        self.terminal("enrol", "--token-file", self.folder / "token", "--out", self.folder / "request.json")
        self.provision("enrol", self.folder / "request.json", "--out", self.folder / "bundle.json")
        return self.terminal("enrol", "--bundle", self.folder / "bundle.json")


@pytest.fixture
def desk(quick, capsys):
    return Desk(quick, capsys)


def twice(run, *arguments):
    """The first run does it, the second changes nothing and says so."""
    first, second = run(*arguments), run(*arguments)
    assert first[0] == second[0] == 0, first[2] + second[2]
    assert "nothing changed" not in first[1] and "nothing changed" in second[1]
    return first[1]


def test_the_whole_way_by_file_each_command_twice(desk):
    assert twice(desk.provision, "authority", "init", desk.folder / "authority").startswith("authority likeness in")
    assert "LK-000001 shop-17" in twice(desk.provision, "terminal", "add", "shop-17", "--outlet", "jakarta-04")
    desk.provision("token", "shop-17", "--out", desk.folder / "token")
    for _ in range(2):
        code, told, _ = desk.terminal("enrol", "--token-file", desk.folder / "token", "--out", desk.folder / "r.json")
        assert code == 0 and "carry it to the authority" in told
    assert "chain epoch 1: carry it" in twice(
        desk.provision, "enrol", desk.folder / "r.json", "--out", desk.folder / "b.json"
    )
    assert "Installed: restart" in twice(desk.terminal, "enrol", "--bundle", desk.folder / "b.json")
    assert load_terminal_keys(desk.keys).terminal == "shop-17"
    code, told, _ = desk.terminal("enrol", "--token-file", desk.folder / "token", "--erase-token")
    assert code == 0 and "Enrolled already: nothing changed" in told and not (desk.folder / "token").exists()
    assert "the certificate serves until" in desk.terminal("rotate")[1]


def test_renewal_new_keys_list_and_revocation(desk):
    desk.enrol_by_file()
    desk.terminal("rotate", "--now", "--out", desk.folder / "r.json")
    assert desk.provision("enrol", desk.folder / "r.json", "--out", desk.folder / "b.json")[0] == 0
    assert "chain epoch 1" in desk.terminal("enrol", "--bundle", desk.folder / "b.json")[1]
    assert "new keys ordered" in twice(desk.provision, "rotate", "shop-17")
    assert json.loads(desk.provision("list", "--json")[1])[0]["state"] == "new keys ordered"
    desk.terminal("rotate", "--new-keys", "--out", desk.folder / "r.json")
    desk.provision("enrol", desk.folder / "r.json", "--out", desk.folder / "b.json")
    assert "chain epoch 2" in desk.terminal("enrol", "--bundle", desk.folder / "b.json")[1]
    listed = json.loads(desk.provision("list", "--json")[1])[0]
    assert (listed["id"], listed["epoch"], listed["state"]) == ("shop-17", 2, "enrolled")
    assert "revoked: give registry.yaml" in twice(desk.provision, "revoke", "shop-17")
    assert "LK-000001  shop-17" in desk.provision("list")[1]
    code, told, _ = desk.provision("crl")
    assert code == 0 and "3 revoked certificates: nothing changed" in told


def test_the_whole_way_over_the_network(desk):
    desk.provision("terminal", "add", "shop-17", "--outlet", "jakarta-04")
    command = [sys.executable, "-m", "provisioning", "serve", "--listen", "127.0.0.1:0"]
    command += ["--authority", str(desk.folder / "authority"), "--passphrase-file", str(desk.folder / "passphrase")]
    serving = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        where = serving.stdout.readline().split()[2].rstrip(",")
        desk.provision("token", "shop-17", "--server", where, "--out", desk.folder / "token")
        code, told, blamed = desk.terminal("enrol", "--token-file", desk.folder / "token", "--erase-token")
        assert code == 0 and "chain epoch 1" in told and not (desk.folder / "token").exists(), blamed
        assert "chain epoch 1" in desk.terminal("rotate", "--now")[1]
        desk.provision("rotate", "shop-17")
        assert "chain epoch 2" in desk.terminal("rotate", "--now")[1]
    finally:
        serving.terminate()
        _, log = serving.communicate(timeout=20)
    assert serving.returncode == 0 and "answered terminal=shop-17 epoch=2" in log and "Traceback" not in log


def test_centrals_folder(desk):
    desk.enrol_by_file()
    arguments = ("central", "--broker", "broker.example.org", "--workers", 2, "--out", desk.folder / "central")
    twice(desk.provision, *arguments)
    settings = load_central(desk.folder / "central" / "central.yaml")
    assert settings.broker.host == "broker.example.org"
    keys = load_terminal_keys(desk.keys)
    assert set(keys.request_signers) == {load_signing_key(settings.keys.requests).kid}
    assert set(keys.receipt_signers) == {load_signing_key(settings.keys.receipts).kid}
    assert load_registry(settings.registry).owners[keys.result_key.kid].terminal == "shop-17"
    assert [identity.certificate.name for identity in settings.broker.workers] == ["central-2.pem"]
    secrets = {path.name: path.stat().st_mode & 0o777 for path in (desk.folder / "central").glob("*.key")}
    assert secrets == dict.fromkeys(
        ["central.key", "central-2.key", "central-desk.key", "requests.key", "receipts.key", "numbers.key"], 0o600
    )


def test_the_evidence_key_is_written_for_the_auditor_alone(desk):
    desk.enrol_by_file()
    place = desk.folder / "evidence.key"
    twice(desk.provision, "evidence-key", "--out", place)
    recipient = parse_sealing_key((desk.keys / "central-evidence.pem").read_bytes())
    assert parse_unsealing_key(read_private_file(place)).public_key().public_bytes_raw() == recipient.public_bytes_raw()


def test_the_brokers_keys(desk):
    arguments = ("broker-keys", desk.folder / "broker", "--host", "broker.example.org")
    twice(desk.provision, *arguments)
    check = ("crl", "--check", desk.folder / "broker" / "crl.pem", "--authority", desk.folder / "broker" / "ca.pem")
    code, told, blamed = desk._run(provision_main, [str(word) for word in check])
    assert code == 0 and "0 revoked, serves for 59 more days" in told, blamed
    key = (desk.folder / "broker" / "broker.key").read_bytes()
    assert "written" in desk.provision(*arguments, "--host", "192.0.2.7")[1]
    assert (desk.folder / "broker" / "broker.key").read_bytes() == key


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_the_label(desk, form):
    desk.enrol_by_file()
    place = desk.folder / f"label.{form}"
    twice(desk.provision, "label", "shop-17", "--out", place)
    if form == "pdf":
        assert place.read_bytes().startswith(b"%PDF-") and b"Date" not in place.read_bytes()
        return
    records = Records(desk.folder / "authority")
    expected = label_text(records.terminal("shop-17"), records.result_keys("shop-17")[0])
    records.close()
    # OpenCV's older detector finds nothing in 18 of 600 such labels, this one and ZXing read all of them.
    text, *_ = cv2.QRCodeDetectorAruco().detectAndDecode(cv2.imread(str(place)))
    assert text == expected and load_terminal_keys(desk.keys).result_key.kid in text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("terminal", "add", "Shop_17", "--outlet", "a"), "a terminal's id has 1 to 32 of a-z"),
        (("terminal", "add", "central-2", "--outlet", "a"), "central's own"),
        (("terminal", "add", "shop-1", "--outlet", "a b"), "an outlet has 1 to 64"),
        (("token", "shop-99"), "no such terminal: likeness-provision terminal add shop-99"),
        (("rotate", "shop-99"), "no such terminal"),
        (("revoke", "shop-99"), "no such terminal"),
        (("token", "shop-17", "--hours", "0"), "give 1 to 2160"),
        (("enrol", "missing.json", "--out", "b.json"), "missing.json: No such file or directory"),
        (("label", "shop-17", "--out", "label.txt"), "is not enrolled"),
    ],
)
def test_bad_input_is_one_line(desk, arguments, line):
    desk.provision("terminal", "add", "shop-17", "--outlet", "jakarta-04")
    code, _, blamed = desk.provision(*arguments)
    assert code == 2 and line in blamed


def test_a_wrong_passphrase(desk):
    desk._passphrase.write_text("some other passphrase")
    code, _, blamed = desk.provision("crl")
    assert code == 2 and "the passphrase is wrong" in blamed
    desk._passphrase.chmod(0o644)
    assert "chmod 600" in desk.provision("crl")[2]


def test_a_short_passphrase_makes_no_authority(desk):
    desk._passphrase.write_text("short")
    code, _, blamed = desk.provision("authority", "init", desk.folder / "new")
    assert code == 2 and "too short: take 12" in blamed and not (desk.folder / "new" / "authority.vault").exists()


def test_a_damaged_vault_and_damaged_records(desk):
    vault = desk.folder / "authority" / "authority.vault"
    whole = vault.read_bytes()
    for damaged in (b"", b"{}", b"[" * 5000, whole.replace(b'"cost": 2', b'"cost": 1099511627776'), whole[:-10]):
        vault.write_bytes(damaged)
        code, _, blamed = desk.provision("crl")
        assert code == 2 and "restore it from the backup" in blamed
    vault.write_bytes(whole)
    (desk.folder / "authority" / "records.sqlite").write_bytes(b"no database" * 200)
    code, _, blamed = desk.provision("crl")
    assert code == 2 and "file is not a database" in blamed


def test_a_token_used_twice(desk):
    desk.enrol_by_file()
    shutil.rmtree(desk.folder / "state")
    desk.terminal("enrol", "--token-file", desk.folder / "token", "--out", desk.folder / "r.json")
    code, _, blamed = desk.provision("enrol", desk.folder / "r.json", "--out", desk.folder / "b2.json")
    assert code == 2 and "the token was used already, by another request: make a new one" in blamed
    assert not (desk.folder / "b2.json").exists()


def test_a_tampered_bundle_leaves_the_keys_in_use(desk):
    desk.enrol_by_file()
    before = load_terminal_keys(desk.keys)
    desk.terminal("rotate", "--now", "--out", desk.folder / "r.json")
    desk.provision("enrol", desk.folder / "r.json", "--out", desk.folder / "b.json")
    bundle = json.loads((desk.folder / "b.json").read_text())
    bundle["identity"] = bundle["identity"][:-8] + "AAAAAAAA"
    (desk.folder / "tampered.json").write_text(json.dumps(bundle))
    code, _, blamed = desk.terminal("enrol", "--bundle", desk.folder / "tampered.json")
    assert code == 2 and "tampered.json: the bundle's identity was tampered with" in blamed
    assert load_terminal_keys(desk.keys).tls == before.tls
    assert desk.terminal("enrol", "--bundle", desk.folder / "b.json")[0] == 0


def test_an_expired_certificate_is_listed(desk):
    desk.enrol_by_file()
    with sqlite3.connect(desk.folder / "authority" / "records.sqlite") as database:
        database.execute("UPDATE certificates SET not_after = 1700000000")
    database.close()
    assert json.loads(desk.provision("list", "--json")[1])[0]["state"].startswith("certificate expired")


def test_a_folder_that_enrolment_did_not_make(desk):
    desk.keys.mkdir(parents=True)
    desk.provision("terminal", "add", "shop-17", "--outlet", "jakarta-04")
    desk.provision("token", "shop-17", "--out", desk.folder / "token")
    code, _, blamed = desk.terminal("enrol", "--token-file", desk.folder / "token", "--out", desk.folder / "r.json")
    assert code == 2 and "is a plain folder that enrolment did not make" in blamed


def test_two_renewals_at_once(desk):
    desk.enrol_by_file()
    with alone(desk.keys.with_name("keys.lock")) as held:
        assert held
        code, _, blamed = desk.terminal("rotate", "--now", "--out", desk.folder / "r.json")
    assert code == 2 and "another enrolment or renewal is under way" in blamed
    assert desk.terminal("rotate", "--now", "--out", desk.folder / "r.json")[0] == 0


def test_what_is_no_token_and_who_is_not_enrolled(desk):
    (desk.folder / "token").write_text("hello\n")
    assert "is not a likeness token" in desk.terminal("enrol", "--token-file", desk.folder / "token")[2]
    assert "is not enrolled: likeness-terminal enrol comes first" in desk.terminal("rotate")[2]
    (desk.folder / "b.json").write_text("{}")
    assert "waits for no bundle" in desk.terminal("enrol", "--bundle", desk.folder / "b.json")[2]


def test_a_full_disk_is_one_line_and_the_next_run_finishes(desk):
    """A limit on the size of files stands for the disk: the same calls fail with the same kind of error."""
    desk.provision("terminal", "add", "shop-17", "--outlet", "jakarta-04")
    desk.provision("token", "shop-17", "--out", desk.folder / "token")
    desk.terminal("enrol", "--token-file", desk.folder / "token", "--out", desk.folder / "r.json")
    desk.provision("enrol", desk.folder / "r.json", "--out", desk.folder / "b.json")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        code, _, blamed = desk.terminal("enrol", "--bundle", desk.folder / "b.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2 and "mend it, then run again" in blamed and not desk.keys.exists()
    assert "Installed" in desk.terminal("enrol", "--bundle", desk.folder / "b.json")[1]


def test_the_helps_have_examples(capsys):
    for name in (
        "authority",
        "terminal",
        "token",
        "enrol",
        "serve",
        "rotate",
        "revoke",
        "list",
        "label",
        "crl",
        "central",
        "card",
        "broker",
        "broker-keys",
    ):
        with pytest.raises(SystemExit):
            provision_main([name, "--help"])
        assert f"example: likeness-provision {name}" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        provision_main(["serve", "--listen", "nonsense"])
    blamed = capsys.readouterr().err
    assert left.value.code == 2 and blamed.count("\n") == 1 and "is not HOST:PORT" in blamed


def test_a_registry_changed_by_hand_is_written_again(quick):
    shop = open_shop(quick)
    shop.enrol()
    place = shop.folder / "registry.yaml"
    before = place.read_text()
    place.write_text("terminals: {}\n")
    shop.records.close()
    Records(shop.folder).close()
    assert place.read_text() == before
