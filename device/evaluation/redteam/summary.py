"""What the trials of a species come to: rates with exact intervals, in the terms of ISO/IEC 30107-3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from device.evaluation.intervals import Rate, clopper_pearson
from device.evaluation.redteam.species import Claim, Species
from device.evaluation.redteam.trial import Trial
from device.wire.plan import Action, guess_probability

MOST_BPCER = 0.05
_REASONS_TOLD = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """A species and what was measured of it.

    Attributes:
        species: whose trials these are.
        sessions: how many were played; `verified` of them were accepted, `challenged` saw a cue.
        identities: how many different ones; `accepted` of them in at least one session.
        rate: APCER by identity; for a guessed plan by session, for its plan is drawn anew each time; BPCER by session.
        guess: the chance of guessing a plan, for the claim `guess`.
        reasons: the first reason of each session that was not verified, and how often, most frequent first.
    """

    species: Species
    sessions: int
    verified: int
    challenged: int
    identities: int
    accepted: int
    rate: Rate
    guess: float | None
    reasons: tuple[tuple[str, int], ...]

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds in what was measured; None where nothing is claimed."""
        match self.species.claim:
            case Claim.COVERED:
                return self.verified == 0
            case Claim.GUESS:
                return self.guess is not None and self.rate.low <= self.guess
            case Claim.BONA_FIDE:
                return self.rate.value <= MOST_BPCER
            case _:
                return None

    def as_json(self) -> dict[str, Any]:
        """The summary for report.json."""
        return {
            "species": self.species.name,
            "what": self.species.what,
            "claim": self.species.claim.value,
            "holds": self.holds,
            "sessions": self.sessions,
            "verified": self.verified,
            "challenged": self.challenged,
            "identities": self.identities,
            "identities_accepted": self.accepted,
            "rate": {"value": self.rate.value, "low": self.rate.low, "high": self.rate.high},
            "guess_probability": self.guess,
            "reasons": dict(self.reasons),
        }


def summarise(species: Sequence[Species], trials: Iterable[Trial]) -> list[Summary]:
    """Returns a summary of each species that has trials, in the order of `species`."""
    played: dict[str, list[Trial]] = {}
    for trial in trials:
        played.setdefault(trial.species, []).append(trial)
    return [_summary(each, played[each.name]) for each in species if each.name in played]


def bona_fide_rate(summaries: Iterable[Summary]) -> Rate | None:
    """BPCER over all bona fide sessions together; None without any."""
    kept = [each for each in summaries if each.species.claim is Claim.BONA_FIDE]
    sessions = sum(each.sessions for each in kept)
    return clopper_pearson(sessions - sum(each.verified for each in kept), sessions) if sessions else None


def _summary(species: Species, trials: Sequence[Trial]) -> Summary:
    verified = [trial for trial in trials if trial.verified]
    identities, accepted = ({trial.identity for trial in some} for some in (trials, verified))
    match species.claim:
        case Claim.BONA_FIDE:
            rate = clopper_pearson(len(trials) - len(verified), len(trials))
        case Claim.GUESS:
            rate = clopper_pearson(len(verified), len(trials))
        case _:
            rate = clopper_pearson(len(accepted), len(identities))
    reasons = Counter(trial.reasons[0] for trial in trials if trial.reasons)
    guess = guess_probability([Action(each) for each in trials[0].actions]) if species.claim is Claim.GUESS else None
    return Summary(
        species=species,
        sessions=len(trials),
        verified=len(verified),
        challenged=sum(trial.challenged for trial in trials),
        identities=len(identities),
        accepted=len(accepted),
        rate=rate,
        guess=guess,
        reasons=tuple(reasons.most_common(_REASONS_TOLD)),
    )
