"""The panel drawn in a terminal, read back from the pins: what a customer would see on the counter."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO

from device.panel.prompts import Colour, Lights

_INNER = 74
_LAMP = 12
_FRAME, _ASCII_FRAME = "╭─╮│╰╯", "+-+|++"
_SHADES, _ASCII_SHADES = "·░▒▓█", ".:+*#"
_WARM: Colour = (1.0, 0.85, 0.4)
_HIDE_CURSOR, _SHOW_CURSOR, _RESET = "\x1b[?25l", "\x1b[?25h", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Caption:
    """The words beside the lights.

    Attributes:
        title: what this panel is, such as `rehearsal-1 - an animation`.
        sentence: what is asked for or told.
        progress: how far the session is, such as `step 2 of 3`; empty when none runs.
    """

    title: str
    sentence: str
    progress: str = ""


class Console:
    """Draws in place on a terminal; elsewhere prints one line when the words change.

    A context manager: it gives the cursor back however the block ends.
    """

    def __init__(self, stream: TextIO, lights: Callable[[], Lights], environ: Mapping[str, str] = os.environ) -> None:
        """Takes where to draw, how to read the panel (`PinReader.lights`), and the environment (NO_COLOR, TERM)."""
        self._stream = stream
        self._lights = lights
        wide = shutil.get_terminal_size().columns >= _INNER + 2
        self._in_place = stream.isatty() and wide and environ.get("TERM", "dumb") != "dumb"
        self._colour = self._in_place and not environ.get("NO_COLOR")
        plain = not _speaks_boxes(stream)
        self._frame = _ASCII_FRAME if plain else _FRAME
        self._shades = _ASCII_SHADES if plain else _SHADES
        self._note = "tone" if plain else "♪"
        self._drawn: list[str] = []
        self._told: Caption | None = None

    def __enter__(self) -> Self:
        if self._in_place:
            self._stream.write(_HIDE_CURSOR)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the last picture standing and shows the cursor again; may be called twice."""
        if self._in_place:
            self._stream.write(_SHOW_CURSOR)
            self._stream.flush()

    def draw(self, caption: Caption) -> None:
        """Draws the pins as they are now beside the words; writes nothing when nothing changed."""
        lights = self._lights()
        if self._in_place:
            self._redraw(self._picture(lights, caption))
        elif caption != self._told:
            self._told = caption
            self._stream.write(self._line(lights, caption) + "\n")
            self._stream.flush()

    def _redraw(self, lines: list[str]) -> None:
        if lines == self._drawn:
            return
        up = f"\x1b[{len(self._drawn)}A" if self._drawn else ""
        self._stream.write(up + "".join(f"\r{line}\x1b[K\n" for line in lines))
        self._stream.flush()
        self._drawn = lines

    def _picture(self, lights: Lights, caption: Caption) -> list[str]:
        corner, bar, corner_right, _, foot, foot_right = tuple(self._frame)
        title = f" {caption.title[: _INNER - 6]} "
        sentence = textwrap.wrap(caption.sentence, _INNER - 4)[:2]
        body = [
            "",
            self._row("LEFT".center(_LAMP), "EYES".center(_LAMP), "RIGHT".center(_LAMP)),
            *[self._row(*(self._lamp(level) for level in (lights.left, lights.eyes, lights.right)))] * 2,
            "",
            self._fill(f"    status  {self._status(lights.status)}    buzzer  {self._sound(lights.tone_hz)}"),
            "",
            *(f"    {line}" for line in (*sentence, "", "")[:2]),
            f"    {caption.progress[: _INNER - 4]}",
        ]
        return [
            f"{corner}{bar}{title}{bar * (_INNER - 1 - len(title))}{corner_right}",
            *(self._framed(line) for line in body),
            f"{foot}{bar * _INNER}{foot_right}",
        ]

    def _framed(self, line: str) -> str:
        side = self._frame[3]
        return f"{side}{self._fill(line)}{side}"

    def _fill(self, line: str) -> str:
        return line + " " * (_INNER - _visible(line))

    def _row(self, left: str, middle: str, right: str) -> str:
        gap = " " * 12
        return f"    {left}{gap}{middle}{gap}{right}"

    def _lamp(self, level: float) -> str:
        return self._paint(self._shade(level) * _LAMP, _WARM, level)

    def _status(self, status: Colour) -> str:
        level = max(status)
        colour = (status[0] / level, status[1] / level, status[2] / level) if level else status
        return self._paint(self._shade(level) * 8, colour, level)

    def _shade(self, level: float) -> str:
        index = 0 if level <= 0 else 1 + min(int(level * (len(self._shades) - 1)), len(self._shades) - 2)
        return self._shades[index]

    def _sound(self, tone_hz: float | None) -> str:
        return f"{self._note} {tone_hz:.0f} Hz" if tone_hz is not None else "-"

    def _paint(self, text: str, colour: Colour, level: float) -> str:
        if not self._colour or level <= 0:
            return text
        red, green, blue = (round(255 * part) for part in colour)
        return f"\x1b[38;2;{red};{green};{blue}m{text}{_RESET}"

    def _line(self, lights: Lights, caption: Caption) -> str:
        lit = [name for name in ("left", "eyes", "right") if getattr(lights, name) > 0]
        shown = f" [lit: {', '.join(lit)}]" if lit else ""
        progress = f"{caption.progress}: " if caption.progress else ""
        return f"{caption.title}: {progress}{caption.sentence}{shown}"


def _visible(line: str) -> int:
    """How many columns a line with colour codes takes."""
    return sum(len(part.partition("m")[2]) for part in f"m{line}".split("\x1b["))


def _speaks_boxes(stream: TextIO) -> bool:
    try:
        (_FRAME + _SHADES + "♪").encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
