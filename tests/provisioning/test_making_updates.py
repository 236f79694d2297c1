"""Bundles from the authority to the terminal: made, published, fetched over TLS or carried by file; and each fault."""

import json
import shutil
import zipfile

import pytest

from device.__main__ import main as terminal_main
from device.daemon import firmware_digest
from device.delivery.keys import UPDATE_SIGNERS
from device.durable import PUBLIC, replace_file
from device.updates.store import Store
from device.wire.enrolment import AuthorityClaims, Server
from device.wire.envelope import Kind, open_envelope, sign
from device.wire.update import BundleKind
from provisioning import serving
from provisioning.__main__ import main as provision_main
from provisioning.authority import VAULT, create, open_authority
from provisioning.records import Records
from provisioning.serving import Endpoint
from provisioning.updates import Audience, Content, gather, make_update, published_at
from provisioning.vault import ProvisioningError, open_vault, write_vault
from tests.provisioning.power import every_cut
from tests.provisioning.shop import CHEAP, NOW, PASSPHRASE, days, open_shop
from tests.provisioning.test_endpoint import connection

MODELS, FIRMWARE = BundleKind.MODELS, BundleKind.FIRMWARE
CONFIGURATION = (
    "camera: {kind: usb-camera}\nbroker: {host: broker.example.org}\nkeys: terminal/keys\noutbox: terminal/o.sqlite\n"
)
FIRST, SECOND = Content({"manifest.yaml": b"first"}), Content({"manifest.yaml": b"second"})


def made(shop, content=FIRST, now=NOW, kind=MODELS, **audience):
    return make_update(shop.authority, shop.records, kind, content, Audience(**audience), now)


def test_the_same_content_keeps_its_number_and_its_bytes(shop):
    first = made(shop)
    again = made(shop, now=NOW + days(1))
    assert (first.claims.number, first.repeated, again.repeated) == (1, False, True) and again.raw == first.raw
    assert made(shop, SECOND).claims.number == 2
    assert made(shop, FIRST).claims.number == 3
    assert made(shop, SECOND, kind=FIRMWARE).claims.number == 1
    audience = Audience()
    anew = make_update(shop.authority, shop.records, MODELS, FIRST, audience, NOW, renumber=True)
    assert anew.claims.number == 4 and anew.claims.content_sha256 == FIRST.sha256


def test_a_share_grows_under_one_number_and_shrinks_under_none(shop):
    canary = made(shop, permille=50)
    whole = made(shop)
    assert (canary.claims.number, whole.claims.number) == (1, 1) and not whole.repeated
    with pytest.raises(ProvisioningError, match="update 1 is out for 100 % already: a share can only grow"):
        made(shop, permille=50)


def test_a_bundle_that_is_nearly_over_is_signed_anew_under_its_number(shop):
    first, later = made(shop), made(shop, now=NOW + days(60))
    assert later.claims.number == first.claims.number and later.claims.exp > first.claims.exp


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (Content({"../a": b""}), "path: "),
        (Content({"a": b""}, "one"), "version"),
        (Content({f"m{number}": b"" for number in range(1001)}), "members"),
        (Content({f"{'m' * 150}{number}": b"" for number in range(900)}), "900 files are too many"),
    ],
)
def test_what_no_terminal_would_take_is_not_made(shop, content, line):
    with pytest.raises(ProvisioningError, match=line):
        made(shop, content)
    assert shop.records.newest_update("models") is None


def wheel(path, name="likeness", version="0.2.0"):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("device/__main__.py", "print('hello')\n")
        file.writestr(
            f"{name}-{version}.dist-info/METADATA", f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
        )
    return path


def test_a_wheel_becomes_firmware_and_nothing_else_does(tmp_path):
    content = gather(FIRMWARE, wheel(tmp_path / "good.whl"))
    assert content.version == "0.2.0" and "device/__main__.py" in content.files
    with pytest.raises(ProvisioningError, match="is not a wheel of likeness"):
        gather(FIRMWARE, wheel(tmp_path / "other.whl", name="other"))
    (tmp_path / "no.whl").write_bytes(b"no wheel")
    with pytest.raises(ProvisioningError, match="is no wheel: make one"):
        gather(FIRMWARE, tmp_path / "no.whl")
    with pytest.raises(ProvisioningError, match="there is no manifest"):
        gather(MODELS, tmp_path)


def test_the_digest_of_a_wheel_is_that_in_results():
    from pathlib import Path  # noqa: PLC0415

    import device  # noqa: PLC0415

    root = Path(device.__file__).parents[1]
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in (root / "device").rglob("*.py")}
    assert Content(files | {"central/__init__.py": b"", "device/more.txt": b""}).firmware_sha256 == firmware_digest()


class Counter:
    """A terminal that is enrolled, with its configuration, and what its commands say."""

    def __init__(self, shop, capsys):
        self.shop, self._capsys = shop, capsys
        self.config = shop.folder.parent / "terminal.yaml"
        self.config.write_text(CONFIGURATION)
        self.store = Store(shop.folder.parent / "terminal" / "updates")

    def update(self, *arguments):
        code = terminal_main(["update", "--config", str(self.config), *map(str, arguments)])
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    def publish(self, made):
        place = published_at(self.shop.folder, made.claims.kind.value)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(made.raw)
        return place


@pytest.fixture
def counter(shop, capsys):
    shop.enrol()
    return Counter(shop, capsys)


@pytest.fixture
def served(shop):
    with Endpoint(shop.folder, shop.authority, shop.records, ("127.0.0.1", 0), now=lambda: NOW) as endpoint:
        trust = shop.keys / "trust.json"
        document = json.loads(trust.read_bytes())
        host, port = endpoint.address
        server = Server(host=host, port=port, pin=shop.authority.pin)
        trust.write_text(json.dumps(document | {"server": server.model_dump()}))
        yield endpoint


def test_by_file_twice(counter, shop, tmp_path):
    place = tmp_path / "models.update"
    place.write_bytes(made(shop).raw)
    code, told, _ = counter.update(place)
    assert code == 0 and told.startswith("models update 1 (version 1): installed, on trial")
    code, told, _ = counter.update(place)
    assert code == 0 and "installed already: nothing changed" in told
    code, told, _ = counter.update("--status")
    assert code == 0 and "models: update 1 (version 1): on trial" in told


def test_over_the_network_twice_and_what_is_not_published_is_not_there(counter, shop, served):
    counter.publish(made(shop))
    code, told, _ = counter.update("--fetch")
    assert code == 0 and "models update 1 (version 1): installed" in told and "firmware: the authority has none" in told
    code, told, _ = counter.update("--fetch")
    assert code == 0 and "installed already: nothing changed" in told


def test_a_fetch_that_comes_too_early_or_too_late_is_no_fault(counter, shop, served):
    counter.publish(made(shop))
    configuration = made(shop, Content({"terminal.yaml": CONFIGURATION.encode()}), kind=BundleKind.CONFIGURATION)
    counter.publish(configuration)
    code, told, _ = counter.update("--fetch")
    assert code == 0 and "configuration: the authority's bundle has to wait: models update 1 is on trial" in told
    with counter.store.alone():
        counter.store.change(lambda state: state.given_back(MODELS, "models"))
    code, told, _ = counter.update("--fetch")
    assert code == 0 and "tried here and given back (models)" in told
    assert counter.store.read().trial.kind is BundleKind.CONFIGURATION


def test_another_user_is_sent_to_the_services_own(counter, shop, tmp_path, monkeypatch):
    place = tmp_path / "models.update"
    place.write_bytes(made(shop).raw)
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    code, _, line = counter.update(place)
    assert code == 2 and "belongs to another user: as root, use likeness-service update" in line
    assert counter.store.read().marks() == () and not counter.store.folder.exists()


def test_without_a_server_there_is_nothing_to_ask(counter):
    code, told, _ = counter.update("--fetch")
    assert code == 0 and told.startswith("the token named no server")


def test_power_lost_while_a_bundle_is_made_and_published(shop, quick):
    """Whatever was signed is signed once; the next run publishes it."""
    place = published_at(shop.folder, "models")

    def prepare():
        shutil.rmtree(quick / "copy", ignore_errors=True)
        shutil.copytree(shop.folder, quick / "copy")
        return make

    def make():
        records = Records(quick / "copy")
        bundle = make_update(shop.authority, records, MODELS, FIRST, Audience(), NOW)
        target = published_at(quick / "copy", "models")
        target.parent.mkdir(exist_ok=True)
        replace_file(target, bundle.raw, PUBLIC)
        records.close()
        return bundle.claims.number

    for _ in every_cut(prepare):
        published = published_at(quick / "copy", "models")
        assert make() == 1 and published.read_bytes().endswith(b"first")
    assert not place.exists()


def test_a_bundle_that_breaks_off_leaves_nothing_and_the_next_run_finishes(counter, shop, served):
    content = Content({"manifest.yaml": b"x" * 3_000_000})
    whole = made(shop, content)
    place = counter.publish(whole)
    place.write_bytes(whole.raw[:-1_000_000])
    code, _, line = counter.update("--fetch")
    assert code == 2 and "is cut short in manifest.yaml" in line
    assert not [path for path in counter.store.folder.iterdir() if path.is_dir()]
    place.write_bytes(whole.raw)
    assert counter.update("--fetch")[0] == 0


def test_a_busy_or_silent_authority_is_one_line(counter, shop, capsys, monkeypatch):
    monkeypatch.setattr(serving, "MAX_DOWNLOADS", 0)
    with Endpoint(shop.folder, shop.authority, shop.records, ("127.0.0.1", 0), now=lambda: NOW) as endpoint:
        host, port = endpoint.address
        server = Server(host=host, port=port, pin=shop.authority.pin)
        document = json.loads((shop.keys / "trust.json").read_bytes()) | {"server": server.model_dump()}
        (shop.keys / "trust.json").write_text(json.dumps(document))
        counter.publish(made(shop))
        code, _, line = counter.update("--fetch")
        assert code == 2 and "the authority is busy: run again later" in line
    code, _, line = counter.update("--fetch")
    assert code == 2 and "does not answer" in line and line.count("\n") == 1


@pytest.mark.parametrize("path", ["/v1/updates/", "/v1/updates/../registry", "/models", "/registry.yaml", "/"])
def test_no_path_leads_out_of_what_is_published(counter, shop, served, path):
    counter.publish(made(shop))
    line = connection(served)
    line.request("GET", path)
    answer = line.getresponse()
    assert answer.status == 404 and json.loads(answer.read())["fault"] == "no-such-thing"
    line.close()


@pytest.mark.parametrize("fault", ["foreign", "tampered", "missing", "folder"])
def test_a_bad_file_is_one_line_that_names_it(counter, shop, quick, fault):
    place = quick / "bad.update"
    if fault == "foreign":
        stranger = open_shop(quick / "stranger")
        place.write_bytes(made(stranger).raw)
        stranger.records.close()
    elif fault == "tampered":
        place.write_bytes(made(shop).raw[:-1] + b"!")
    elif fault == "folder":
        place.mkdir()
    code, _, line = counter.update(place)
    assert code == 2 and line.count("\n") == 1 and "bad.update: " in line
    assert counter.store.read().marks() == ()


def test_an_authority_of_before_there_were_updates_gets_the_key_and_its_terminals_at_their_next_renewal(quick, capsys):
    shop = open_shop(quick)
    _forget_updates(shop.folder)
    with pytest.raises(ProvisioningError, match=r"authority init .* adds what is new"):
        open_authority(shop.folder, PASSPHRASE)
    shop.authority = _older_authority(shop)
    shop.enrol()
    terminal = Counter(shop, capsys)
    code, _, line = terminal.update(quick / "x.update")
    assert code == 2 and "No such file" in line
    (quick / "x.update").write_bytes(b"")
    code, _, line = terminal.update(quick / "x.update")
    assert code == 2 and "this terminal knows no key for updates: likeness-terminal rotate --now" in line
    assert create(shop.folder, PASSPHRASE, "likeness", NOW, cost=CHEAP)
    assert not create(shop.folder, PASSPHRASE, "likeness", NOW, cost=CHEAP)
    shop.authority = open_authority(shop.folder, PASSPHRASE)
    shop.rotate(NOW + days(21))
    assert (shop.keys / UPDATE_SIGNERS).is_file()
    (quick / "x.update").write_bytes(made(shop).raw)
    assert terminal.update(quick / "x.update")[0] == 0
    shop.records.close()


def _forget_updates(folder):
    secrets = open_vault(folder / VAULT, PASSPHRASE)
    authority = open_authority(folder, PASSPHRASE)
    root = {authority.root.kid: authority.root.private.public_key()}
    claims = AuthorityClaims.read(open_envelope(secrets["statement"], Kind.AUTHORITY, root).payload)
    older = sign(Kind.AUTHORITY, claims.model_copy(update={"updates": None}).write(), authority.root).raw
    del secrets["updates"]
    write_vault(folder / VAULT, secrets | {"statement": older}, PASSPHRASE, cost=CHEAP)


def _older_authority(shop):
    """What the version of before opened: the statement without the key."""
    from dataclasses import replace  # noqa: PLC0415

    return replace(shop.authority, statement=open_vault(shop.folder / VAULT, PASSPHRASE)["statement"])


def test_the_command_as_a_technician_types_it(shop, quick, capsys):
    secret = quick / "passphrase"
    secret.touch(0o600)
    secret.write_text(PASSPHRASE)
    models = quick / "models"
    models.mkdir()
    (models / "manifest.yaml").write_text("x: 1\n")
    (models / "notes.txt").write_text("not part of it")

    def make(*arguments):
        command = ["update", "make", str(models), "--kind", "models", "--authority", str(shop.folder), *arguments]
        code = provision_main([*command, "--passphrase-file", str(secret)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    assert "nowhere to put it" in make()[2]
    assert "give 0.1 to 100" in make("--publish", "--canary", "0")[2]
    assert "no such terminal" in make("--publish", "--only", "nowhere")[2]
    out = str(quick / "models.update")
    told = make("--out", out, "--canary", "5", "--only", "shop-17", "shop-18")[1]
    size = f"{len((quick / 'models.update').read_bytes()) / 1e6:.1f} MB"
    assert told == f"models update 1, version 1, 1 files, {size}, for 5 % of shop-17, shop-18: made\n"
    assert "nothing changed" in make("--out", out, "--canary", "5", "--only", "shop-17", "shop-18")[1]
    code, told, _ = make("--publish")
    assert code == 0 and "for all terminals: made" in told and (shop.folder / "updates" / "models.update").is_file()
