"""What the proofs hold against each other: a difference too great, or another shape, is seen."""

import json

import pytest
from compare import main

ANSWERS = {
    "box": [1.0, 2.0],
    "embedding_int8": [0.6, 0.8],
    "embedding": [0.5, -0.5],
    "outcome": "verified",
    "machine": "x86_64",
}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"machine": "aarch64"}, 0),
        ({"embedding": [0.5005, -0.5]}, 0),
        ({"embedding": [0.502, -0.5]}, 1),
        ({"embedding": [float("nan"), -0.5]}, 1),
        ({"embedding": [0.5]}, 1),
        ({"outcome": "rejected"}, 1),
        ({"more": 1}, 1),
        ({"embedding_int8": [0.6, 0.8]}, 0),
        ({"embedding_int8": [0.68, 0.7332]}, 0),
        ({"embedding_int8": [0.8, 0.6]}, 1),
    ],
)
def test_a_difference_is_seen(tmp_path, change, status, capsys):
    for name, answers in (("one", ANSWERS), ("other", ANSWERS | change)):
        (tmp_path / name).write_text(json.dumps(answers))
    assert main(str(tmp_path / "one"), str(tmp_path / "other")) == status
    assert "greatest difference" in capsys.readouterr().out
