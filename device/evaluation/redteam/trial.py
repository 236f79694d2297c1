"""One session of the battery: played through the real models, and what is kept of it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.species import Species
from device.evaluation.sessions import draw, verify_on_desk
from device.wire.claims import Outcome


@dataclass(frozen=True, slots=True)
class Trial:
    """What a session came to; no biometrics.

    Attributes:
        species: its name.
        identity: who it was about.
        number: which session of its species, from 0.
        seed: what fixed its plan and everything that varied.
        outcome: as decided.
        reasons: why, the denials first.
        score: of the comparison, None where none was made.
        challenged: whether a first cue was lit: before that nothing but the view was judged.
        actions: how many actions the session could ask for.
    """

    species: str
    identity: str
    number: int
    seed: int
    outcome: str
    reasons: tuple[str, ...]
    score: float | None
    challenged: bool
    actions: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether the terminal accepted."""
        return self.outcome == Outcome.VERIFIED.value

    def as_json(self) -> dict[str, Any]:
        """The trial as a row of report.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Trial:
        """The trial of such a row; raises TypeError when it is none."""
        return cls(**{**row, "reasons": tuple(row["reasons"]), "actions": tuple(row["actions"])})


def session_seed(seed: int, species: str, number: int) -> int:
    """The seed of one session, from the battery's: it depends on nothing else."""
    digest = hashlib.sha256(f"redteam {seed} {species} {number}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def play(cast: Cast, species: Species, identity: str, number: int, seed: int) -> Trial:
    """Plays session `number` of the species about `identity`."""
    own = session_seed(seed, species.name, number)
    scene = species.stage(cast, identity, np.random.default_rng(own))
    _, document = verify_on_desk(
        scene.make_camera, cast.vision, scene.reference, draw(own, scene.actions), press_start=scene.press_start
    )
    comparison, liveness = document["comparison"], document["liveness"]
    return Trial(
        species=species.name,
        identity=identity,
        number=number,
        seed=own,
        outcome=document["outcome"],
        reasons=tuple(document["reasons"]),
        score=None if comparison is None else comparison["score"],
        challenged=bool(liveness["steps"]),
        actions=tuple(liveness["actions"]),
    )
