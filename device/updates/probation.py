"""Probation: the daemon at work decides whether an update holds, and notices that another one was installed."""

from __future__ import annotations

import logging

from device.delivery.link_status import LinkState
from device.delivery.telemetry import Vitals
from device.updates.state import State
from device.updates.store import Store
from device.wire.update import BundleKind

LOG = logging.getLogger(__name__)
HOLD_S = 60.0
"""How long the loop has to turn before an update counts as good."""
LIMIT_S = 900.0
"""Until when the broker has to be reached: a terminal that nobody can reach is the one fault that nobody can mend."""
LOOK_S = 1.0
NOT_REACHED = "broker-not-reached"


class Probation:
    """Watches one run of the daemon. It is asked between sessions, on the frames' clock."""

    def __init__(self, store: Store, vitals: Vitals) -> None:
        """Takes what is in force now as what runs; `vitals` tell of it."""
        self._store, self._vitals, self._stamp = store, vitals, store.stamp()
        state = store.read()
        self._running, self._on_trial = _numbers(state), state.trial is not None
        vitals.updates = state.marks()
        self._began: float | None = None
        self._looked = float("-inf")

    def must_restart(self, at: float, link: LinkState) -> bool:
        """Whether the daemon is to begin anew with other releases; keeps or gives back what is on trial."""
        if self._began is None:
            self._began = at
        if at - self._looked < LOOK_S:
            return False
        self._looked = at
        if self._store.stamp() != self._stamp:
            self._stamp = self._store.stamp()
            return _numbers(self._store.read()) != self._running
        return self._on_trial and self._judge(at - self._began, link)

    def _judge(self, lasted_s: float, link: LinkState) -> bool:
        """Decides, once there is enough to decide by; returns whether the daemon is to begin anew."""
        reached = link in (LinkState.CONNECTED, LinkState.CENTRAL_SILENT)
        if (lasted_s < HOLD_S or not reached) and lasted_s < LIMIT_S:
            return False
        try:
            with self._store.alone():
                state = self._store.change(State.confirmed if reached else _given_back)
        except OSError as error:
            LOG.error("the state of updates cannot be written: %s", error)  # tried again; else the next start decides
            return False
        self._on_trial, self._stamp, self._vitals.updates = False, self._store.stamp(), state.marks()
        if reached:
            LOG.info("the update holds")
        else:
            LOG.error("update given back reason=%s", NOT_REACHED)
        return not reached


def _given_back(state: State) -> State:
    return state if state.trial is None else state.given_back(state.trial.kind, NOT_REACHED)


def _numbers(state: State) -> dict[BundleKind, int | None]:
    slots = {kind: state.slot(kind).current for kind in BundleKind}
    return {kind: None if release is None else release.number for kind, release in slots.items()}
