"""Power is lost before every single change to the disk: what is in use stays whole, and the next run finishes."""

import shutil

import pytest

from central.registry import load_registry
from device.delivery.keys import load_terminal_keys
from device.enrolment.generations import Generations
from device.enrolment.steps import finish, prepare_enrolment, prepare_rotation
from device.wire.enrolment import Token
from provisioning.authority import create, open_authority
from provisioning.records import Records
from provisioning.revoking import refresh_crl, revoke
from tests.provisioning.power import every_cut
from tests.provisioning.shop import CHEAP, NOW, PASSPHRASE, Shop, days, open_shop


@pytest.fixture
def start(quick):
    """A shop with a token, from which every run begins again."""
    shop = open_shop(quick / "start")
    token = shop.token()
    shop.records.close()
    return quick / "start", token


def begin_again(origin, place) -> Shop:
    """A fresh copy of the shop, with its records open."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(origin, place, symlinks=True)
    return reopened(place)


def reopened(place) -> Shop:
    folder = place / "authority"
    return Shop(folder, open_authority(folder, PASSPHRASE), Records(folder), place / "terminal" / "keys")


def enrol(place, token: Token, now=NOW):
    """What one run on both sides does, each from what it finds on its disk."""
    shop = reopened(place)
    try:
        return finish(shop.generations(), shop.answer(prepare_enrolment(shop.generations(), token), now), now)
    finally:
        shop.records.close()


def rotate(place, now, *, new_keys):
    shop = reopened(place)
    try:
        request = prepare_rotation(shop.generations(), new_keys=new_keys)
        return finish(shop.generations(), shop.answer(request, now), now)
    finally:
        shop.records.close()


def assert_whole(place, epoch, keys_made=1):
    """Registry and keys agree, nothing is left over, and the terminal has one generation."""
    shop = reopened(place)
    shop.records.close()
    keys, known = load_terminal_keys(shop.keys), load_registry(shop.folder / "registry.yaml")
    entry = known.terminals["shop-17"]
    assert entry.epoch == epoch and len(entry.result_keys) == keys_made
    assert known.owners[keys.result_key.kid].terminal == "shop-17"
    assert known.unsealing_key("shop-17") == keys.unsealing_key.public_key()
    assert len([path for path in shop.keys.parent.iterdir() if not path.name.startswith(".")]) == 2


def test_the_first_enrolment(start, quick):
    origin, token = start
    place = quick / "run"

    def prepare():
        begin_again(origin, place).records.close()
        return lambda: enrol(place, token)

    cuts = 0
    for _ in every_cut(prepare):
        cuts += 1
        keys = place / "terminal" / "keys"
        if keys.exists():
            assert load_terminal_keys(keys).terminal == "shop-17"
        if Generations(keys).current is None or Generations(keys).pending is not None:
            assert enrol(place, token).epoch == 1
        assert_whole(place, 1)
    assert cuts > 20


@pytest.mark.parametrize("new_keys", [False, True])
def test_a_rotation(start, quick, new_keys):
    origin, token = start
    place, later = quick / "run", NOW + days(21)
    enrol(origin, token)
    if new_keys:
        shop = reopened(origin)
        shop.order_new_keys()
        shop.records.close()
    before = (origin / "terminal" / "keys" / "tls.pem").read_bytes()

    def prepare():
        begin_again(origin, place).records.close()
        return lambda: rotate(place, later, new_keys=new_keys)

    cuts = 0
    for _ in every_cut(prepare):
        cuts += 1
        keys = place / "terminal" / "keys"
        assert load_terminal_keys(keys).terminal == "shop-17"  # at every moment there are keys that work
        if (keys / "tls.pem").read_bytes() == before:
            rotate(place, later, new_keys=new_keys)
        Generations(keys)
        assert load_terminal_keys(keys).tls.not_after == later + days(30)
        assert_whole(place, 1 + new_keys, 1 + new_keys)
    assert cuts > 20


def test_making_the_authority(quick):
    folder = quick / "authority"

    def make():
        create(folder, PASSPHRASE, "likeness", NOW, cost=CHEAP)
        records = Records(folder)
        refresh_crl(folder, open_authority(folder, PASSPHRASE), records, NOW)
        records.close()

    def prepare():
        shutil.rmtree(folder, ignore_errors=True)
        return make

    for _ in every_cut(prepare):
        sealed = (folder / "authority.vault").read_bytes() if (folder / "authority.vault").exists() else None
        make()
        assert sealed in (None, (folder / "authority.vault").read_bytes())
        assert not create(folder, PASSPHRASE, "likeness", NOW, cost=CHEAP)
        names = {path.name for path in folder.iterdir()}
        assert names == {
            "authority.vault",
            "authority.jws",
            "clients-ca.pem",
            "broker-ca.pem",
            "endpoint.pem",
            "records.sqlite",
            "records.lock",
            "registry.yaml",
            "crl.pem",
        }


def test_revoking(start, quick):
    origin, token = start
    place = quick / "run"
    enrol(origin, token)
    shop = reopened(origin)
    refresh_crl(shop.folder, shop.authority, shop.records, NOW)
    shop.records.close()

    def run():
        shop = reopened(place)
        revoke(shop.records, "shop-17", NOW)
        refresh_crl(shop.folder, shop.authority, shop.records, NOW)
        shop.records.close()

    def prepare():
        begin_again(origin, place).records.close()
        return run

    for _ in every_cut(prepare):
        run()
        assert load_registry(place / "authority" / "registry.yaml").terminals["shop-17"].revoked
        shop = reopened(place)
        assert len(shop.records.revoked_certificates(NOW)) == 1
        assert refresh_crl(shop.folder, shop.authority, shop.records, NOW) is None
        shop.records.close()
