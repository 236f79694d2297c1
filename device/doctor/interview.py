"""Asks the technician: shows the panel, says a sentence, and waits for a button or a line from the keyboard."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable

from device.doctor.touch import Answer, Seen, legend, lights_for, pressed, questions, sentence_for, typed
from device.panel.gpio import Panel, PinMap
from device.panel.prompts import Lights
from device.panel.wiring import Wire

PATIENCE_S = 60.0
TICK_S = 0.05
DARK = Lights()


class Keyboard:
    """Whole lines from a terminal, without ever waiting longer than asked to."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        self._rest = b""

    def lines(self, wait_s: float) -> list[str]:
        """The lines that are there, waiting for them no longer than `wait_s`."""
        descriptor = self._descriptor
        ready, _, _ = select.select([] if descriptor is None else [descriptor], [], [], wait_s)
        if descriptor is None or not ready:
            return []
        raw = os.read(descriptor, 4096)
        if not raw:
            self._descriptor = None  # closed: only the buttons are left
        *lines, self._rest = (self._rest + raw).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


class Interview:
    """Goes through the panel with one technician."""

    def __init__(
        self,
        panel: Panel,
        pins: PinMap,
        keyboard: Keyboard,
        say: Callable[[str], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._panel, self._pins, self._keyboard, self._say = panel, pins, keyboard, say
        self._monotonic = monotonic

    def walk(self) -> list[Answer]:
        """Asks for every part; ends early when nobody is there. The panel is dark afterwards."""
        self._say(f"Numbers: {legend(self._pins)}.")
        answers: list[Answer] = []
        try:
            for wire in questions(self._pins):
                answers.append(self._ask(wire, answers))
                if answers[-1].seen == Seen.NO_ANSWER:
                    break
        finally:
            self._panel.show(DARK)
        return answers

    def _ask(self, wire: Wire, before: list[Answer]) -> Answer:
        self._panel.presses()
        self._keyboard.lines(0.0)
        self._panel.show(lights_for(wire))
        self._say(sentence_for(wire))
        deadline = self._monotonic() + PATIENCE_S
        while self._monotonic() < deadline:
            for press in self._panel.presses():
                return pressed(wire, press, before)
            for line in self._keyboard.lines(TICK_S):
                answer = typed(wire, line, self._pins)
                if answer is not None:
                    return answer
                self._say("Not understood: press START or CANCEL, or type a number.")
        return Answer(wire.name, Seen.NO_ANSWER)
