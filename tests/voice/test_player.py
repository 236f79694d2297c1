"""A real aplay, on ALSA devices that need no sound card; and processes that never end, to be interrupted."""

import threading
import time
import wave
from pathlib import Path

import pytest

from device.voice.player import Player, Utterance, with_volume

LIMIT_S = 20.0


def until(condition, what):
    pause = threading.Event()
    for _ in range(int(LIMIT_S / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError(what)


@pytest.fixture
def player():
    made = []

    def make(*arguments, **settings) -> Player:
        made.append(Player(*arguments, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
        assert not one._thread.is_alive()


@pytest.fixture
def sounds(folder: Path) -> list[Path]:
    return [folder / "en" / f"{key}.wav" for key in ("cue.blink", "cue.look-up", "scene.step-done")]


def test_aplay_plays_all_of_it_in_order(player, sounds, tmp_path):
    utterance = Utterance(sounds)
    player(f"file:'{tmp_path}/heard.raw',raw", 1.0).say(utterance)
    until(lambda: utterance.played == 3, "all is played")
    heard = (tmp_path / "heard.raw").read_bytes()
    with wave.open(str(sounds[-1])) as last:
        frames = last.readframes(last.getnframes())
    assert frames in heard  # each aplay truncates the file: it holds the last one, and a rest of silence


def test_without_a_sound_card_the_log_says_so_once(player, sounds, caplog):
    speaker = player("hw:CARD=nowhere", 1.0)
    for _ in range(3):
        utterance = Utterance(sounds)
        speaker.say(utterance)
        until(lambda: speaker._failed and speaker._process is None, "it fails")
    until(lambda: speaker._next is None, "the last one is taken")
    assert utterance.played == 0
    assert caplog.text.count("no voice, lights and tones alone") == 1


def test_without_aplay_and_without_the_file_nothing_is_said_and_nothing_breaks(player, sounds, tmp_path, caplog):
    missing = player("default", 1.0, command=[str(tmp_path / "aplay")])
    gone, broken = tmp_path / "gone.wav", tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    for path in (sounds[0], gone, broken):
        missing.say(Utterance([path]))
        until(lambda: missing._failed and missing._next is None, "it fails")
    assert caplog.text.count("no voice, lights and tones alone") == 1


ENDLESS = ("sh", "-c", 'cat >/dev/null; echo begun >>"$2"; exec sleep 600')


def begun(log: Path) -> int:
    return log.read_text().count("begun") if log.is_file() else 0


def test_the_newest_wins_and_never_two_are_heard_at_once(player, sounds, tmp_path):
    log = tmp_path / "log"
    speaker = player(str(log), 1.0, command=(*ENDLESS, "sh"))
    utterances = [Utterance(sounds) for _ in range(5)]
    processes = []
    for number, utterance in enumerate(utterances, 1):
        before = time.perf_counter()
        speaker.say(utterance)
        assert time.perf_counter() - before < 1.0  # the loop's own time: nothing is waited for
        until(lambda number=number: begun(log) == number, "the next one begins")
        until(lambda: speaker._process is not None, "and is known")
        processes.append(speaker._process)
        assert [process.poll() is None for process in processes] == [False] * (number - 1) + [True]
    assert {utterance.played for utterance in utterances} == {0}


def test_closing_ends_the_sound(player, sounds, tmp_path):
    log = tmp_path / "log"
    speaker = player(str(log), 1.0, command=(*ENDLESS, "sh"))
    speaker.say(Utterance(sounds))
    until(lambda: begun(log) == 1 and speaker._process is not None, "it begins")
    process = speaker._process
    speaker.close()
    assert process.poll() is not None
    with pytest.raises(RuntimeError, match="has ended"):
        speaker.say(Utterance(sounds))


def test_volume_makes_quieter_and_changes_nothing_else(sounds):
    raw = sounds[0].read_bytes()
    assert len(with_volume(raw, 0.5)) == len(raw)
    assert with_volume(with_volume(raw, 1.0), 1.0) == with_volume(raw, 1.0)
    loud, quiet = (max(with_volume(raw, volume)[44:][1::2]) for volume in (1.0, 0.5))
    assert quiet <= loud
