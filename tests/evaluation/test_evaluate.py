import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.__main__ import main
from device.evaluation.bootstrap import Scores, error_rates
from device.evaluation.degrade import ReferenceKind
from device.evaluation.evaluate import Measured, group_rates, pair_scores
from device.evaluation.evaluate_report import Conditions, report_json, report_markdown
from device.evaluation.figures import draw_det, draw_scores, trade_off
from device.evaluation.testset import Groups

THRESHOLDS = {"1e-3": 0.4, "1e-4": 0.5}
SUBJECTS = ("ada", "bob", "carol", "dan")


@pytest.fixture(scope="module")
def scores() -> Scores:
    """Four subjects, two women and two men; the women are alike, and one picture of Dan is not like him."""
    genuine, genuine_of = np.array([0.9, 0.8, 0.7, 0.3]), np.arange(4)
    impostor_of = np.array([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
    return Scores(genuine, genuine_of, np.array([0.45, 0.1, 0.0, 0.2, -0.1, 0.1]), impostor_of)


@pytest.fixture(scope="module")
def measured(scores) -> list[Measured]:
    groups = Groups(("sex",), {"ada": ("f",), "bob": ("f",), "carol": ("m",), "dan": ("m",)})
    limits = tuple(THRESHOLDS.values())
    rates = error_rates(scores, limits, replicates=30)
    found = tuple(group_rates(scores, SUBJECTS, groups, limits))
    return [Measured("people", kind, 8, ("lost.png",), scores, rates, (), (), found) for kind in ReferenceKind]


def test_scores_are_the_cosines_of_the_pairs() -> None:
    vectors = np.array([(1, 0), (0.6, 0.8), (0, 1)], np.float32)
    pairs = np.array([(0, 1), (0, 2), (2, 1)])
    assert pair_scores(vectors, vectors, pairs) == pytest.approx([0.6, 0, 0.8])


def test_groups_are_compared_within_themselves(scores) -> None:
    groups = Groups(("sex", "age"), {"ada": ("f", ""), "bob": ("f", ""), "carol": ("m", "30-39"), "dan": ("m", "")})
    women, men, thirties = group_rates(scores, SUBJECTS, groups, (0.4,))
    assert (women.label, women.value, women.subjects) == ("sex", "f", 2)
    assert (women.false_match.hits, women.false_match.trials) == (1, 1)
    assert (women.false_non_match.hits, women.false_non_match.trials) == (0, 2)
    assert (men.false_match.hits, men.false_match.trials) == (0, 1)
    assert (men.false_non_match.hits, men.false_non_match.trials) == (1, 2)
    assert (thirties.false_match, thirties.false_non_match.trials) == (None, 1)


def test_the_curve_falls_and_passes_the_rates_done_by_hand(scores) -> None:
    false_match, false_non_match = trade_off(scores)
    assert (np.diff(false_match) >= 0).all()
    assert (np.diff(false_non_match) <= 0).all()
    points = set(zip(false_match.round(4).tolist(), false_non_match.tolist(), strict=True))
    assert {(0.0, 0.25), (round(1 / 6, 4), 0.25), (round(1 / 6, 4), 0.0)} <= points


def test_the_report_says_what_was_measured(measured) -> None:
    conditions = Conditions("likeness-terminal evaluate", "ai-edge-litert", {"embedding": "ab" * 32}, THRESHOLDS, 3)
    document = json.loads(json.dumps(report_json(conditions, measured)))
    assert [each["reference"] for each in document["sets"]] == ["full", "chip", "printed"]
    first = document["sets"][0]
    assert first["at_shipped"]["1e-3"]["fmr"]["value"] == pytest.approx(1 / 6, abs=1e-6)
    assert first["at_shipped"]["1e-3"]["fnmr"]["value"] == 0.25
    assert first["groups"][0]["fmr"] == {"hits": 1, "trials": 1, "low": pytest.approx(0.025), "high": 1.0}
    text = report_markdown(conditions, measured)
    assert "| people | full | 4 | 1 of 8 | 4 / 6 |" in text
    assert "sex f | 2 | 1e-3 | 1/1 = 100.0 %" in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({row.count("|") for row in table.splitlines()}) == 1, table


def test_the_curves_are_pictures(measured, tmp_path: Path) -> None:
    for draw, name in ((draw_det, "det.png"), (draw_scores, "scores.png")):
        draw(tmp_path / name, measured, THRESHOLDS)
        height, width = cv2.imread(str(tmp_path / name)).shape[:2]
        assert height > 250 < width


@pytest.mark.media
def test_a_few_people_are_measured_from_the_command_line(media: Path, tmp_path: Path, capsys) -> None:
    london, pictures = media / "pairs" / "london", tmp_path / "few"
    pictures.mkdir()
    for name in ("001_neutral", "001_smiling", "005_neutral", "005_smiling"):
        shutil.copy(london / f"{name}.jpg", pictures)
    out, info = tmp_path / "report", media / "pairs" / "london_info.csv"
    options = ["--reference", "full", "--reference", "chip", "--groups", str(info), "--out", str(out), "--json"]
    assert main(["evaluate", "--pairs", str(pictures), *options]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert printed.err == ""
    assert document == json.loads((out / "report.json").read_text())
    for each in document["sets"]:
        assert (each["name"], each["pictures"], each["genuine"], each["impostor"]) == ("few", 4, 2, 4)
        assert each["at_shipped"]["1e-4"]["fnmr"]["value"] == each["at_shipped"]["1e-3"]["fmr"]["value"] == 0
    assert sorted(path.name for path in out.iterdir()) == ["det.png", "report.json", "report.md", "scores.png"]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--pairs", "none.csv", "--out", "out"], "none.csv: cannot be read"),
        (["--pairs", "a.csv", "--pairs", "b.csv", "--root", ".", "--out", "out"], "2 CSV files and 1 --root"),
        (["--pairs", ".", "--out", "out"], "0 pictures: give a folder"),
        (["--pairs", ".", "--reference", "foil", "--out", "out"], "invalid ReferenceKind value"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path: Path, monkeypatch, capsys, arguments: list[str], fault: str) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["evaluate", *arguments])
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    error = capsys.readouterr().err
    assert fault in error
    assert len(error.splitlines()) == 1
