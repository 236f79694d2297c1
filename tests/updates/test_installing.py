"""Installing: what a terminal takes and what it leaves, full cards, and power that goes at every change to the disk."""

import shutil
from dataclasses import replace

import pytest
import samples
from bundles import FILES, KEY, NOW, bundle_bytes, claims, made, opened

from device.updates import installing
from device.updates.bundle import UpdateError
from device.updates.installing import ROOM_BYTES, install
from device.updates.start import begin
from device.updates.state import DAMAGED, STARTS, State
from device.updates.store import STATE, Store
from device.wire.fields import ClockState
from device.wire.update import BundleKind
from tests.provisioning.power import every_cut

MODELS = BundleKind.MODELS
TERMINAL = "shop-17"


@pytest.fixture
def store(quick):
    return Store(quick / "updates")


def installed(store, number, files=FILES, **changes):
    return install(store, made(files, number=number, **changes), TERMINAL, NOW)


def in_use(store, number, files=FILES, **changes):
    """Installed, started and confirmed."""
    assert installed(store, number, files, **changes).changed
    begin(store, lambda: None)
    with store.alone():
        store.change(State.confirmed)


def numbers(store):
    return {path.name for path in store.folder.iterdir() if path.is_dir()}


def test_an_update_is_on_trial_and_then_in_use(store):
    done = installed(store, 7)
    assert done.changed and "installed, on trial from the next start" in done.sentence
    state = store.read()
    assert state.trial.kind is MODELS and state.models.current.number == 7 and state.models.previous is None
    assert {path: (store.in_force(MODELS) / path).read_bytes() for path in FILES} == FILES
    assert [(mark.number, mark.state) for mark in state.marks()] == [(7, "on-trial")]
    again = installed(store, 7)
    assert not again.changed and "installed already: nothing changed" in again.sentence
    with store.alone():
        store.change(State.confirmed)
    assert [(mark.number, mark.state) for mark in store.read().marks()] == [(7, "in-use")]


def test_the_release_before_stays_for_a_way_back_and_the_one_before_it_goes(store):
    for number in (7, 8, 9):
        in_use(store, number)
    installed(store, 10)
    assert numbers(store) == {"models-9", "models-10"}


@pytest.mark.parametrize(
    ("changes", "clock", "line"),
    [
        ({"number": 6}, NOW, "is number 6, and this terminal had 7: bring a newer one"),
        ({"number": 7, "files": {"a": b"other"}}, NOW, "has the number 7 of another update"),
        ({"number": 8, "exp": samples.NOW}, NOW, "has expired"),
        ({"number": 8, "iat": samples.NOW + 90_000}, NOW, "signed in the future"),
    ],
)
def test_what_may_not_be_installed_changes_nothing(store, changes, clock, line):
    in_use(store, 7)
    before = store.read()
    with pytest.raises(UpdateError, match=line):
        install(store, made(**changes), TERMINAL, clock)
    assert store.read() == before and numbers(store) == {"models-7"}


@pytest.mark.parametrize("state", [ClockState.NEVER_SYNCED, ClockState.STEPPED])
def test_a_clock_that_is_not_believed_judges_no_date(store, state):
    clock = replace(NOW, unix_s=0.0, state=state)
    assert install(store, made(exp=1, iat=samples.NOW), TERMINAL, clock).changed


def test_an_update_for_others_or_for_a_share_without_us_is_left(store):
    done = install(store, made(terminals=("shop-18",)), TERMINAL, NOW)
    assert not done.changed and "is not for this terminal" in done.sentence
    done = install(store, made(permille=1), TERMINAL, NOW)
    assert not done.changed and "only 0.1 % of the terminals" in done.sentence
    assert not numbers(store)


def test_a_second_update_waits_for_the_first_ones_trial(store):
    installed(store, 7)
    configuration = {"kind": BundleKind.CONFIGURATION, "files": {"terminal.yaml": b"{}"}}
    with pytest.raises(UpdateError, match="has to wait: models update 7 is on trial"):
        install(store, made(number=1, **configuration), TERMINAL, NOW)


def test_what_was_given_back_is_not_tried_again_unless_the_card_was_at_fault(store):
    installed(store, 7)
    begin(store, lambda: "camera")
    with pytest.raises(UpdateError, match=r"tried here and given back \(camera\)"):
        installed(store, 7)
    in_use(store, 8)
    (store.in_force(MODELS) / "manifest.yaml").write_bytes(b"rotten")
    state = begin(store, lambda: None)
    assert state.models.current is None and state.failures[-1].reason == DAMAGED
    assert installed(store, 8).changed


@pytest.mark.parametrize("version", ["0.0.9", "0.1.0", "0.1"])
def test_firmware_has_to_be_newer_than_the_package(store, version):
    firmware = {"kind": BundleKind.FIRMWARE, "files": {"device/__init__.py": b""}}
    with pytest.raises(UpdateError, match=rf"is version {version}, and 0.1.0 is installed"):
        install(store, made(version=version, **firmware), TERMINAL, NOW)
    assert install(store, made(version="0.1.1", **firmware), TERMINAL, NOW).changed
    assert list(store.in_force(BundleKind.FIRMWARE).rglob("*.pyc"))


def test_a_configuration_with_a_fault_is_told_by_line_and_leaves_nothing(store):
    faulty = {"kind": BundleKind.CONFIGURATION, "files": {"terminal.yaml": b"camera: {kind: pi-camera}\nbroke: {}\n"}}
    with pytest.raises(UpdateError, match=r"fault: terminal.yaml:\d+: "):
        install(store, made(**faulty), TERMINAL, NOW)
    assert not numbers(store) and store.read() == State()


def test_a_full_card_is_told_before_anything_is_written(store, monkeypatch):
    monkeypatch.setattr(installing, "free_bytes", lambda _: ROOM_BYTES - 3 * 2**20)
    with pytest.raises(UpdateError, match="does not fit: free 4 MiB on the card, then run again"):
        installed(store, 7)
    assert not numbers(store)
    monkeypatch.undo()
    assert installed(store, 7).changed


def test_a_bundle_that_turns_out_tampered_leaves_nothing(store):
    with pytest.raises(UpdateError, match="tampered"):
        install(store, opened(bundle_bytes()[:-1] + b"!"), TERMINAL, NOW)
    assert not numbers(store) and store.read() == State()


def test_a_damaged_state_leaves_the_packages_own_and_no_number_comes_twice(store):
    in_use(store, 7)
    (store.folder / STATE).write_bytes(b"\x00" * 100)
    assert store.in_force(MODELS) is None and store.read().models.floor == 7
    with pytest.raises(UpdateError, match="is number 7, and this terminal had 7"):
        installed(store, 7)
    assert installed(store, 8).changed


def as_firmware(number):
    files = {"device/__init__.py": b"", "device/launch.py": b"def main(): pass\n" * number}
    return {"files": files, "kind": BundleKind.FIRMWARE, "version": f"9.{number}"}


@pytest.mark.parametrize("kind", [BundleKind.MODELS, BundleKind.FIRMWARE])
@pytest.mark.parametrize("before", [None, 6])
def test_power_lost_at_every_change_of_an_installation(quick, before, kind):
    origin, place = Store(quick / "origin"), Store(quick / "updates")
    changes = as_firmware if kind is BundleKind.FIRMWARE else lambda number: {"files": FILES | {"more": bytes(number)}}
    if before is not None:
        in_use(origin, before, **changes(before))
    else:
        origin.folder.mkdir()

    def prepare():
        shutil.rmtree(place.folder, ignore_errors=True)
        shutil.copytree(origin.folder, place.folder)
        return lambda: installed(place, 7, **changes(7))

    cuts = 0
    for _ in every_cut(prepare):
        cuts += 1
        current = place.read().slot(kind).current
        held = current.number if current else None
        assert held in (before, 7)
        assert current is None or place.is_sound(kind, current)  # whatever is in force is whole
        assert installed(place, 7, **changes(7)).changed == (held != 7)
        current = place.read().slot(kind).current
        assert current.number == 7 and place.is_sound(kind, current)
        assert numbers(place) == {f"{kind}-{number}" for number in (before, 7) if number is not None}
    assert cuts > 8


def test_power_lost_at_every_change_of_a_start_counts_and_never_loses_the_way_back(quick):
    origin, place = Store(quick / "origin"), Store(quick / "updates")
    in_use(origin, 6, {"manifest.yaml": b"older"})
    installed(origin, 7)

    def run_to_the_end():
        for _ in range(STARTS + 1):
            begin(place, lambda: None)

    def prepare():
        shutil.rmtree(place.folder, ignore_errors=True)
        shutil.copytree(origin.folder, place.folder)
        return run_to_the_end

    for _ in every_cut(prepare):
        state = place.read()
        assert place.is_sound(MODELS, state.models.current)
        run_to_the_end()
        state = place.read()
        assert state.models.current.number == 6 and state.trial is None and state.models.floor == 7
        assert [(failure.number, failure.reason) for failure in state.failures] == [(7, "did-not-hold")]


def test_the_signed_share_may_grow_and_whoever_has_it_keeps_it(store):
    share = next(
        permille for permille in range(1, 1001) if install(store, made(permille=permille), TERMINAL, NOW).changed
    )
    assert share > 1
    assert "installed already" in install(store, made(permille=1000), TERMINAL, NOW).sentence
    assert claims(permille=share).content_sha256 == claims().content_sha256 and KEY.kid
