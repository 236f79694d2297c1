import numpy as np
import pytest

from device.evaluation.degrade import CHIP_SIZE, ReferenceKind, as_reference, cut_portrait
from device.signals import Box

FACE = Box(60, 40, 80, 100)


@pytest.fixture
def picture() -> np.ndarray:
    """A light disc with two dark spots, where the face is said to be."""
    rows, columns = np.mgrid[:200, :200]
    picture = np.full((200, 200, 3), 90, np.uint8)
    picture[(rows - 90) ** 2 + (columns - 100) ** 2 < 40**2] = (220, 180, 160)
    for eye in (85, 115):
        picture[(rows - 80) ** 2 + (columns - eye) ** 2 < 5**2] = 20
    return picture


def test_a_full_reference_is_the_picture_itself(picture) -> None:
    assert as_reference(ReferenceKind.FULL, picture, FACE, "a.png", 0) is picture


def test_a_chip_portrait_is_small_with_the_face_in_its_place(picture) -> None:
    chip = as_reference(ReferenceKind.CHIP, picture, FACE, "a.png", 0)
    assert chip.shape == (CHIP_SIZE[1], CHIP_SIZE[0], 3)
    centre_row, centre_column = round(126 * 0.55), 51
    assert chip[centre_row, centre_column].mean() > 150 > chip[3, 3].mean()


def test_a_portrait_beyond_the_edge_is_drawn_on(picture) -> None:
    portrait = cut_portrait(picture, Box(150, 150, 80, 100), (70, 90))
    assert portrait.shape == (90, 70, 3)
    assert portrait.min() >= 80


def test_a_print_is_the_same_for_a_seed_and_another_for_the_next(picture) -> None:
    def prints(name: str, seed: int) -> np.ndarray:
        return as_reference(ReferenceKind.PRINTED, picture, FACE, name, seed)

    assert np.array_equal(prints("a.png", 1), prints("a.png", 1))
    assert not np.array_equal(prints("a.png", 1), prints("a.png", 2))
    assert not np.array_equal(prints("a.png", 1), prints("b.png", 1))


def test_a_print_is_small_and_washed_out(picture) -> None:
    portrait = cut_portrait(picture, FACE, (280, 360))
    for seed in range(6):
        print_ = as_reference(ReferenceKind.PRINTED, picture, FACE, "a.png", seed)
        assert 90 <= print_.shape[1] <= 130
        assert np.ptp(np.percentile(print_, (5, 95))) < 0.9 * np.ptp(np.percentile(portrait, (5, 95)))
