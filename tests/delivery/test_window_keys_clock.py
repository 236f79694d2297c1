"""What is under way and when it is sent again; key files; clocks: all with time told."""

import itertools

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from device.delivery.clocks import TerminalClock, boot_id
from device.delivery.keys import create_terminal_keys, load_terminal_keys
from device.delivery.link_settings import LinkSettings, retry_pause_s
from device.delivery.rows import Place, WaitingEnvelope
from device.delivery.window import Window
from device.settings import SettingsError
from device.wire.fields import ClockState


class Rows:
    """An outbox's rows without its disk."""

    def __init__(self, count: int) -> None:
        self.places = [Place(1, seq) for seq in range(1, count + 1)]

    def waiting(self, limit: int, after: Place) -> list[WaitingEnvelope]:
        left = [place for place in self.places if place > after]
        return [WaitingEnvelope(place, "", b"") for place in left[:limit]]

    def receipt(self, window: Window, places: list[Place], now: float) -> None:
        self.places = [place for place in self.places if place not in places]
        window.receipted(places, now)


def picked(window: Window, rows: Rows, now: float = 0.0) -> list[int]:
    return [row.place.seq for row in window.pick(rows.waiting, now)]


def test_no_more_than_the_window_is_under_way():
    window, rows = Window(3, 10, 100), Rows(5)
    assert picked(window, rows) == [1, 2, 3]
    assert picked(window, rows) == []
    rows.receipt(window, [Place(1, 1)], 0.0)
    assert picked(window, rows) == [4]


def test_silence_sends_again_ever_more_slowly():
    window, rows, now, waits = Window(3, 10, 50), Rows(1), 0.0, []
    for _ in range(5):
        assert picked(window, rows, now) == [1]
        waits.append(window.remaining_s(now))
        now += waits[-1]
        assert window.give_up()
    assert waits == [10, 20, 40, 50, 50]


@given(st.integers(1, 4), st.sets(st.integers(1, 9)))
def test_what_central_never_receipts_does_not_stop_the_rest(size, never):
    window, rows, now = Window(size, 10, 100), Rows(9), 0.0
    for _ in range(100):
        good = [Place(1, seq) for seq in picked(window, rows, now) if seq not in never]
        if good:
            rows.receipt(window, good, now)
        elif (wait := window.remaining_s(now)) is not None:
            now += wait
            window.give_up()
    assert {place.seq for place in rows.places} == never


def test_while_central_is_away_the_order_is_kept():
    window, rows = Window(2, 10, 100), Rows(5)
    for _ in range(3):
        assert picked(window, rows) == [1, 2]
        window.undelivered()
        window.give_up()


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_pauses_vary_and_are_bounded(failures, chance):
    settings = LinkSettings("h", first_retry_s=1.0, longest_retry_s=300.0)
    assert 0.5 <= retry_pause_s(settings, failures, chance) <= 450


def test_pauses_double():
    settings = LinkSettings("h", first_retry_s=1.0, longest_retry_s=300.0)
    assert [retry_pause_s(settings, failures, 0.5) for failures in range(1, 6)] == [1, 2, 4, 8, 16]


def test_keys_load_and_hide(keys):
    assert keys.terminal == samples.TERMINAL
    assert "PrivateKey" not in repr(keys)


@pytest.mark.parametrize("name", ["result.key", "unsealing.key", "tls.key"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_key_that_others_may_touch_is_refused(made, name, mode):
    folder = made.terminals["shop-2"]
    (folder / name).chmod(mode)
    try:
        with pytest.raises(SettingsError, match=rf"{name}: its mode is {mode:04o}.*chmod 600"):
            load_terminal_keys(folder)
    finally:
        (folder / name).chmod(0o600)


@pytest.mark.parametrize(
    "name", ["result.key", "unsealing.key", "tls.key", "tls.pem", "central-requests.pem", "central-receipts.pem"]
)
@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_missing_or_broken_file_is_one_line_that_names_it(tmp_path, made, name, content):
    for path in made.terminals["shop-2"].iterdir():
        if path.name != name:
            (tmp_path / path.name).write_bytes(path.read_bytes())
            (tmp_path / path.name).chmod(0o600)
        elif content is not None:
            (tmp_path / name).write_bytes(content)
            (tmp_path / name).chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        load_terminal_keys(tmp_path)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_swapped_keys_are_refused(tmp_path, made):
    for path in made.terminals["shop-2"].iterdir():
        name = {"result.key": "unsealing.key", "unsealing.key": "result.key"}.get(path.name, path.name)
        (tmp_path / name).write_bytes(path.read_bytes())
        (tmp_path / name).chmod(0o600)
    with pytest.raises(SettingsError, match="not an Ed25519 private key"):
        load_terminal_keys(tmp_path)


def test_keys_are_never_replaced(tmp_path):
    create_terminal_keys(tmp_path)
    before = (tmp_path / "result.key").read_bytes()
    with pytest.raises(FileExistsError):
        create_terminal_keys(tmp_path)
    assert (tmp_path / "result.key").read_bytes() == before
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def clock_states(walls: list[float], synced: list[bool]) -> list[ClockState]:
    uptimes, states = itertools.count(100.0), iter(synced)
    wall = iter(walls)
    clock = TerminalClock(lambda: next(wall), lambda: next(uptimes), lambda: next(states))
    return [clock.read().state for _ in walls[1:]]


def test_a_clock_that_was_never_set_may_jump():
    assert clock_states([0, 1, 5000], [False, False, False]) == [ClockState.NEVER_SYNCED] * 2


def test_the_first_synchronisation_is_no_step():
    assert clock_states([0, 5000, 5001], [False, True, True]) == [ClockState.SYNCED] * 2


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_later_jump_is_remembered(jump):
    walls = [5000, 5001, 5002 + jump, 5003 + jump, 5004]
    assert clock_states(walls, [True] * 5) == [ClockState.SYNCED, *[ClockState.STEPPED] * 3]


def test_the_boot_id_is_one():
    assert len(boot_id()) == 36 and boot_id() == boot_id()


def clock_at(offset_s: float, *, synced: bool = True) -> TerminalClock:
    return TerminalClock(lambda: 100.0 + offset_s, lambda: 100.0, lambda: synced)


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_jump_while_the_daemon_was_away_shows(jump):
    record = clock_at(5000).record("boot")
    again = clock_at(5000 + jump)
    again.resume(record, "boot")
    assert again.read().state is ClockState.STEPPED
    third = clock_at(5000 + jump)
    third.resume(again.record("boot"), "boot")
    assert third.read().state is ClockState.STEPPED


@pytest.mark.parametrize(
    ("offset_s", "synced", "boot"), [(5001, True, "boot"), (9000, False, "boot"), (9000, True, "another")]
)
def test_neither_a_first_synchronisation_nor_another_boot_is_a_jump(offset_s, synced, boot):
    record = clock_at(5000, synced=synced).record(boot)
    again = clock_at(offset_s)
    again.resume(record, "boot")
    assert again.read().state is ClockState.SYNCED
