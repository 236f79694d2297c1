"""Species of persons: strangers, look-alikes, morphed documents, swaps, second faces, and faces that are flashed."""

from __future__ import annotations

import cv2
import numpy as np

from device.camera.animation import HeadRenderer
from device.evaluation.redteam.acting import Actor, Double, SwappedInTurn
from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.gallery import Gallery
from device.evaluation.redteam.heads import whole_picture
from device.evaluation.redteam.morph import morph
from device.evaluation.redteam.species import FPS, Claim, Scene, Species, animated, answering
from device.evaluation.redteam.stream import beside, retouched
from device.vision.embedding import Embedding


def _performing(cast: Cast, name: str, reference: Embedding) -> Scene:
    return Scene(answering(animated(HeadRenderer(cast.head(name)))), reference)


def _stranger(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    """Somebody else, alive, with the victim's document."""
    return _performing(cast, cast.another(name), cast.reference(name))


def _look_alike(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    return _performing(cast, cast.look_alike(name), cast.reference(name))


def _morphed(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    """The document shows a morph of the customer and of the person in the gallery who is most alike."""
    picture = morph(cast.head(name), cast.head(cast.look_alike(name)))
    _, coded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return _performing(cast, name, cast.reader.read(coded.tobytes()).embedding)


def _swapped(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    """The victim answers the first cue or two, the stranger the others; both heads are framed alike."""
    both = [animated(HeadRenderer(cast.head(each))) for each in (name, cast.another(name))]
    answered = int(random.integers(1, 3))

    def perform(seed: int) -> Double:
        return Double(both[0].perform(seed), both[1].perform(seed), lambda begun, _busy: begun > answered)

    return Scene(answering(Actor(perform, FPS)), cast.reference(name))


def _swapped_in_turn(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    """A blinking picture of the victim for every frontal frame, the stranger's own head for the turns."""
    victim, stranger = (HeadRenderer(cast.head(each)) for each in (name, cast.another(name)))
    renderer = SwappedInTurn(victim, stranger, random.uniform(15.0, 25.0))
    return Scene(answering(animated(renderer)), cast.reference(name))


def _flashed(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    """A blinking picture of the victim in the pauses, and the stranger while an action is asked for."""
    both = [animated(HeadRenderer(cast.head(each))) for each in (name, cast.another(name))]

    def perform(seed: int) -> Double:
        return Double(both[0].perform(seed), both[1].perform(seed), lambda _begun, busy: busy)

    return Scene(answering(Actor(perform, FPS)), cast.reference(name))


def _shown_before(cast: Cast, name: str, _random: np.random.Generator) -> Scene:
    """A picture of the victim until the first cue, and the stranger from then on."""
    both = [animated(HeadRenderer(cast.head(each))) for each in (name, cast.another(name))]

    def perform(seed: int) -> Double:
        return Double(both[0].perform(seed), both[1].perform(seed), lambda begun, _busy: begun > 0)

    return Scene(answering(Actor(perform, FPS)), cast.reference(name))


def _second_face(cast: Cast, name: str, random: np.random.Generator) -> Scene:
    """The victim answers while somebody stands beside: a face that could be the one that is compared."""
    bystander = whole_picture(cast.head(cast.another(name)))
    make_camera = answering(animated(HeadRenderer(cast.head(name))))
    size, at_left = float(random.uniform(0.55, 0.9)), bool(random.integers(2))
    return Scene(retouched(make_camera, lambda _seed: beside(bystander, size, at_left)), cast.reference(name))


def _with_partners(gallery: Gallery) -> list[str]:
    """Everybody, where there is somebody else."""
    stills = list(gallery.stills())
    return stills if len(stills) > 1 else []


def _with_documents(gallery: Gallery) -> list[str]:
    """Everybody who has a document, where there is somebody else to hold it."""
    return list(gallery.documents()) if len(gallery.stills()) > 1 else []


PERSONS = (
    Species("stranger", "A hired stranger with the victim's document.", Claim.COVERED, _stranger, _with_documents),
    Species(
        "person-swapped",
        "The victim answers the first cues, a stranger the others.",
        Claim.COVERED,
        _swapped,
        _with_partners,
    ),
    Species(
        "swapped-in-turns",
        "The victim's blinking picture whenever the face is frontal, a stranger's head for the turns.",
        Claim.COVERED,
        _swapped_in_turn,
        _with_partners,
    ),
    Species(
        "match-in-pauses",
        "The victim's picture in the pauses, a stranger for each action.",
        Claim.COVERED,
        _flashed,
        _with_partners,
    ),
    Species(
        "match-before",
        "The victim's picture until the first cue, a stranger from then on.",
        Claim.COVERED,
        _shown_before,
        _with_partners,
    ),
    Species("second-face", "Somebody beside the one who answers.", Claim.COVERED, _second_face, _with_partners),
)
RESIDUAL_PERSONS = (
    Species(
        "look-alike",
        "The stranger whom the comparison finds most alike among all identities of the gallery.",
        Claim.RESIDUAL,
        _look_alike,
        _with_documents,
        advice="Choose the stricter FMR level in the policy; central refuses a second registration of a subject.",
    ),
    Species(
        "morphed-document",
        "A document whose portrait was morphed of the customer and a look-alike.",
        Claim.RESIDUAL,
        _morphed,
        _with_partners,
        advice="No comparison can tell: the portrait belongs to both. Read the chip where there is one, and have "
        "the issuer take the portrait live.",
    ),
)
