"""A subject's pseudonym: one for each document and key, whatever way its number was typed, and no word of it."""

import io
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.__main__ import main
from central.subjects import SubjectError, pseudonym

KEY = bytes(range(32))
EXPECTED = "d5ek1EEMgYBhmk7iyYPzDVUMva6lrmVPznOEN8Cy92U"


def test_it_is_the_keyed_hash_that_others_compute():
    """Computed with `openssl dgst -sha256 -mac HMAC` over the same bytes."""
    assert pseudonym(KEY, "XX AB-1234567") == pseudonym(KEY, "xxab1234567") == EXPECTED


@given(st.text(), st.text())
def test_other_numbers_have_other_pseudonyms(one, other):
    try:
        first, second = pseudonym(KEY, one), pseudonym(KEY, other)
    except SubjectError as error:
        assert "letters and digits" in str(error)
        return
    assert len(first) == 43
    assert first != pseudonym(bytes(32), one)
    assert (first == second) == (pseudonym(bytes(32), one) == pseudonym(bytes(32), other))


def test_the_command(tmp_path, monkeypatch, capsys):
    key = tmp_path / "subjects.key"

    def told(typed, *arguments):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["pseudonym", "--key", str(key), *arguments])
        return code, *capsys.readouterr()

    code, _, said = told("XX AB1234567")
    assert code == 2 and str(key) in said
    code, first, said = told("XX AB1234567\n", "--new-key")
    assert code == 0 and "backup" in said and stat.S_IMODE(key.stat().st_mode) == 0o600
    assert told("xxab-1234567") == (0, first, "")
    assert told("XX AB1234567", "--new-key")[0] == 2
    assert told(" - ")[::2] == (2, "a document's number has 1 to 64 letters and digits\n")
    key.write_text("0123")
    assert told("XX AB1234567")[0] == 2
    key.chmod(0o644)
    assert told("XX AB1234567")[0] == 2
    assert "1234567" not in "".join(told("XX AB1234567")[1:])


@pytest.mark.parametrize("document", ["", " -", "x" * 65])
def test_what_is_no_number_is_refused_without_a_word_of_it(document):
    with pytest.raises(SubjectError, match="1 to 64"):
        pseudonym(KEY, document)
