from pathlib import Path

import cv2
import numpy as np
import pytest

from device.vision.embedding import similarity
from device.vision.manifest import Models
from device.vision.pictures import read_picture
from device.vision.reference import (
    FaceTooSmallError,
    NoFaceError,
    PortraitError,
    PortraitReader,
    SeveralFacesError,
    UnreadablePortraitError,
)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def test_no_picture_and_no_face_are_one_line(reader: PortraitReader, tmp_path: Path) -> None:
    grey = tmp_path / "wall.png"
    grey.write_bytes(png(np.full((300, 200, 3), 120, np.uint8)))
    faults: list[tuple[type[PortraitError], bytes | Path, str]] = [
        (UnreadablePortraitError, tmp_path / "gone.png", r"gone\.png: cannot be read"),
        (UnreadablePortraitError, b"text", "the picture: not a JPEG"),
        (NoFaceError, grey, r"wall\.png: no face found: give a portrait"),
        (NoFaceError, grey.read_bytes(), "the picture: no face found"),
    ]
    for error, picture, message in faults:
        with pytest.raises(error, match=message) as refusal:
            reader.read(picture)
        assert "\n" not in str(refusal.value)
    assert reader.read_central(grey) is None


@pytest.mark.media
def test_the_chip_s_small_portrait_matches_its_owner_only(reader: PortraitReader, models: Models, media: Path) -> None:
    folder = media / "pairs" / "london"
    image = read_picture(folder / "001_neutral.jpg")
    chip = cv2.resize(image[150:890, 150:750], (102, 126), interpolation=cv2.INTER_AREA)
    portrait = reader.read(png(chip))
    own, other = reader.read(folder / "001_smiling.jpg"), reader.read(folder / "003_smiling.jpg")
    assert similarity(portrait.embedding, own.embedding) > models.thresholds.fmr_1e_4
    assert similarity(portrait.embedding, other.embedding) < models.thresholds.fmr_1e_3
    assert portrait.face.box.width < 80


@pytest.mark.media
def test_two_people_are_refused_but_the_central_one_can_be_taken(reader: PortraitReader, media: Path) -> None:
    folder = media / "pairs" / "london"
    one, other = read_picture(folder / "001_neutral.jpg"), read_picture(folder / "003_neutral.jpg")
    beside = np.concatenate([one, cv2.resize(other, (450, 900))[:, ::-1]], axis=1)
    with pytest.raises(SeveralFacesError, match="2 faces"):
        reader.read(png(beside))
    central = reader.read_central(png(beside))
    assert central is not None
    assert similarity(central.embedding, reader.read(folder / "001_neutral.jpg").embedding) > 0.9


@pytest.mark.media
def test_a_face_of_a_few_pixels_is_refused(reader: PortraitReader, media: Path) -> None:
    image = read_picture(media / "pairs" / "london" / "001_neutral.jpg")
    with pytest.raises(FaceTooSmallError, match=r"pixels wide: it needs 40"):
        reader.read(png(cv2.resize(image, (90, 90), interpolation=cv2.INTER_AREA)))
