"""A terminal to be examined: a demonstration's authority, a configuration, and a counter that may be wired wrongly."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from gpiozero.pins.mock import MockFactory

from device.doctor.interview import Keyboard
from device.doctor.touch import lamps, questions
from device.panel.gpio import Panel, PinMap, mock_factory
from device.vision.manifest import default_directory
from provisioning.__main__ import free_port
from provisioning.demo import DemoAuthority, create_demo_authority
from tests.slip.conftest import network_printer  # noqa: F401 - a fixture

REHEARSAL = default_directory() / "rehearsal"


@pytest.fixture
def made(tmp_path) -> DemoAuthority:
    return create_demo_authority(
        tmp_path / "authority", ("shop-1",), port=free_port(), rehearsal=True, lifetime=timedelta(days=700)
    )


@pytest.fixture
def write(tmp_path, made) -> Callable[..., Path]:
    """Writes the configuration of a rehearsing terminal, changed section by section."""

    def write(**changes) -> Path:
        settings = {
            "camera": {"kind": "rehearsal", "person": str(REHEARSAL / "astronaut.json")},
            "panel": {"factory": "mock"},
            "broker": {"host": "127.0.0.1", "port": made.port},
            "keys": str(made.terminals["shop-1"]),
            "outbox": "outbox.sqlite",
        }
        path = tmp_path / "terminal.yaml"
        path.write_text(yaml.safe_dump(settings | changes))
        path.chmod(0o644)
        return path

    return write


@dataclass
class Technician:
    """Stands before a counter whose wires may go elsewhere than the pin map says; sees lamps, not pins.

    Attributes:
        wired: the pin (BCM number) that each lamp, button and the buzzer really hangs on; what is missing is dead.
        keyboard: what the doctor reads; without `hands` nothing is ever pressed or typed.
    """

    pins: PinMap
    factory: MockFactory
    wired: dict[str, int]
    keyboard: Keyboard
    typing: int
    types: bool = True
    heard: list[str] = field(default_factory=list)
    on_question: Callable[[str], None] = lambda _: None

    def hear(self, sentence: str) -> None:
        """Reacts at once, as a person does who is quick."""
        self.heard.append(sentence)
        self.on_question(sentence)
        if sentence.startswith("Press "):
            self._press(sentence.split()[1].lower()) or self._type("n")
        elif sentence.startswith("Now the "):
            self._answer(next(wire for wire in questions(self.pins) if f"the {wire.label} is lit" in sentence).name)
        elif sentence.startswith("The buzzer"):
            sounds = "buzzer" in self.wired and self.factory.pin(self.wired["buzzer"]).frequency is not None
            self._press("start" if sounds else "cancel") or self._type("y" if sounds else "n")

    def _answer(self, asked: str) -> None:
        lit = [name for name in self.wired if name in self._lamps() and self._shines(name)]
        if lit == [asked]:
            self._press("start") or self._type("y")
        elif self.types:
            self._type(str(self._lamps().index(lit[0]) + 1) if lit else "0")
        else:
            self._press("cancel")

    def _shines(self, lamp: str) -> bool:
        state = self.factory.pin(self.wired[lamp]).state
        return (state if self.pins.active_high else 1 - state) > 0

    def _lamps(self) -> list[str]:
        return [wire.name for wire in lamps(self.pins)]

    def _press(self, button: str) -> bool:
        if button not in self.wired:
            return False
        pin = self.factory.pin(self.wired[button])
        pin.drive_low()
        pin.drive_high()
        return True

    def _type(self, line: str) -> None:
        os.write(self.typing, f"{line}\n".encode())


@dataclass
class Stand:
    """A panel on real gpiozero devices over mock pins, and who stands before it."""

    panel: Panel | None
    technician: Technician


@pytest.fixture
def stand() -> Iterator[Callable[..., Stand]]:
    """Makes a counter; `wired` says what hangs elsewhere, None what is dead."""
    panels: list[Panel] = []
    ends: list[int] = []

    def make(pins: PinMap | None = None, *, types: bool = True, opened: bool = True, **wired: int | None) -> Stand:
        pins, factory = pins or PinMap(), mock_factory()
        ends.extend(os.pipe())
        panel = Panel(pins, factory) if opened else None
        panels.extend([panel] if panel else [])
        true = {name: number for name, number in (pins.pins() | wired).items() if number is not None}
        return Stand(panel, Technician(pins, factory, true, Keyboard(ends[-2]), ends[-1], types))

    yield make
    for panel in panels:
        panel.close()
    for end in ends:
        os.close(end)
