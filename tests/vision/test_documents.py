"""Portraits on documents: the synthetic card from every side, what is no portrait, and the scans of the test bed."""

import cards
import cv2
import numpy as np
import pytest

from device.camera.held_card import Hold, lay_over
from device.camera.portrait import load_picture
from device.signals import CardFault
from device.vision.document import DocumentReader
from device.vision.embedding import similarity
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory, load_models
from device.vision.pictures import read_picture

DESK = np.full((480, 640, 3), 110, np.uint8)
UPRIGHT = (0,)


@pytest.fixture(scope="module")
def documents() -> DocumentReader:
    return DocumentReader(load_models(default_directory(), preferred_runtime()))


@pytest.fixture(scope="module")
def card() -> np.ndarray:
    return cards.identity_card(cards.astronaut())


@pytest.fixture(scope="module")
def flat(documents: DocumentReader, card: np.ndarray):
    return documents.read(card, UPRIGHT)


@pytest.mark.parametrize("quarter", range(4))
def test_the_portrait_is_found_in_each_rotation_and_set_upright(documents, card, flat, quarter):
    turned = np.ascontiguousarray(np.rot90(card, quarter))
    portrait = documents.read(turned)
    assert portrait.fault is None
    assert similarity(portrait.embedding, flat.embedding) > 0.9
    assert portrait.found.token.shape == (320, 240, 3)
    x, y = portrait.found.eyes
    before = np.rot90(np.arange(card.shape[0] * card.shape[1]).reshape(card.shape[:2]), quarter)[round(y), round(x)]
    down, across = divmod(int(before), card.shape[1])
    assert np.hypot(across - flat.found.eyes[0], down - flat.found.eyes[1]) < 12


@pytest.mark.parametrize(
    "hold",
    [Hold(roll=15), Hold(yaw=30), Hold(pitch=-30), Hold(0.75, 15, 15, -10, 0.05, 0.03)],
    ids=["askew", "sideways", "back", "all of it"],
)
def test_a_card_held_askew_gives_the_same_face(documents, card, flat, hold):
    portrait = documents.read(lay_over(DESK, card, hold), UPRIGHT)
    assert portrait.fault is None
    assert similarity(portrait.embedding, flat.embedding) > 0.7


def spotted(card: np.ndarray) -> np.ndarray:
    x, y, width, height = cards.PORTRAIT
    return cv2.circle(card.copy(), (x + width // 2 - 40, y + height // 2 - 10), 60, (255, 255, 255), -1)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda card: lay_over(DESK, card, Hold(0.4)), CardFault.TOO_SMALL),
        (lambda card: cv2.GaussianBlur(lay_over(DESK, card, Hold()), (0, 0), 2.5), CardFault.BLURRED),
        (lambda _: cards.astronaut(), CardFault.NO_DOCUMENT),
        (lambda _: cards.identity_card(cards.astronaut(), printed=False), CardFault.NO_DOCUMENT),
    ],
    ids=["far away", "out of focus", "a photo alone", "a card without print"],
)
def test_what_hinders_the_reading_is_named(documents, card, spoil, fault):
    assert documents.read(spoil(card), UPRIGHT).fault is fault


def test_glare_over_the_face_never_gives_a_usable_portrait_of_somebody_else(documents, card, flat):
    portrait = documents.read(spotted(card), UPRIGHT)
    assert portrait is None or portrait.fault is not None or similarity(portrait.embedding, flat.embedding) > 0.4


def test_without_a_portrait_there_is_none(documents):
    assert documents.read(cards.identity_card(None)) is None


def test_a_ghost_image_is_not_taken_for_the_portrait(documents, card, flat):
    portrait = documents.read(cards.with_ghost(card, cards.astronaut()), UPRIGHT)
    assert portrait.fault is None
    assert abs(portrait.found.eyes[0] - flat.found.eyes[0]) < 10


def test_the_holder_behind_the_card_is_not_taken_for_the_portrait(documents, card, flat):
    person = load_picture(default_directory() / "rehearsal" / "astronaut.png")
    scene = lay_over(cv2.resize(person, (1280, 960)), card, Hold(0.5, x=0.2, y=0.22))
    portrait = documents.read(scene, UPRIGHT)
    assert portrait.fault is None
    assert portrait.found.eyes[0] > 640 and portrait.found.width < 100


@pytest.mark.media
def test_cards_of_two_people_are_refused(documents, card, media):
    other = cards.identity_card(read_picture(media / "pairs" / "london" / "003_neutral.jpg")[100:, 150:750])
    both = np.concatenate([card, other])
    assert documents.read(both, UPRIGHT).fault is CardFault.SEVERAL_PORTRAITS


@pytest.mark.media
def test_the_portraits_of_the_test_bed_are_found(documents, media):
    paths = sorted((media / "documents").glob("passporteye_*"))
    sideways = next(path for path in paths if "pass-lva" in path.name)
    found = [
        path.name
        for path in paths
        if (portrait := documents.read(read_picture(path), (1,) if path is sideways else UPRIGHT)) is not None
        and portrait.fault is not CardFault.NO_DOCUMENT
    ]
    assert len(paths) == 19
    assert len(found) >= 17, found
    assert sideways.name in found
