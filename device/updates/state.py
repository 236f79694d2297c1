"""What counts of updates: what is in force, on trial and before it, and what failed. Pure.

An update goes  installed -> on trial -> in use,  or back to what was in force before.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from device.wire.fields import Claims, Code, Counter, Sha256
from device.wire.update import BundleKind, UpdateMark, UpdateState, Version

STARTS = 3
"""How often an update may be started before it has to hold."""
FAILURES_KEPT = 8
DAMAGED = "damaged"
"""The one reason after which the same number may be installed again: the card failed, and not the update."""


class Release(Claims):
    """A release on the card; `content` is what was signed, `seal` the digest of every file as it was installed."""

    number: Counter
    version: Version
    content: Sha256
    seal: Sha256


class Slot(Claims):
    """One kind: what is in force (None: what the package brought), what was before, and the highest number begun."""

    current: Release | None = None
    previous: Release | None = None
    floor: Counter = 0


class Trial(Claims):
    """Which kind's current release is on trial, and how many more starts it has."""

    kind: BundleKind
    starts_left: Annotated[int, Field(ge=0, le=STARTS)]


class Failure(Claims):
    """An update that was given back, and why."""

    kind: BundleKind
    number: Counter
    reason: Code


class State(Claims):
    """Everything that counts."""

    firmware: Slot = Slot()
    models: Slot = Slot()
    configuration: Slot = Slot()
    trial: Trial | None = None
    failures: tuple[Failure, ...] = ()

    def slot(self, kind: BundleKind) -> Slot:
        """The slot of a kind."""
        slot: Slot = getattr(self, kind.value)
        return slot

    def marks(self) -> tuple[UpdateMark, ...]:
        """What the terminal's birth says of it."""
        tried = self.trial.kind if self.trial else None
        held = [(kind, self.slot(kind).current) for kind in BundleKind]
        return (
            *(
                UpdateMark(
                    kind=kind,
                    number=release.number,
                    state=UpdateState.ON_TRIAL if kind is tried else UpdateState.IN_USE,
                )
                for kind, release in held
                if release is not None
            ),
            *(
                UpdateMark(kind=one.kind, number=one.number, state=UpdateState.FAILED, reason=one.reason)
                for one in self.failures
            ),
        )

    def installed(self, kind: BundleKind, release: Release) -> State:
        """With a new release on trial; what failed before of this kind is history."""
        slot = self.slot(kind)
        slot = Slot(current=release, previous=slot.current, floor=max(slot.floor, release.number))
        kept = tuple(failure for failure in self.failures if failure.kind is not kind)
        return self._with(kind, slot, Trial(kind=kind, starts_left=STARTS), kept)

    def started(self) -> State:
        """With one start less for what is on trial; given back when there is none left."""
        if self.trial is None:
            return self
        if self.trial.starts_left == 0:
            return self.given_back(self.trial.kind, "did-not-hold")
        left = self.trial.model_copy(update={"starts_left": self.trial.starts_left - 1})
        return self.model_copy(update={"trial": left})

    def confirmed(self) -> State:
        """With what was on trial in use."""
        return self.model_copy(update={"trial": None})

    def given_back(self, kind: BundleKind, reason: str) -> State:
        """With the release before in force, and the failure on record."""
        slot = self.slot(kind)
        if slot.current is None:
            return self
        failure = Failure(kind=kind, number=slot.current.number, reason=reason)
        trial = None if self.trial is not None and self.trial.kind is kind else self.trial
        back = Slot(current=slot.previous, floor=slot.floor)
        return self._with(kind, back, trial, (*self.failures, failure)[-FAILURES_KEPT:])

    def superseded(self, kind: BundleKind) -> State:
        """With the package's own in force, which is newer; nothing failed."""
        trial = None if self.trial is not None and self.trial.kind is kind else self.trial
        return self._with(kind, Slot(floor=self.slot(kind).floor), trial, self.failures)

    def _with(self, kind: BundleKind, slot: Slot, trial: Trial | None, failures: tuple[Failure, ...]) -> State:
        return self.model_copy(update={kind.value: slot, "trial": trial, "failures": failures})
