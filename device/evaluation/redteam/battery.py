"""The battery: every species there is."""

from __future__ import annotations

from device.evaluation.redteam.bona_fide_species import BONA_FIDE
from device.evaluation.redteam.paper_species import PAPER, RESIDUAL_PAPER
from device.evaluation.redteam.person_species import PERSONS, RESIDUAL_PERSONS
from device.evaluation.redteam.screen_species import RESIDUAL_SCREENS, SCREENS
from device.evaluation.redteam.species import Species
from device.evaluation.redteam.stream_species import RESIDUAL_STREAMS, STREAMS

BATTERY: tuple[Species, ...] = (
    *(*PAPER, *SCREENS, *PERSONS, *STREAMS),
    *(*RESIDUAL_PAPER, *RESIDUAL_SCREENS, *RESIDUAL_PERSONS, *RESIDUAL_STREAMS),
    *BONA_FIDE,
)
