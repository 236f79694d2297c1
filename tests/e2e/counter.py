"""A terminal on a counter with somebody before it: real models, loop, outbox and link; the panel's pins are mocked.

The loop is fed on recorded time, frame by frame.
"""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from queue import Empty

import cv2
import numpy as np
import samples
from gpiozero.pins.mock import MockFactory, MockPWMPin
from world import Terminal, World, until

from central.__main__ import main as central
from device.admission import Admission
from device.app import App
from device.camera import CaptureSource
from device.camera.held_card import CardFirst, HeldCard
from device.camera.newest import NewestFrame
from device.camera.person import Person, load_person
from device.camera.rehearsal import RehearsalCamera
from device.closing import Closing
from device.daemon import models_digest
from device.delivery.commands import CommandDesk
from device.delivery.requests import PolicyFloor, RequestDesk
from device.liveness.limits import Limits
from device.liveness.session import Press
from device.orders import Orders
from device.panel.button import LONG_PRESS_S
from device.panel.gpio import Panel, PinMap, PinReader
from device.panel.prompts import Scene
from device.results import Terminal as TerminalFacts
from device.service import Service
from device.slip.giver import SlipGiver
from device.vision.manifest import default_directory
from device.voice.voice import Voice
from device.wire.fields import FalseMatchRate

REHEARSAL = default_directory() / "rehearsal"
PORTRAIT = REHEARSAL / "astronaut.png"
FRAME_LIMIT = 3000


class Waiting:
    """The requests that the link put aside."""

    def __init__(self, terminal: Terminal) -> None:
        self._requests = terminal.requests

    def get(self) -> bytes | None:
        try:
            return self._requests.get_nowait()
        except Empty:
            return None


class Clocked(MockFactory):
    """Mock pins whose time is set by hand."""

    now = 0.0

    def ticks(self) -> float:
        return self.now


class Counter:
    """A terminal on a counter, with somebody before it."""

    def __init__(
        self,
        world: World,
        vision,
        person: str | Person = "astronaut.json",
        limits: Limits | None = None,
        document: np.ndarray | None = None,
        name: str = "shop-1",
        offline_sessions: int = 0,
        seed: int = 3,
        voice: Voice | None = None,
        slips: SlipGiver | None = None,
        drops_frames: bool = True,
    ) -> None:
        self.world, self.terminal = world, world.terminal(name)
        pins, factory = PinMap(), Clocked(pin_class=MockPWMPin)
        self.factory = factory
        self.panel, self.reader = Panel(pins, factory), PinReader(pins, factory)
        self.camera = RehearsalCamera(
            load_person(REHEARSAL / person) if isinstance(person, str) else person,
            self.reader.lights,
            seed=seed,
            press_start=lambda: self.reader.press(Press.START),
        )
        if document is not None:
            self.camera = CardFirst(self.camera, HeldCard(document, seed=3), self.reader.lights)
        self.portrait = world.folder / "portrait.jpg"
        cv2.imwrite(str(self.portrait), cv2.resize(cv2.imread(str(PORTRAIT)), None, fx=0.5, fy=0.5))
        software = samples.SOFTWARE.model_copy(update={"models_sha256": models_digest(vision.models)})
        terminal = self.terminal
        facts = TerminalFacts(name, samples.BOOT, "1", software, CaptureSource.REHEARSAL)
        clock, vitals, outbox = terminal.clock, terminal.vitals, terminal.outbox
        admission = Admission(
            outbox, samples.BOOT, clock, limits or Limits(), vitals, offline_sessions=offline_sessions
        )
        desk = CommandDesk(terminal.keys, samples.BOOT, outbox, clock)
        self.orders = Orders(terminal.commands, desk, terminal.link, admission, vitals)
        self.app = App(
            terminal=facts,
            frames=NewestFrame(self.camera, waits_for_taker=not drops_frames),
            panel=self.panel,
            voice=voice or Voice(None, (), {}),
            vision=vision,
            requests=Waiting(terminal),
            desk=RequestDesk(terminal.keys, samples.BOOT, outbox, PolicyFloor(FalseMatchRate.ONE_IN_1000)),
            link=terminal.link,
            clock=clock,
            vitals=vitals,
            admission=admission,
            closing=Closing(facts, outbox, clock, admission, terminal.keys.evidence_recipient, slips),
            orders=self.orders,
            service=Service({}),
        )

    def ask(self, *options: str) -> str:
        """Central's own command asks for a session; returns the request's id once the request has arrived."""
        reference = [] if {"--card", "--witnessed"} & {*options} else ["--reference", str(self.portrait)]
        command = ["request", "--config", str(self.world.made.central), "--terminal", self.terminal.name]
        with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as complained:
            done = central([*command, *reference, *options])
        assert done == 0, complained.getvalue()
        until(lambda: not self.terminal.requests.empty(), "the request arrives")
        return said.getvalue().strip()

    def held(self) -> list[dict]:
        """The results that central holds, as its own command lists them; the oldest first."""
        command = [sys.executable, "-m", "central", "results", "--config", str(self.world.made.central), "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def hold_start(self) -> None:
        """A long press of START."""
        start = self.factory.pin(PinMap().start)
        start.drive_low()
        self.factory.now += LONG_PRESS_S
        start.drive_high()

    def work_until(self, scene: Scene) -> list[Scene]:
        """Feeds frames until the panel tells `scene`; returns the scenes on the way."""
        seen: list[Scene] = []
        for _ in range(FRAME_LIMIT):
            self.app.tick(self.camera.read())
            if not seen or seen[-1] is not self.app.shown.scene:
                seen.append(self.app.shown.scene)
            if seen[-1] is scene:
                return seen
        raise AssertionError(f"{scene} was not shown: {seen}")

    def close(self) -> None:
        self.panel.close()
