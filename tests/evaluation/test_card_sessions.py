"""Sessions in which the reference is read from a card, through the command a technician uses."""

import json

import cards
import cv2
import numpy as np
import pytest

from device.__main__ import main
from device.card import CardReading
from device.decision import FACES_DO_NOT_MATCH
from device.liveness.rules import DEFAULT_RULES
from device.signals import CardFault, Frame
from device.vision.document import DocumentReader
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory, load_models
from device.vision.pictures import read_picture
from device.wire.claims import Outcome

PERSON = default_directory() / "rehearsal" / "astronaut.json"
NONCE = bytes(range(32))


@pytest.fixture(scope="module")
def documents() -> DocumentReader:
    return DocumentReader(load_models(default_directory(), preferred_runtime()))


def frame(image: np.ndarray, at: float) -> Frame:
    return Frame(image, at, round(at * 30))


@pytest.mark.media
def test_somebody_else_s_card_is_rejected(media, tmp_path, capsys):
    other = cards.identity_card(read_picture(media / "pairs" / "london" / "003_neutral.jpg")[100:, 150:750])
    path = tmp_path / "card.png"
    cv2.imwrite(str(path), cv2.cvtColor(other, cv2.COLOR_RGB2BGR))
    assert main(["rehearse", str(PERSON), "--card", str(path), "--seed", "2", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["outcome"] == Outcome.REJECTED
    assert FACES_DO_NOT_MATCH in document["reasons"]
    assert document["reference"] == {"grade": "card"}


@pytest.mark.parametrize("options", [[], ["--card", "a.png", "--reference", "b.png"]])
def test_one_reference_is_needed_and_no_two(options, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["rehearse", str(PERSON), *options])
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip().count("\n") == 0


def test_a_card_without_a_picture_is_one_line(capsys):
    assert main(["rehearse", str(PERSON), "--card", "missing.png"]) == 2
    assert capsys.readouterr().err.startswith("likeness-terminal: missing.png: cannot be read")


@pytest.mark.media
def test_a_card_that_is_swapped_while_it_is_read_begins_anew(documents, media):
    own = cards.identity_card(cards.astronaut())
    other = cards.identity_card(read_picture(media / "pairs" / "london" / "003_neutral.jpg")[100:, 150:750])
    reading = CardReading(documents, NONCE, DEFAULT_RULES)
    agreeing = [reading.look(frame(card, 0.3 * number)).agreeing for number, card in enumerate([own, own, other])]
    assert agreeing == [1, 2, 1]


def test_a_reading_looks_seldom_tries_the_rotations_in_turn_and_forgets(documents):
    card = np.ascontiguousarray(np.rot90(cards.identity_card(cards.astronaut()), 3))
    reading = CardReading(documents, NONCE, DEFAULT_RULES)
    first = reading.look(frame(card, 0.0))
    assert reading.look(frame(card, 0.1)) is None
    looks = [first, *(reading.look(frame(card, 0.3 * number)) for number in range(1, 5))]
    assert looks[-1].agreeing >= 2
    embedding, mark = reading.reference()
    assert embedding.shape == (128,) and mark.grade == "card"
    again = CardReading(documents, NONCE[::-1], DEFAULT_RULES)
    again.look(frame(np.ascontiguousarray(np.rot90(card)), 0.0))
    assert again.reference()[1].commitment != mark.commitment
    held = [portrait.found.token for portrait in reading._portraits]
    reading.forget()
    assert reading.reference() is None
    assert not any(token.any() for token in held)


def test_an_empty_desk_gives_no_portrait(documents):
    reading = CardReading(documents, NONCE, DEFAULT_RULES)
    assert reading.look(frame(np.full((480, 640, 3), 90, np.uint8), 0.0)).fault is CardFault.NO_PORTRAIT
    assert reading.reference() is None
