"""`likeness-terminal` as people call it: bad input ends with exit 2 and one line that says what to do."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.__main__ import main
from device.vision.manifest import default_directory

REHEARSAL = default_directory() / "rehearsal"
PERSON, PRINT = str(REHEARSAL / "astronaut.json"), str(REHEARSAL / "astronaut_print.json")
PORTRAIT = str(REHEARSAL / "astronaut.png")
COMMANDS = ("run", "doctor", "wiring", "calibrate", "rehearse", "replay", "analyse", "compare", "evaluate", "tune")
LIMIT_S = 60


@pytest.fixture
def refused(capsys):
    """Runs a command that has to end with exit 2 and a single line; returns the line without the program's name."""

    def run(*arguments) -> str:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            status = leaving.code
        printed = capsys.readouterr()
        assert (status, printed.out) == (2, "")
        (line,) = printed.err.splitlines()
        name, _, said = line.partition(": ")
        assert name.split()[0] == "likeness-terminal"
        assert said.isprintable()
        return said

    return run


@pytest.fixture
def clip(tmp_path):
    """Writes a clip without a face: `frames` plain or noisy pictures."""

    def write(frames: int, *, noise: bool = False) -> Path:
        path = tmp_path / "clip.mp4"
        random = np.random.default_rng(1)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 20.0, (320, 240))
        for _ in range(frames):
            plain = np.full((240, 320, 3), 128, np.uint8)
            writer.write(random.integers(0, 256, plain.shape, np.uint8) if noise else plain)
        writer.release()
        return path

    return write


@pytest.fixture
def copied_models(tmp_path):
    """A copy of the models that a test may damage."""
    skip = shutil.ignore_patterns("*.py", "re*", "__pycache__")
    return Path(shutil.copytree(default_directory(), tmp_path / "models", ignore=skip))


def picture(path: Path, pixels) -> Path:
    cv2.imwrite(str(path), pixels)
    return path


CLIP_COMMANDS = pytest.mark.parametrize(
    "command", [("analyse", "{}"), ("replay", "{}", "--reference", PORTRAIT, "--seed", "1")], ids=["analyse", "replay"]
)


def with_clip(command, path):
    return [argument.format(path) for argument in command]


@CLIP_COMMANDS
def test_a_clip_that_is_none_is_refused(refused, tmp_path, command):
    path = tmp_path / "clip.mp4"
    assert refused(*with_clip(command, path)) == f"{path}: no such file: give the path of a clip"
    assert refused(*with_clip(command, tmp_path)) == f"{tmp_path}: not a file: give the path of a clip"
    path.touch()
    assert refused(*with_clip(command, path)) == f"{path}: the file is empty: give a clip with at least one frame"
    for content in (b"text, no video", bytes(5000), b"\x00\x00\x00\x18ftypmp42" + bytes(100), b"GIF89a"):
        path.write_bytes(content)
        assert refused(*with_clip(command, path)).startswith(f"{path}: not a video that FFmpeg reads: give ")


@CLIP_COMMANDS
def test_a_clip_without_a_picture_is_refused(refused, clip, command):
    path = clip(0)
    assert path.stat().st_size > 0
    said = refused(*with_clip(command, path))
    assert said.startswith(f"{path}: ")
    assert "give " in said


@CLIP_COMMANDS
@pytest.mark.parametrize("noise", [False, True], ids=["plain", "noise"])
def test_a_clip_without_a_face_is_refused(refused, clip, command, noise):
    path = clip(30, noise=noise)
    expected = f"{path}: no face in any frame: give a clip of a face that looks at the camera"
    assert refused(*with_clip(command, path)) == expected


REFERENCE_COMMANDS = pytest.mark.parametrize(
    "command",
    [("rehearse", PERSON, "--reference", "{}"), ("compare", "{}", PORTRAIT), ("compare", PORTRAIT, "{}")],
    ids=["rehearse", "compare a", "compare b"],
)


@REFERENCE_COMMANDS
def test_a_reference_without_a_face_is_refused(refused, tmp_path, command):
    path = picture(tmp_path / "wall.png", np.full((126, 102, 3), 140, np.uint8))
    said = refused(*with_clip(command, path))
    assert said == f"{path}: no face found: give a portrait, upright and from the front"


@REFERENCE_COMMANDS
def test_a_reference_with_two_faces_is_refused(refused, tmp_path, command):
    one = cv2.imread(PORTRAIT)
    path = picture(tmp_path / "two.png", np.concatenate((one, one), axis=1))
    assert refused(*with_clip(command, path)) == f"{path}: 2 faces: give a picture of one person, or cut it to one"


@REFERENCE_COMMANDS
def test_a_picture_that_is_none_is_refused(refused, tmp_path, command):
    path = tmp_path / "portrait.png"
    assert refused(*with_clip(command, path)) == f"{path}: cannot be read: No such file or directory"
    path.write_bytes(Path(PORTRAIT).read_bytes()[:5000])
    assert refused(*with_clip(command, path)) == f"{path}: truncated: copy the picture again"
    path.touch()
    path.write_bytes(b"")
    assert refused(*with_clip(command, path)) == f"{path}: empty: give a picture"
    path.write_text("no picture")
    assert refused(*with_clip(command, path)).startswith(f"{path}: not a JPEG, ")


def test_a_person_that_is_none_is_refused(refused, tmp_path):
    path = tmp_path / "person.json"
    command = ("rehearse", path, "--reference", PORTRAIT)
    assert refused(*command) == f"{path}: cannot be read: No such file or directory"
    path.write_text("{")
    assert refused(*command).startswith(f"{path}: not JSON: ")
    path.write_text('{"clip": "gone.mp4", "segments_s": {"neutral": [0, 1], "blink": [2, 1]}}')
    assert refused(*command) == f"{path}: segments_s.blink: ends at 1 s, not after its start at 2 s"
    path.write_text('{"clip": "gone.mp4", "segments_s": {"neutral": [0, 1]}}')
    assert refused(*command) == f"{tmp_path / 'gone.mp4'}: no such file: give the path of a clip"


@pytest.mark.parametrize("seed", ["-1", "1k", "", "0x10", "9" * 5000])
def test_a_seed_that_is_none_is_refused(refused, seed):
    said = refused("rehearse", PERSON, "--reference", PORTRAIT, f"--seed={seed}")
    assert "is no seed: give a whole number from 0 on" in said


def test_a_changed_model_is_refused(refused, copied_models):
    path = copied_models / "landmarks_refined.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = refused("compare", PORTRAIT, PORTRAIT, "--models", copied_models)
    assert said.startswith(f"{path}: sha256 is ")
    assert said.endswith(": reinstall likeness")


@pytest.mark.parametrize("name", ["detector.tflite", "canonical_face.csv", "manifest.yaml"])
def test_a_missing_model_file_is_refused(refused, copied_models, name):
    (copied_models / name).unlink()
    said = refused("compare", PORTRAIT, PORTRAIT, "--models", copied_models)
    assert said.startswith(f"{copied_models / name}: cannot be read")


def test_compare_needs_two_pictures_or_a_list_with_its_folder(refused, tmp_path):
    wanted = "compare takes two pictures, or --pairs FILE.csv with --root DIR"
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b\n")
    assert refused("compare") == wanted
    assert refused("compare", PORTRAIT) == wanted
    assert refused("compare", PORTRAIT, PORTRAIT, PORTRAIT) == wanted
    assert refused("compare", "--pairs", pairs) == wanted
    assert refused("compare", PORTRAIT, "--pairs", pairs, "--root", tmp_path) == wanted


def test_a_faulty_list_is_refused(refused, tmp_path):
    pairs = tmp_path / "pairs.csv"
    command = ("compare", "--pairs", pairs, "--root", REHEARSAL)
    assert refused(*command) == f"{pairs}: cannot be read: No such file or directory"
    pairs.write_text("one,two\nx,y\n")
    assert refused(*command) == f"{pairs}:1: the header needs the columns a and b"
    pairs.write_text("a,b\nastronaut.png\n")
    assert refused(*command) == f"{pairs}:2: a or b is empty: name a picture in each"
    pairs.write_text("a,b\nastronaut.png,gone.png\n")
    assert refused(*command).startswith(f"{REHEARSAL / 'gone.png'}: no such picture (1 of 2 in {pairs} are missing)")
    pairs.write_bytes(b"a,b\n\xff,\xfe\n")
    assert refused(*command).startswith(f"{pairs}: not a CSV file in UTF-8")


def test_run_tells_every_fault_of_its_configuration_on_its_own_line(capsys, tmp_path):
    path = tmp_path / "terminal.yaml"
    path.write_text("camera:\n  kind: usb-camera\n  person: p.json\nbroker:\n  prt: 1\n  host: b\nkeys: k\n")
    assert main(["run", "--config", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = [line.removeprefix(f"likeness-terminal: {path}:") for line in printed.err.splitlines()]
    assert lines == [
        "1: camera: person belongs to kind: rehearsal, not to usb-camera: remove one of them",
        "1: outbox: is missing: add it",
        "5: broker.prt: is not a known key: remove it or mend its spelling",
    ]


def test_a_configuration_that_cannot_be_read_is_refused(refused, tmp_path):
    path = tmp_path / "terminal.yaml"
    assert refused("run", "--config", path) == f"{path}: cannot be read: No such file or directory"
    path.write_text("camera: [\n")
    assert refused("run", "--config", path).startswith(f"{path}:2: not YAML: ")


@pytest.mark.parametrize(
    "arguments",
    [(), ("fly",), ("rehearse",), ("replay", "c.mp4"), ("run",), ("analyse", "c", "--runtime", "x"), ("compare", "-z")],
)
def test_a_command_that_is_none_is_one_line_that_leads_to_the_help(refused, arguments):
    assert " --help" in refused(*arguments)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_shows_an_example(capsys, command):
    for arguments in (["--help"], [command, "--help"]):
        with pytest.raises(SystemExit) as leaving:
            main(arguments)
        assert leaving.value.code == 0
        printed = capsys.readouterr().out
        assert command in printed
        assert "example: likeness-terminal " in printed
    assert f"example: likeness-terminal {command} " in printed


def test_a_face_matches_itself(capsys):
    assert main(["compare", PORTRAIT, PORTRAIT, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["score", "threshold", "match"]
    assert document["score"] == pytest.approx(1.0, abs=1e-4)
    assert document["match"] is True
    assert main(["compare", PORTRAIT, PORTRAIT]) == 0
    assert capsys.readouterr().out.startswith("The faces match: score 1.000, threshold 0.")


def test_a_list_of_pairs_is_scored(capsys, tmp_path):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b\nastronaut.png,astronaut.png\n")
    assert main(["compare", "--pairs", str(pairs), "--root", str(REHEARSAL)]) == 0
    printed = capsys.readouterr()
    assert printed.out == "a,b,score\nastronaut.png,astronaut.png,1.000000\n"
    assert printed.err == ""


STEP_KEYS = ["action", "cue_s", "onset_s", "done_s", "passed"]


def test_a_rehearsal_is_verified_and_prints_the_promised_keys(capsys):
    assert main(["rehearse", PERSON, "--reference", PORTRAIT, "--seed", "1", "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    document = json.loads(printed.out)
    assert list(document) == ["outcome", "reasons", "sentence", "comparison", "liveness", "capture", "seed"]
    assert list(document["comparison"]) == ["score", "threshold", "match"]
    assert list(document["liveness"]) == ["actions", "plan", "steps", "guess_probability"]
    assert [list(step) for step in document["liveness"]["steps"]] == [STEP_KEYS] * 3
    assert list(document["capture"]) == ["source", "frames", "fps"]
    assert (document["outcome"], document["reasons"], document["seed"]) == ("verified", [], 1)
    assert document["comparison"]["match"] is True
    assert document["comparison"]["score"] >= document["comparison"]["threshold"]
    liveness = document["liveness"]
    assert [step["action"] for step in liveness["steps"]] == liveness["plan"]
    assert set(liveness["plan"]) <= set(liveness["actions"])
    times = [step[key] for step in liveness["steps"] for key in ("cue_s", "onset_s", "done_s")]
    assert times == sorted(times)
    assert 0 < liveness["guess_probability"] < 0.1
    assert document["capture"]["source"] == "rehearsal"
    assert document["capture"]["fps"] == pytest.approx(30, abs=0.1)


def test_a_printed_photo_is_rejected_with_exit_1(capsys):
    assert main(["rehearse", PRINT, "--reference", PORTRAIT, "--seed", "1", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["outcome"] == "rejected"
    assert document["reasons"]
    assert not all(step["passed"] for step in document["liveness"]["steps"])


def started(*arguments: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "device", *arguments], stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("arguments", [("--help",), ("compare", PORTRAIT, PORTRAIT)], ids=["help", "compare"])
@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_reader_that_has_gone_is_no_fault(arguments, buffered):
    reading, writing = os.pipe()
    os.close(reading)
    with started(*arguments, stdout=writing, env={**os.environ, "PYTHONUNBUFFERED": buffered}) as process:
        os.close(writing)
        _, said = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, said) == (0, "")


def test_ctrl_c_ends_a_session_with_one_line(tmp_path):
    """The reference is a named pipe: once it is opened for reading, the command is at work."""
    reference = tmp_path / "portrait.png"
    os.mkfifo(reference)
    process = started("rehearse", PERSON, "--reference", str(reference), stdout=subprocess.PIPE)
    watchdog = threading.Thread(target=_open_when_ended, args=(process, reference))
    watchdog.start()
    try:
        with reference.open("wb") as writing:
            writing.write(Path(PORTRAIT).read_bytes())
            writing.flush()
            process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
        process.communicate()
        watchdog.join()
    assert (process.returncode, printed, said) == (130, "", "likeness-terminal: stopped\n")


def _open_when_ended(process: subprocess.Popen[str], pipe: Path) -> None:
    """Who waits for a reader that will never come would wait for ever."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(LIMIT_S)
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))


@pytest.mark.skipif(Path("/dev/gpiochip0").exists(), reason="this machine has pins: nothing is to be missed here")
def test_pins_that_cannot_be_had_are_tried_again(tmp_path):
    """75, not 2: at a boot the chip may come late, and systemd leaves the service at a 2."""
    path = tmp_path / "terminal.yaml"
    lines = ["camera: {kind: usb-camera}", "panel: {factory: pi}", "broker: {host: localhost}", "keys: k", "outbox: o"]
    path.write_text("\n".join(lines))
    command = [sys.executable, "-m", "device", "run", "--config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 75, done.stderr
    assert "<2>device.daemon: panel failed: " in done.stderr and "Traceback" not in done.stderr
