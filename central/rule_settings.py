"""The rules as data: what central's configuration may say about them; a rule that is null is off."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from device.settings import Settings
from device.wire.fields import Name, Sha256
from device.wire.update import BundleKind, is_drawn

Count = Annotated[int, Field(ge=1, le=100_000)]
Hours = Annotated[float, Field(gt=0, le=24 * 366)]
Minutes = Annotated[float, Field(gt=0, le=7 * 24 * 60)]


class NumbersPerIdentity(Settings):
    """More than so many verified or witnessed results of one subject within so many days."""

    verified: Count = 5
    days: Annotated[float, Field(gt=0, le=3660)] = 365


class RetryShopping(Settings):
    """One subject fails so often, at so many terminals or more."""

    failures: Count = 3
    terminals: Count = 2
    hours: Hours = 24


class CancellingAttendants(Settings):
    """An attendant under whom so many sessions, and at least this share of all, were cancelled."""

    cancelled: Count = 5
    share: Annotated[float, Field(gt=0, le=1)] = 0.3
    hours: Hours = 24


class WitnessedSessions(Settings):
    """So many sessions of an attendant or an outlet, and at least this share, in which nobody was looked at."""

    witnessed: Count = 5
    share: Annotated[float, Field(gt=0, le=1)] = 0.1
    hours: Hours = 24


class HotTerminals(Settings):
    """More results of one terminal than a counter can serve."""

    results: Count = 60
    hours: Hours = 1


class SilentTerminals(Settings):
    """A terminal that was on the line, and from which nothing came for so long."""

    minutes: Minutes = 15


class OldGaps(Settings):
    """A gap in a chain that is not filled after so long."""

    minutes: Minutes = 60


class Clocks(Settings):
    """A terminal whose clock differs from central's by more, or jumped."""

    seconds: Annotated[float, Field(gt=0, le=86_400)] = 120


class Canary(Settings):
    """An update that a share of the terminals is to have already, and what those may run besides."""

    kind: BundleKind
    number: Annotated[int, Field(ge=1)]
    percent: Annotated[float, Field(ge=0.1, le=100)]
    firmware: tuple[Name, ...] = ()
    firmware_sha256: tuple[Sha256, ...] = ()
    models_sha256: tuple[Sha256, ...] = ()

    def has(self, terminal: str) -> bool:
        """Whether a terminal belongs to the share: it draws the same."""
        return is_drawn(self.kind, self.number, terminal, round(self.percent * 10))


class Versions(Settings):
    """What the terminals may run; an empty list allows everything. What a canary lists, its share may run, too."""

    firmware: tuple[Name, ...] = ()
    firmware_sha256: tuple[Sha256, ...] = ()
    models_sha256: tuple[Sha256, ...] = ()
    canaries: tuple[Canary, ...] = ()


class FailedUpdates(Settings):
    """A terminal gave an update back."""


class RuleSettings(Settings):
    """Every rule with its numbers.

    Attributes:
        every_s: how often the rules look at what is new.
    """

    every_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    numbers_per_identity: NumbersPerIdentity | None = NumbersPerIdentity()
    retry_shopping: RetryShopping | None = RetryShopping()
    cancelling_attendants: CancellingAttendants | None = CancellingAttendants()
    witnessed_sessions: WitnessedSessions | None = WitnessedSessions()
    hot_terminals: HotTerminals | None = HotTerminals()
    silent_terminals: SilentTerminals | None = SilentTerminals()
    old_gaps: OldGaps | None = OldGaps()
    clocks: Clocks | None = Clocks()
    versions: Versions | None = Versions()
    failed_updates: FailedUpdates | None = FailedUpdates()
