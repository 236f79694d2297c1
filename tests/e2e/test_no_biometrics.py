"""No biometrics: after whole sessions nothing of reference, probe, crops and embeddings is anywhere but in memory.

Models, loop, outbox, link, broker, central and ledger are the real ones. Every embedding, aligned crop and frame of
the session is noted while it is made, and then looked for in every file and every published payload.
"""

import json
import logging
import os
import resource
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import pytest
import yaml
from broker import Broker
from canary import Canaries, found
from counter import PORTRAIT, Counter
from world import LIMIT_S, Central, World, until

from central.connection import Connection
from device.panel.prompts import Scene
from device.vision import alignment
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.wire.topics import ROOT
from provisioning.__main__ import free_port
from provisioning.demo import create_demo_authority

pytestmark = pytest.mark.broker
FRAMES_BETWEEN = 12


class NotedEmbedder:
    """The embedder, and a note of all that goes through it."""

    def __init__(self, embedder, canaries: Canaries) -> None:
        self._embedder, self._canaries = embedder, canaries

    def embed(self, image, landmarks):
        vector = self._embedder.embed(image, landmarks)
        if len(self._canaries.pieces) < 40_000:
            self._canaries.add_picture("crop", alignment.aligned_crop(image, landmarks))
            self._canaries.add_vector("embedding", vector)
        return vector

    def __getattr__(self, name):
        return getattr(self._embedder, name)


class NotedCamera:
    """The camera, and a note of every so-many-th frame: where the face is."""

    def __init__(self, camera, canaries: Canaries) -> None:
        self._camera, self._canaries, self._count = camera, canaries, 0

    def read(self):
        frame = self._camera.read()
        self._count += 1
        if self._count % FRAMES_BETWEEN == 0:
            height, width = frame.image.shape[:2]
            self._canaries.add_picture("probe", frame.image[height // 4 : -height // 4, width // 4 : -width // 4])
        return frame

    def __getattr__(self, name):
        return getattr(self._camera, name)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A world whose broker lets one more listener hear everything, and whose temporary files are its own."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    made = create_demo_authority(tmp_path / "keys", ("shop-1",), port=free_port(), rehearsal=True, workers=2)
    with (made.folder / "broker" / "acl").open("a") as acl:
        acl.write(f"\nuser central-2\ntopic read {ROOT}/#\n")
    built = World(tmp_path, made, Broker(made), Central(made.central))
    built.broker.start()
    built.central.start()
    yield built
    built.close()


class Listener:
    """Hears every message of the house."""

    def __init__(self, world: World) -> None:
        broker = world.central.settings.broker
        self._connection = Connection(broker, broker.workers[0], [f"{ROOT}/#"], lasting=False)
        self._connection.connect()
        self.heard: list[tuple[str, bytes]] = []

    def listen(self) -> bool:
        """Takes what came; returns whether a receipt was among it."""
        for delivery in self._connection.collect(100, 0.05):
            self._connection.acknowledge(delivery)
            self.heard.append((delivery.topic, delivery.payload))
        return any(topic.endswith("/receipt") for topic, _ in self.heard)

    @property
    def leaves(self) -> set[str]:
        return {topic.rpartition("/")[2] for topic, _ in self.heard}

    def close(self) -> None:
        self._connection.close()


def everything_written(world: World):
    """Every file of the house but the portrait that the test gave to central, and the models."""
    for path in world.folder.rglob("*"):
        if path.is_file() and path.name != "portrait.jpg":
            yield str(path.relative_to(world.folder)), path.read_bytes()


@pytest.mark.parametrize("evidence", [(), ("--evidence", "signals", "--evidence", "portrait")], ids=["off", "on"])
def test_nothing_of_a_session_is_written_or_sent(world, evidence, caplog):
    caplog.set_level(logging.DEBUG)
    canaries, vision = Canaries(), load_vision(default_directory(), preferred_runtime())
    vision.embedder = NotedEmbedder(vision.embedder, canaries)
    shop, listener = Counter(world, vision), Listener(world)
    shop.camera = NotedCamera(shop.camera, canaries)
    canaries.add_bytes("reference", shop.portrait.read_bytes())
    canaries.add_picture("reference", cv2.imread(str(PORTRAIT))[..., ::-1])
    assert found(canaries, everything_written(world)) == {}
    shop.terminal.connect()
    until(lambda: listener.listen() or listener.heard, "the listener hears the birth")
    shop.ask(*evidence)
    shop.work_until(Scene.VERIFIED)
    during = [*everything_written(world)]
    expected = {"status", "health", "request", "result", "receipt"} | ({"evidence"} if evidence else set())
    until(lambda: listener.listen() and shop.terminal.outbox.depth() == 0, "receipts")
    shop.work_until(Scene.IDLE)
    until(lambda: listener.listen() and expected <= listener.leaves, "one message of each kind")
    world.central.stop()
    world.broker.stop()
    after = [*everything_written(world)]
    assert {name for piece, name in canaries.pieces.items()} == {"reference", "probe", "crop", "embedding"}
    assert {"shop-1.sqlite", "keys/central/ledger.sqlite"} <= {name for name, _ in during}
    logs = [("log", caplog.text.encode()), ("broker's log", "\n".join(world.broker.log).encode())]
    for places in (during, after, listener.heard, logs):
        assert found(canaries, places) == {}
    listener.close()
    shop.close()


def test_a_canary_is_found_in_every_form(tmp_path):
    """What would make the other test worth nothing: a search that finds nothing."""
    portrait = cv2.imread(str(PORTRAIT))[..., ::-1]
    vector = np.random.default_rng(1).normal(0, 0.1, 128).astype(np.float32)
    canaries = Canaries()
    canaries.add_picture("probe", portrait)
    canaries.add_vector("embedding", vector)
    _, jpeg = cv2.imencode(".jpg", portrait)
    raw = np.ascontiguousarray(portrait[200:260]).tobytes()
    forms = {
        "probe": [raw, cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY).tobytes(), portrait[..., ::-1].tobytes()],
        "embedding": [
            vector.tobytes(),
            vector.astype(np.float16).tobytes(),
            json.dumps([float(value) for value in vector]).encode(),
        ],
        "picture": [jpeg.tobytes(), cv2.imencode(".png", portrait)[1].tobytes()],
    }
    for name, examples in forms.items():
        for example in examples:
            assert name in canaries.found_in(b"before" + example + b"after"), name
            for lead in range(3):
                text = subprocess.run(["base64", "-w0"], input=bytes(lead) + example, capture_output=True, check=True)
                assert name in canaries.found_in(text.stdout), (name, lead)
    assert canaries.found_in(os.urandom(200_000)) == set()


ASKED = """
import ctypes, resource
from device.service import keep_memory_to_ourselves
before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
keep_memory_to_ourselves()
print(before, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_the_daemon_s_memory_is_never_dumped(world, tmp_path):
    """Of the daemon as it runs: no core by size, and no core by pipe."""
    told = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["1", "0", "0", "0"]
    settings = {
        "keys": str(world.made.terminals["shop-1"]),
        "outbox": str(tmp_path / "daemon.sqlite"),
        "broker": {"host": "127.0.0.1", "port": world.made.port},
        "camera": {"kind": "rehearsal", "person": str(PORTRAIT.parent / "astronaut.json")},
        "panel": {"factory": "mock"},
    }
    config = tmp_path / "terminal.yaml"
    config.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "device", "run", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            next(line for line in process.stderr if "link state=connected" in line)
            limits = resource.prlimit(process.pid, resource.RLIMIT_CORE)
        finally:
            process.terminate()
            process.communicate(timeout=LIMIT_S)
    assert limits == (0, 0)
