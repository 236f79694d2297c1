"""A fast sample of the attack battery: one session of each species, the runtimes taking turns.

`likeness-terminal redteam` plays sixty of each.
"""

import pytest

from device.evaluation.redteam.battery import BATTERY
from device.evaluation.redteam.screen_species import script_for, scripted
from device.evaluation.redteam.species import Claim
from device.evaluation.redteam.trial import play
from device.evaluation.sessions import draw, verify_on_desk
from device.wire.claims import Outcome

COVERED = [species for species in BATTERY if species.claim is Claim.COVERED]
SEED = 3


def sample(casts, species, number=0):
    """Plays one session, on the runtime whose turn it is."""
    cast = casts[(BATTERY.index(species) + number) % len(casts)]
    people = list(species.identities(cast.gallery))
    return play(cast, species, people[number % len(people)], number, SEED)


@pytest.mark.media
@pytest.mark.parametrize("species", COVERED, ids=lambda species: species.name)
def test_what_is_covered_is_not_verified(casts, species):
    trial = sample(casts, species)
    assert not trial.verified, trial


@pytest.mark.media
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("name", ["tablet-tilted", "recording-tilted"])
def test_a_flat_face_that_blinks_and_is_tilted_is_not_verified(casts, name, number):
    """These once passed: seen from far aside, a flat face looks turned, with a relief that the landmarks imagine."""
    (tilted,) = (species for species in COVERED if species.name == name)
    trial = sample(casts, tilted, number)
    assert not trial.verified, trial


@pytest.mark.media
@pytest.mark.parametrize("number", [0, 1])
def test_the_puppet_behind_most_of_them_is_verified(casts, number):
    """Else they would be stopped for another reason than what they add."""
    (puppet,) = (species for species in BATTERY if species.name == "puppet")
    trial = sample(casts, puppet, number)
    assert trial.verified, trial


@pytest.mark.media
@pytest.mark.parametrize("number", [0, 1])
def test_a_script_cut_to_the_very_plan_is_verified(casts, number):
    """Else scripts that guess would be stopped by something else than the wrong guess."""
    cast, drawn = casts[number % len(casts)], draw(number)
    scene = scripted(cast, next(iter(cast.gallery.stills())), script_for(drawn.plan.actions))
    verdict, _ = verify_on_desk(scene.make_camera, cast.vision, scene.reference, drawn)
    assert verdict.decision.outcome is Outcome.VERIFIED, verdict.decision


@pytest.mark.media
@pytest.mark.parametrize("number", [0, 1])
def test_a_recorded_person_is_verified(casts, number):
    (bona_fide,) = (species for species in BATTERY if species.name == "bona-fide")
    trial = sample(casts, bona_fide, number)
    assert trial.verified, trial


def test_twenty_species_are_claimed_as_covered():
    assert len(COVERED) >= 20
    assert len({species.name for species in BATTERY}) == len(BATTERY)


def test_every_residual_says_what_an_outlet_should_do():
    assert all(species.advice for species in BATTERY if species.claim is Claim.RESIDUAL)
