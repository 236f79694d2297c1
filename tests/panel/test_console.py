"""The panel drawn in a terminal: a real pseudo-terminal, or a stream that is none."""

import io
import os
import pty
import re

import pytest

from device.panel.console import Caption, Console
from device.panel.prompts import Lights, Scene, prompt
from device.wire.plan import Action

TERMINAL = {"TERM": "xterm-256color"}
CAPTION = Caption("Likeness", "Turn your head to your left.", "step 1 of 3")


@pytest.fixture
def terminal():
    """A pseudo-terminal: what is written to the stream is read by `seen`."""
    keeper, side = pty.openpty()
    stream = os.fdopen(side, "w", encoding="utf-8")

    def seen() -> str:
        stream.flush()
        return os.read(keeper, 65536).decode()

    yield stream, seen
    stream.close()
    os.close(keeper)


def plain(text: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "").splitlines()


def test_it_draws_the_pins_in_eighty_columns(terminal, desk):
    stream, seen = terminal
    desk.panel.show(prompt(Scene.CUE, 0.0, action=Action.TURN_LEFT))
    Console(stream, desk.reader.lights, TERMINAL).draw(CAPTION)
    lines = plain(seen())
    assert {len(line) for line in lines} == {76}
    assert any("Turn your head to your left." in line for line in lines)
    assert any("♪ 1318 Hz" in line for line in lines)
    lamps = [line for line in lines if "█" * 12 in line]
    assert all(line.index("█") < 10 for line in lamps)
    assert len(lamps) == 2


def test_it_redraws_in_place_and_only_when_something_changed(terminal):
    stream, seen = terminal
    console = Console(stream, Lights, TERMINAL)
    console.draw(CAPTION)
    height = len(plain(seen()))
    console.draw(CAPTION)
    console.draw(Caption("Likeness", "Look straight ahead."))
    assert seen().startswith(f"\x1b[{height}A")


def test_the_cursor_comes_back_even_after_an_error(terminal):
    stream, seen = terminal
    with pytest.raises(KeyboardInterrupt), Console(stream, Lights, TERMINAL):
        assert "\x1b[?25l" in seen()
        raise KeyboardInterrupt
    assert seen().endswith("\x1b[?25h")


def test_no_color_is_obeyed(terminal):
    stream, seen = terminal
    Console(stream, lambda: Lights((1.0, 0.0, 0.0), 1.0), {**TERMINAL, "NO_COLOR": "1"}).draw(CAPTION)
    assert "\x1b[38" not in seen()


@pytest.mark.parametrize("words", ["x" * 400, "a word " * 60, ""])
def test_long_words_do_not_break_the_frame(terminal, words):
    stream, seen = terminal
    Console(stream, Lights, TERMINAL).draw(Caption(words, words, words))
    assert {len(line) for line in plain(seen())} == {76}


def test_elsewhere_it_prints_a_line_when_the_words_change():
    stream = io.StringIO()
    with Console(stream, lambda: Lights(left=1.0), TERMINAL) as console:
        for _ in range(10):
            console.draw(CAPTION)
        console.draw(Caption("Likeness", "Well done."))
    assert stream.getvalue().splitlines() == [
        "Likeness: step 1 of 3: Turn your head to your left. [lit: left]",
        "Likeness: Well done. [lit: left]",
    ]


def test_an_ascii_stream_gets_ascii():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    stream.isatty = lambda: True
    Console(stream, lambda: Lights(left=1.0, tone_hz=880.0), TERMINAL).draw(CAPTION)
    stream.flush()
    assert b"tone 880 Hz" in raw.getvalue()
