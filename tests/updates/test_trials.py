"""Starts, trials and the way back, as a state machine; and the daemon's probation on recorded time."""

import pytest
from bundles import NOW, made
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from device.delivery.link_status import LinkState
from device.delivery.telemetry import Vitals
from device.updates.installing import install
from device.updates.probation import HOLD_S, LIMIT_S, Probation
from device.updates.start import begin
from device.updates.state import DAMAGED, FAILURES_KEPT, STARTS, Release, State
from device.updates.store import Store
from device.wire.update import BundleKind

KINDS = st.sampled_from(list(BundleKind))


def release(number: int) -> Release:
    return Release(number=number, version=str(number), content="c" * 64, seal="d" * 64)


class Trials(RuleBasedStateMachine):
    """Whatever happens: a number is begun once, one update is on trial, and what was good is what one falls back to."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.good = State(), dict.fromkeys(BundleKind)
        self.begun = dict.fromkeys(BundleKind, 0)
        self.starts = 0

    @precondition(lambda self: self.state.trial is None)
    @rule(kind=KINDS, step=st.integers(1, 3))
    def install(self, kind, step):
        self.begun[kind] += step
        self.state, self.starts = self.state.installed(kind, release(self.begun[kind])), 0

    @rule()
    def start(self):
        before = self.state.trial
        self.state = self.state.started()
        self.starts += before is not None
        if before is not None:
            assert (self.state.trial is None) == (self.starts > STARTS)

    @precondition(lambda self: self.state.trial is not None)
    @rule()
    def confirm(self):
        kind = self.state.trial.kind
        self.state = self.state.confirmed()
        self.good[kind] = self.state.slot(kind).current.number

    @precondition(lambda self: self.state.trial is not None)
    @rule()
    def give_back(self):
        self.state = self.state.given_back(self.state.trial.kind, "camera")

    @invariant()
    def what_is_in_force_is_on_trial_or_was_good(self):
        for kind in BundleKind:
            slot = self.state.slot(kind)
            on_trial = self.state.trial is not None and self.state.trial.kind is kind
            held = slot.previous if on_trial else slot.current
            assert (held.number if held else None) == self.good[kind]
            assert slot.floor == self.begun[kind]
        assert len(self.state.failures) <= FAILURES_KEPT
        assert State.read(self.state.write()) == self.state


TestTrials = Trials.TestCase
TestTrials.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@pytest.fixture
def store(quick):
    opened = Store(quick / "updates")
    install(opened, made(number=6), "shop-17", NOW)
    begin(opened, lambda: None)
    with opened.alone():
        opened.change(State.confirmed)
    return opened


def update(store, number=7, **changes):
    assert install(store, made(number=number, **changes), "shop-17", NOW).changed


def test_a_failed_self_test_gives_back_before_the_daemon_runs(store):
    update(store)
    state = begin(store, lambda: "models")
    assert state.models.current.number == 6 and state.trial is None
    assert [(mark.number, mark.state, mark.reason) for mark in state.marks()] == [
        (6, "in-use", None),
        (7, "failed", "models"),
    ]


def test_the_self_test_belongs_to_a_trial(store):
    begin(store, lambda: pytest.fail("nothing is on trial"))
    update(store)
    asked = []
    for _ in range(STARTS):
        begin(store, lambda: asked.append(1))
    assert len(asked) == STARTS and begin(store, lambda: None).models.current.number == 6


def test_what_the_card_lost_is_given_back_in_turn(store):
    update(store)
    (store.place(BundleKind.MODELS, 7) / "manifest.yaml").unlink()
    (store.place(BundleKind.MODELS, 6) / "weights" / "more").write_bytes(b"nobody signed this")
    state = begin(store, lambda: None)
    assert state.models.current is None and [one.reason for one in state.failures] == [DAMAGED, DAMAGED]


def test_a_link_in_a_release_is_damage(store):
    place = store.place(BundleKind.MODELS, 6) / "manifest.yaml"
    content = place.read_bytes()
    place.rename(store.folder / "elsewhere")
    place.symlink_to(store.folder / "elsewhere")
    assert place.read_bytes() == content
    assert begin(store, lambda: None).models.current is None


class Run:
    """One run of the daemon: a look each second, between sessions."""

    def __init__(self, store):
        self.vitals = Vitals()
        self.probation, self.at = Probation(store, self.vitals), 1000.0

    def lasts(self, seconds, link=LinkState.CONNECTED):
        """Whether it had to begin anew within that time."""
        until = self.at + seconds
        while self.at < until:
            if self.probation.must_restart(self.at, link):
                return True
            self.at += 1.0
        return False


def test_an_update_holds_when_the_loop_turns_and_the_broker_was_reached(store):
    update(store)
    begin(store, lambda: None)
    run = Run(store)
    assert [mark.state for mark in run.vitals.updates] == ["on-trial"]
    assert not run.lasts(HOLD_S - 1) and store.read().trial is not None
    assert not run.lasts(HOLD_S) and store.read().trial is None
    assert [mark.state for mark in run.vitals.updates] == ["in-use"] and not run.lasts(LIMIT_S)


def test_an_update_after_which_the_broker_is_out_of_reach_is_given_back(store):
    update(store)
    begin(store, lambda: None)
    run = Run(store)
    assert not run.lasts(LIMIT_S - 1, LinkState.NO_BROKER)
    assert run.lasts(5, LinkState.NO_BROKER)
    state = store.read()
    assert state.models.current.number == 6 and state.failures[-1].reason == "broker-not-reached"
    assert not Run(store).lasts(LIMIT_S + 10, LinkState.NO_BROKER)


def test_central_may_be_silent_while_the_broker_answers(store):
    update(store)
    begin(store, lambda: None)
    assert not Run(store).lasts(HOLD_S + 2, LinkState.CENTRAL_SILENT) and store.read().trial is None


def test_the_daemon_begins_anew_once_another_release_is_installed(store):
    run = Run(store)
    assert not run.lasts(5)
    update(store)
    assert run.lasts(2) and store.read().trial.starts_left == STARTS


def test_the_daemon_of_before_never_confirms_what_it_does_not_run(store):
    run = Run(store)
    assert not run.lasts(HOLD_S * 2)
    update(store)
    assert run.lasts(2) and store.read().trial is not None
