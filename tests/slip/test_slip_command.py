"""`likeness-terminal slip`: people look at a slip, technicians try the paper."""

import yaml
from PIL import Image

from device.__main__ import main
from device.panel.catalogue import LANGUAGES
from device.slip import commands, fonts
from tests.slip.conftest import ADDRESS
from tests.slip.receipt_paper import printed, scanned


def test_a_specimen_in_each_language(tmp_path, capsys):
    made = [tmp_path / f"{language}.png" for language in LANGUAGES]
    for language, path in zip(LANGUAGES, made, strict=True):
        assert main(["slip", "show", "--out", str(path), "--language", language, "--paper", "58"]) == 0
    assert len({path.read_bytes() for path in made}) == len(made)
    assert {scanned(Image.open(path)) for path in made} == {f"{ADDRESS}/#{commands.SPECIMEN.code}"}
    assert capsys.readouterr() == ("", "")


def configuration(tmp_path, **slip):
    path = tmp_path / "terminal.yaml"
    settings = {"camera": {"kind": "usb-camera"}, "broker": {"host": "b"}, "keys": "keys", "outbox": "outbox.sqlite"}
    path.write_text(yaml.safe_dump(settings | ({"slip": {"address": ADDRESS, **slip}} if slip else {})))
    return str(path)


def test_a_trial_is_printed_without_a_code(tmp_path, sheet):
    config = configuration(tmp_path, printer={"kind": "file", "path": str(sheet)})
    assert main(["slip", "test", "--config", config, "--language", "zh-CN"]) == 0
    (paper,) = printed(sheet.read_bytes())
    assert (paper.width, scanned(paper)) == (576, ADDRESS)


def test_whoever_asks_for_something_else_is_told_what_to_do(tmp_path, capsys, monkeypatch):
    def refused(*words: str) -> str:
        assert main(["slip", *words]) == 2
        out, told = capsys.readouterr()
        assert (out, told.count("\n")) == ("", 1)
        return told.removeprefix("likeness-terminal: ").strip()

    screen = configuration(tmp_path, picture="/run/slip.png")
    assert refused("test") == "slip test: name the terminal's configuration with --config"
    assert refused("show") == "slip show: name a PNG file with --out"
    assert refused("show", "--out", f"{tmp_path}/none/a.png").endswith(
        "none/a.png: cannot be written: No such file or directory"
    )
    assert "names no printer: add slip.printer" in refused("test", "--config", screen)
    assert "has no slip: add slip:" in refused("test", "--config", configuration(tmp_path))
    gone = configuration(tmp_path, printer={"kind": "file", "path": "/nowhere/lp0"})
    assert (
        refused("test", "--config", gone)
        == "printer /nowhere/lp0: No such file or directory: check its power and cable"
    )
    monkeypatch.setattr(fonts, "PLACES", fonts.PLACES | {"hi": ()})
    no_font = "no font for hi: sudo apt-get install fonts-lohit-deva libfribidi0"
    assert refused("show", "--out", "a.png", "--language", "hi") == no_font
