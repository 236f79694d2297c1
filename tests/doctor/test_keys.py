"""Keys as a real enrolment leaves them: the doctor sees that they are those which the authority was shown."""

import pytest

from device.delivery.keys import create_terminal_keys, load_terminal_keys
from device.doctor.findings import Level
from device.doctor.inspecting import inspect_keys
from device.doctor.trust import judge_keys
from device.settings import SettingsError
from tests.provisioning.shop import NOW, days, open_shop


@pytest.fixture
def shop(tmp_path):
    opened = open_shop(tmp_path)
    yield opened
    opened.records.close()


def inspected(shop):
    return inspect_keys(shop.keys, load_terminal_keys(shop.keys))


def test_enrolled_and_renewed_keys_are_well(shop):
    shop.enrol()
    told = inspected(shop)
    assert (told.terminal, told.epoch, told.loose, told.encrypted) == ("shop-17", 1, (), False)
    assert [finding.level for finding in judge_keys(told, NOW)] == [Level.WELL, Level.NOTE]
    late = judge_keys(told, NOW + days(21))[0]
    assert late.level is Level.MEND
    shop.order_new_keys()
    shop.rotate(NOW + days(21), new_keys=True)
    renewed = inspected(shop)
    assert renewed.epoch == 2
    assert judge_keys(renewed, NOW + days(21))[0].level is Level.WELL


def test_keys_that_were_put_in_the_place_of_the_enrolled_ones_are_noticed(shop, tmp_path):
    shop.enrol()
    create_terminal_keys(tmp_path / "others")
    for name in ("result.key", "unsealing.key"):
        true = (shop.keys / name).read_bytes()
        (shop.keys / name).write_bytes((tmp_path / "others" / name).read_bytes())
        with pytest.raises(SettingsError, match="the keys are not those that were enrolled"):
            inspected(shop)
        (shop.keys / name).write_bytes(true)
    (shop.keys / "bundle.json").write_bytes(b"{}")
    with pytest.raises(SettingsError, match="keys: "):
        inspected(shop)


def test_a_folder_that_others_may_enter_is_told(shop):
    shop.enrol()
    shop.keys.resolve().chmod(0o755)
    assert inspected(shop).loose == (f"{shop.keys}/",)
