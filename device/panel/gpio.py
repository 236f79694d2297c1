"""The panel on GPIO pins: real gpiozero devices on the pin factory that the caller chose."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from contextlib import chdir
from functools import partial
from queue import Empty, Full, Queue
from typing import Annotated

from gpiozero import PWMLED, RGBLED, Button, GPIOZeroError, TonalBuzzer
from gpiozero.pins import Factory
from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin
from gpiozero.tones import Tone
from pydantic import Field, model_validator

from device.liveness.session import Press
from device.panel.button import LongOrShort
from device.panel.prompts import Lights
from device.settings import Settings

PRESSES_KEPT = 8
BOUNCE_S = 0.03
LOUDEST_DUTY = 0.5
RING_HZ = 1000  # far above the frame rate: slower pulses would stand as bands in the pictures
Pin = Annotated[int, Field(strict=True, ge=0, le=27, description="BCM number")]


class PanelError(RuntimeError):
    """The panel's pins cannot be used; the message is one line that says what to do."""


class RingPins(Settings):
    """The pins of an RGB ring around the lens."""

    red: Pin
    green: Pin
    blue: Pin


class PinMap(Settings):
    """Which pin (BCM number) each part of the panel is wired to, and how loud it is."""

    status_red: Pin = 17
    status_green: Pin = 27
    status_blue: Pin = 22
    left: Pin = 23
    right: Pin = 24
    eyes: Pin = 25
    buzzer: Pin = 18
    start: Pin = 5
    cancel: Pin = 6
    ring: Annotated[RingPins | None, Field(description="red, green, blue of an RGB ring around the lens")] = None
    active_high: Annotated[bool, Field(description="false when a light's pin is pulled low to light it")] = True
    sound: bool = True
    volume: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _each_pin_once(self) -> PinMap:
        shared = [pin for pin, uses in Counter(self.pins().values()).items() if uses > 1]
        if shared:
            names = " and ".join(name for name, pin in self.pins().items() if pin == shared[0])
            raise ValueError(f"pin {shared[0]} stands for {names}: give each its own pin")
        return self

    def pins(self) -> dict[str, int]:
        """The BCM number of each part, by its name."""
        ring = self.ring or ()
        return {name: value for name, value in self if type(value) is int} | {f"ring.{name}": pin for name, pin in ring}


def mock_factory() -> MockFactory:
    """Pins without hardware, with PWM: for rehearsal, tests and a desk."""
    return MockFactory(pin_class=MockPWMPin)


def pi_factory() -> Factory:
    """The pins of the Raspberry Pi that this runs on; raises PanelError elsewhere."""
    os.environ.setdefault("LG_WD", tempfile.gettempdir())  # else lgpio leaves its pipe in the working directory
    try:
        # Imported here: lgpio opens that pipe on import, and nothing but a Pi has use for it. It goes to the pipe's
        # folder and stays there: every relative path that is still to be opened would lie elsewhere.
        with chdir(os.environ["LG_WD"]):
            import lgpio  # noqa: PLC0415
            from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise PanelError(f"lgpio cannot be loaded ({error}): pip install lgpio") from None
    try:
        return LGPIOFactory()
    except (GPIOZeroError, OSError, lgpio.error) as error:
        raise PanelError(f"no GPIO pins here ({error}): run on a Raspberry Pi, or choose the mock panel") from None


def pin_errors() -> tuple[type[Exception], ...]:
    """What a pin may raise: lgpio, where it is loaded, has an error of its own."""
    lgpio = sys.modules.get("lgpio")
    return (GPIOZeroError, OSError) if lgpio is None else (GPIOZeroError, OSError, lgpio.error)


class Panel:
    """Lights, buzzer and buttons. The caller sets it each tick; nothing blinks or beeps by itself."""

    def __init__(self, pins: PinMap, factory: Factory) -> None:
        self._pins = pins
        light = {"active_high": pins.active_high, "pin_factory": factory}
        self._status = RGBLED(pins.status_red, pins.status_green, pins.status_blue, **light)
        self._left, self._right, self._eyes = (PWMLED(pin, **light) for pin in (pins.left, pins.right, pins.eyes))
        ring = pins.ring or ()
        self._ring = [PWMLED(pin, frequency=RING_HZ, **light) for _, pin in ring]
        self._buzzer = TonalBuzzer(pins.buzzer, mid_tone=Tone("A5"), octaves=2, pin_factory=factory)
        self._presses: Queue[Press] = Queue(PRESSES_KEPT)
        self._start = LongOrShort(Press.START, Press.START_HELD, factory.ticks)
        start, cancel = (
            Button(pin, pull_up=True, bounce_time=BOUNCE_S, pin_factory=factory) for pin in (pins.start, pins.cancel)
        )
        start.when_pressed, start.when_released = self._start.down, self._release_start
        cancel.when_pressed = partial(self._enqueue, Press.CANCEL)  # at once: nothing is surer than a refusal
        self._buttons = [start, cancel]
        self._shown = Lights()

    def _release_start(self) -> None:
        self._enqueue(self._start.up())

    def _enqueue(self, press: Press | None) -> None:
        if press is None:
            return
        try:
            self._presses.put_nowait(press)
        except Full:  # a child hammering the button: the first presses are the ones that count
            return

    def show(self, lights: Lights) -> None:
        """Sets the pins that differ from what is shown."""
        if lights.status != self._shown.status:
            self._status.value = lights.status
        for led, level, shown in (
            (self._left, lights.left, self._shown.left),
            (self._right, lights.right, self._shown.right),
            (self._eyes, lights.eyes, self._shown.eyes),
        ):
            if level != shown:
                led.value = level
        for led, level, shown in zip(self._ring, lights.ring, self._shown.ring, strict=False):
            if level != shown:
                led.value = level
        if lights.tone_hz != self._shown.tone_hz and self._pins.sound:
            self._sound(lights.tone_hz)
        self._shown = lights

    def _sound(self, tone_hz: float | None) -> None:
        if tone_hz is None:
            self._buzzer.stop()
        else:
            self._buzzer.play(Tone.from_frequency(tone_hz))
            self._buzzer.pwm_device.value = LOUDEST_DUTY * self._pins.volume

    def presses(self) -> list[Press]:
        """The presses since the last call, oldest first; at most PRESSES_KEPT are kept."""
        self._enqueue(self._start.held())
        taken: list[Press] = []
        while True:
            try:
                taken.append(self._presses.get_nowait())
            except Empty:
                return taken

    def forget_presses(self) -> None:
        """Forgets what was pressed, and what is still held down: it was not meant for what is shown from now on."""
        self._start.forget()
        while self.presses():
            pass

    def close(self) -> None:
        """Leaves all dark and silent and frees the pins; may be called twice."""
        for device in (self._status, self._left, self._right, self._eyes, *self._ring, self._buzzer):
            if not device.closed:
                device.off() if device is not self._buzzer else device.stop()
        for device in (self._status, self._left, self._right, self._eyes, *self._ring, self._buzzer, *self._buttons):
            device.close()
        self._shown = Lights()


class PinReader:
    """Reads the panel back from its pins: what really is lit, for whoever watches it."""

    def __init__(self, pins: PinMap, factory: Factory) -> None:
        self._pins = pins
        self._factory = factory

    def lights(self) -> Lights:
        """The state of the pins; all dark when the panel is closed."""
        pins = self._pins
        return Lights(
            status=(self._level(pins.status_red), self._level(pins.status_green), self._level(pins.status_blue)),
            left=self._level(pins.left),
            right=self._level(pins.right),
            eyes=self._level(pins.eyes),
            tone_hz=self._tone(),
            ring=(0.0, 0.0, 0.0)
            if pins.ring is None
            else (self._level(pins.ring.red), self._level(pins.ring.green), self._level(pins.ring.blue)),
        )

    @property
    def can_press(self) -> bool:
        """Whether software can press a button here: on mock pins alone."""
        return isinstance(self._factory, MockFactory)

    def press(self, button: Press) -> None:
        """Presses a button as a finger does; mock pins only, TypeError on others."""
        pin = self._factory.pin(self._pins.start if button is Press.START else self._pins.cancel)
        if not isinstance(pin, MockPin):
            raise TypeError("only a mock pin can be pressed by software")
        pin.drive_low()
        pin.drive_high()

    def _level(self, number: int) -> float:
        pin = self._factory.pin(number)
        if pin.function != "output":
            return 0.0
        return float(pin.state) if self._pins.active_high else 1.0 - float(pin.state)

    def _tone(self) -> float | None:
        pin = self._factory.pin(self._pins.buzzer)
        if pin.function != "output" or pin.frequency is None or not pin.state:
            return None
        return float(pin.frequency)


def open_panel(pins: PinMap, *, on_pi: bool) -> tuple[Panel, PinReader]:
    """The panel on this Raspberry Pi's pins, or on mock ones; raises PanelError."""
    factory = pi_factory() if on_pi else mock_factory()
    try:
        return Panel(pins, factory), PinReader(pins, factory)
    except pin_errors() as error:
        raise PanelError(f"the pins cannot be used ({error}): does another process use them?") from None
