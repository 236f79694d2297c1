"""A ledger filled by real sessions: camera, models, panel, consent, challenge, decision, outbox, broker, receiver.

The customer is the animation of a public-domain portrait, on recorded time. Nothing of a result is made up.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
from broker import Broker
from counter import PORTRAIT, REHEARSAL, Counter
from customer import NUMBER
from PIL import Image
from world import Central, World, until

from device.camera.person import Person, load_person
from device.camera.portrait import load_picture
from device.liveness.session import Press
from device.panel.catalogue import load_catalogue
from device.panel.prompts import Scene
from device.slip.giver import SlipGiver, open_slips
from device.slip.settings import SlipSettings
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.voice.rendering import make_sounds
from device.voice.sounds import load_sounds
from device.voice.voice import Voice
from device.wire.slip import read_code
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority
from tests.slip.conftest import ADDRESS
from tests.slip.receipt_paper import scanned
from tests.voice.conftest import Listener

FPS = 15  # enough for every rule, and half the work of 30
CUSTOMER, RETURNED = "shop-1", "shop-2"
ANNA, BERTA = "a" * 32, "b" * 32
VOICES = ("en", "hi")


class Rehearsed:
    """Two terminals on a counter each, and central.

    `numbers` tells which result is which; `slip` is the code that the verified customer went away with.
    """

    def __init__(self, folder: Path) -> None:
        made = create_demo_authority(folder / "keys", (CUSTOMER, RETURNED), port=free_port(), rehearsal=True)
        self.world = World(folder, made, Broker(made), Central(made.central))
        self.numbers: dict[str, int] = {}
        self._vision, self._folder = load_vision(default_directory(), preferred_runtime()), folder
        self._person, self._voices = self._load("astronaut.json"), _voices(folder / "voice")
        self._other = _another_portrait(folder / "other.jpg")
        self._shop: Counter | None = None
        self._open, self._screen, self.slip = ExitStack(), folder / "slip.png", ""
        self._customer = Listener()

    def open(self) -> None:
        """Starts broker and central, and a terminal with a voice."""
        self.world.broker.start()
        self.world.central.start()
        slips = self._open.enter_context(open_slips(SlipSettings(address=ADDRESS, picture=self._screen), VOICES))
        self._shop = self._counter(CUSTOMER, self._person, self._customer, slips)

    def fill(self) -> None:
        """One session of each kind, and one that central sets apart."""
        signals = ("--evidence", "signals")
        self._session("verified", Scene.VERIFIED, *signals, "--subject", ANNA, "--number", NUMBER, do=self._take_slip)
        self._session("another person", Scene.REJECTED, *signals, "--reference", str(self._other), "--subject", BERTA)
        self._session("alternative", Scene.VERIFIED, *signals, "--alternative", "left", do=self._choose_in_hindi)
        self._session("cancelled", Scene.CANCELLED, do=self._press_at(Scene.POSITION, Press.CANCEL))
        self._session("witnessed", Scene.WITNESSED, "--witnessed")
        self.decline("declined")
        self._printed_photo()
        self._outbox_that_is_put_back()

    def decline(self, name: str) -> int:
        """Somebody refuses before the text was read to its end; returns the result's number."""
        self._customer.patience = 1
        number = self._session(name, Scene.DECLINED, do=self._press_at(Scene.CONSENT, Press.CANCEL))
        self._customer.patience = None
        return number

    def close(self) -> None:
        if self._shop is not None:
            self._shop.close()
        self._open.close()
        self.world.close()

    def _session(
        self,
        name: str,
        until: Scene,
        *options: str,
        do: Callable[[Counter], None] | None = None,
        shop: Counter | None = None,
    ) -> int:
        shop = shop or self._shop
        sale = f"sale-{len(self.numbers) + 1}"
        shop.ask("--attempts", "1", "--attendant", "attendant-3", "--transaction", sale, *options)
        if do is not None:
            do(shop)
        shop.work_until(until)
        shop.work_until(Scene.IDLE)
        shop.terminal.is_receipted()
        self.numbers[name] = max(held.number for held in self.world.central.held())
        return self.numbers[name]

    def _take_slip(self, shop: Counter) -> None:
        """The customer scans what the terminal's screen shows at the end."""
        shop.work_until(Scene.VERIFIED)
        until(self._screen.exists, "a slip is shown")
        self.slip = read_code(scanned(Image.open(self._screen)).partition("#")[2])

    @staticmethod
    def _choose_in_hindi(shop: Counter) -> None:
        shop.work_until(Scene.CONSENT)
        shop.hold_start()
        shop.work_until(Scene.POSITION)
        shop.hold_start()

    @staticmethod
    def _press_at(scene: Scene, press: Press) -> Callable[[Counter], None]:
        def do(shop: Counter) -> None:
            shop.work_until(scene)
            shop.reader.press(press)

        return do

    def _printed_photo(self) -> None:
        """A print is held before the second terminal."""
        shop = self._counter(RETURNED, self._load("astronaut_print.json"))
        self._session("printed photo", Scene.REJECTED, "--evidence", "signals", shop=shop)
        self._stop(shop)

    def _outbox_that_is_put_back(self) -> None:
        """A technician puts the second terminal's outbox back as it was before its last result: a fork."""
        outbox = self._folder / f"{RETURNED}.sqlite"
        kept = shutil.copy(outbox, self._folder / "kept.sqlite")
        refuse = self._press_at(Scene.CONSENT, Press.CANCEL)
        for name in ("before", "fork"):
            shop = self._counter(RETURNED, self._person)
            self._session(name, Scene.DECLINED, do=refuse, shop=shop)
            self._stop(shop)
            shutil.copy(kept, outbox)

    def _counter(
        self, name: str, person: Person, listener: Listener | None = None, slips: SlipGiver | None = None
    ) -> Counter:
        voice = Voice(listener, *self._voices) if listener else None
        shop = Counter(self.world, self._vision, person, name=name, voice=voice, slips=slips)
        shop.terminal.connect()
        return shop

    @staticmethod
    def _stop(shop: Counter) -> None:
        shop.close()
        shop.terminal.close()

    def _load(self, name: str) -> Person:
        """The shipped person, with fewer frames a second."""
        told = json.loads((REHEARSAL / name).read_text())
        beside = {key: str(REHEARSAL / value) for key, value in told.items()}
        path = self._folder / name
        path.write_text(json.dumps(beside | ({"fps": FPS} if "portrait" in told else {})))
        return load_person(path)


def _voices(folder: Path) -> tuple[list, dict]:
    catalogues = [load_catalogue(language) for language in VOICES]
    make_sounds(folder, catalogues)
    return catalogues, {one.language: load_sounds(folder, one) for one in catalogues}


def _another_portrait(path: Path) -> Path:
    """Nobody's face: the portrait, bulged and squeezed until the models see somebody else (a score of about 0.2)."""
    image = cv2.cvtColor(load_picture(PORTRAIT), cv2.COLOR_RGB2BGR)
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    from_nose = np.stack((x - 319, y - 225))
    near = np.clip(1 - np.hypot(*from_nose) / 140, 0, 1)
    moved = from_nose * (1 - 0.75 * near**2)
    bulged = cv2.remap(image, moved[0] + 319, moved[1] + 225, cv2.INTER_LINEAR)
    cv2.imwrite(str(path), cv2.resize(bulged, None, fx=1, fy=0.6))
    return path
