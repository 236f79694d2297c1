from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.evaluation.testset import TestSetError, read_folder, read_groups, read_list, subject_of


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Pictures of no one, of two subjects by name, and of one in a folder."""
    root = tmp_path_factory.mktemp("pictures")
    (root / "carol").mkdir()
    for name in ("ada_1.png", "ada_2.png", "bob_1.png", "carol/1.png", "carol/2.png"):
        cv2.imwrite(str(root / name), np.zeros((8, 8, 3), np.uint8))
    return root


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("picture", "subject"),
    [
        ("001_neutral.jpg", "001"),
        ("Abdullah_Gul_0002.jpg", "Abdullah_Gul"),
        ("s01/10.pgm", "s01"),
        ("set/s01/1_2.pgm", "s01"),
        ("single.png", "single"),
        ("_1.png", "_1"),
    ],
)
def test_the_subject_is_the_folder_or_the_name_before_the_last_underscore(picture: str, subject: str) -> None:
    assert subject_of(picture) == subject


def test_a_folder_is_every_pair_of_its_pictures(pictures: Path) -> None:
    test = read_folder(pictures)
    assert test.pictures == ("ada_1.png", "ada_2.png", "bob_1.png", "carol/1.png", "carol/2.png")
    assert test.subjects == ("ada", "ada", "bob", "carol", "carol")
    assert len(test.pairs) == 10
    assert (test.pairs[:, 0] < test.pairs[:, 1]).all()


@pytest.mark.parametrize("header", ["a,b", "reference,probe", "document,live", "a,note,b,same"])
def test_a_list_names_references_and_probes(pictures: Path, tmp_path: Path, header: str) -> None:
    between = ",x," if "note" in header else ","
    text = f"{header}\nada_1.png{between}ada_2.png\nada_1.png{between}bob_1.png\n"
    test = read_list(written(tmp_path, text), pictures)
    assert [(test.pictures[a], test.pictures[b]) for a, b in test.pairs] == [
        ("ada_1.png", "ada_2.png"),
        ("ada_1.png", "bob_1.png"),
    ]


def test_a_list_may_say_whose_its_pictures_are(pictures: Path, tmp_path: Path) -> None:
    text = "a,b,same,subject_a,subject_b\nada_1.png,bob_1.png,1,x,x\nada_1.png,ada_2.png,0,x,y\n"
    test = read_list(written(tmp_path, text), pictures)
    assert dict(zip(test.pictures, test.subjects, strict=True)) == {
        "ada_1.png": "x",
        "bob_1.png": "x",
        "ada_2.png": "y",
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", r"list\.csv:1: the header needs the columns a and b"),
        ("a,c\nx,y\n", r"list\.csv:1: the header needs"),
        ("a,b\nada_1.png\n", r"list\.csv:2: a or b is empty"),
        ("a,b\nada_1.png,ada_1.png\n", r"list\.csv:2: a picture is compared with itself"),
        ("a,b\nada_1.png,gone.png\n", r"gone\.png: no such picture \(1 of 2 in .*list\.csv are missing\)"),
        (f"a,b\nada_1.png,{'x' * 300}.png\n", r"no such picture"),
        ("a,b\nada_1.png,ada_2.png\n", r"list\.csv: no pair of two subjects"),
        ("a,b\nada_1.png,bob_1.png\n", r"list\.csv: no pair of one subject"),
        ("a,b\n", r"list\.csv: no pair of one subject"),
        ("a,b,same\nada_1.png,bob_1.png,1\n", r"list\.csv:2: same is 1, but the names say subjects ada and bob: add"),
        ("a,b,same\nada_1.png,ada_2.png,yes\n", r"list\.csv:2: same is 'yes': write 1"),
        ("a,b,subject_a\nada_1.png,bob_1.png,x\nada_1.png,bob_1.png,y\n", r"list\.csv:3: ada_1\.png belongs to two"),
        (b"a,b\n\xff,\xfe\n", r"list\.csv: not a CSV file in UTF-8"),
        ('a,b\n"ada', r"list\.csv: not a CSV file"),
    ],
)
def test_a_faulty_list_is_one_clear_line(pictures: Path, tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(TestSetError, match=fault) as refusal:
        read_list(written(tmp_path, text), pictures)
    assert str(refusal.value).isprintable()


def test_missing_folders_and_files_are_named(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(TestSetError, match=r"none\.csv: cannot be read: No such file"):
        read_list(tmp_path / "none.csv", pictures)
    with pytest.raises(TestSetError, match="elsewhere: not a folder: --root"):
        read_list(written(tmp_path, "a,b\n"), tmp_path / "elsewhere")
    with pytest.raises(TestSetError, match="0 pictures: give a folder with 2 to 5000"):
        read_folder(tmp_path)


names = st.sampled_from(
    ["ada_1.png", "ada_2.png", "bob_1.png", "carol/1.png", "../x", "/", "a\nb", "\0", "é" * 200, ""]
)
lines = st.tuples(names, names, st.sampled_from(["", "0", "1", "2", '"'])).map(",".join)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.lists(lines, max_size=8).map(lambda rows: "\n".join(["a,b,same", *rows]).encode()),
    )
)
def test_any_file_is_a_test_set_or_one_clear_line(pictures: Path, tmp_path_factory, content: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), content)
    for read in (lambda: read_list(path, pictures), lambda: read_groups(path)):
        try:
            read()
        except TestSetError as error:
            assert str(error).isprintable()


def test_labels_of_subjects_are_read_and_ages_become_decades(tmp_path: Path) -> None:
    text = "face_id,face_age,face_eth\n001,24,white\n002,NA,east_asian/white\n003,31,\n"
    groups = read_groups(written(tmp_path, text))
    assert groups.labels == ("face_age", "face_eth")
    assert groups.values == {"001": ("20-29", "white"), "002": ("", "east_asian/white"), "003": ("30-39", "")}
