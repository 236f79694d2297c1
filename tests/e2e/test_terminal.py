"""The whole terminal, from the request to the receipt: real models, panel on mock pins, broker, certificates, ledgers.

The person is the animation of a public-domain portrait; the loop is fed on recorded time, frame by frame.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import cards
import cv2
import numpy as np
import pytest

from device.admission import TALLY
from device.camera import CameraStalledError
from device.liveness.limits import Limits
from device.panel.prompts import Scene
from device.wire.claims import Outcome

pytestmark = pytest.mark.broker


def test_a_person_is_verified_and_central_holds_the_signed_result(counter, caplog):
    caplog.set_level(logging.DEBUG)
    shop = counter()
    shop.terminal.connect()
    request = shop.ask()
    scenes = shop.work_until(Scene.VERIFIED)
    assert scenes.count(Scene.CUE) == 3
    shop.terminal.is_receipted()
    (held,) = shop.held()
    assert (held["verdict"], held["signature_valid"], held["linked"]) == ("accepted", True, True)
    assert held["claims"]["outcome"] == Outcome.VERIFIED
    assert held["claims"]["request"]["id"] == request
    assert held["claims"]["capture"]["source"] == "rehearsal"
    assert "evidence" not in held["claims"]
    assert len(held["claims"]["challenge"]["steps"]) == 3
    assert shop.portrait.read_bytes()[:64].hex() not in caplog.text


def test_a_person_is_verified_against_the_printed_card(counter, caplog):
    caplog.set_level(logging.DEBUG)
    shop = counter(document=cards.identity_card(cards.astronaut()))
    shop.terminal.connect()
    shop.ask("--card")
    scenes = shop.work_until(Scene.VERIFIED)
    assert scenes.index(Scene.CONSENT) < scenes.index(Scene.CARD) < scenes.index(Scene.POSITION)
    shop.terminal.is_receipted()
    (held,) = shop.held()
    assert (held["verdict"], held["claims"]["outcome"]) == ("accepted", Outcome.VERIFIED)
    assert held["claims"]["reference"]["grade"] == "card"
    assert len(held["claims"]["reference"]["commitment"]) == 64


def test_a_printed_photo_is_refused_and_its_result_is_kept(counter):
    shop = counter("astronaut_print.json")
    shop.terminal.connect()
    shop.ask("--attempts", "1")
    shop.work_until(Scene.REJECTED)
    shop.terminal.is_receipted()
    (held,) = shop.held()
    assert held["claims"]["outcome"] == Outcome.REJECTED
    assert held["claims"]["reasons"]


def test_hostile_requests_change_nothing(counter, caplog):
    shop = counter()
    for hostile in (b"", b"\xff" * 100, b"a.b.c", b"x" * 200_000):
        shop.terminal.requests.put(hostile)
    for _ in range(10):
        shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.OFFLINE_IDLE
    assert caplog.text.count("request refused") == 4
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.VERIFIED)


def test_attempts_run_out_and_every_one_is_a_result(counter):
    shop = counter("astronaut_print.json")
    shop.terminal.connect()
    request = shop.ask("--attempts", "2")
    shop.work_until(Scene.CONSENT)
    shop.work_until(Scene.REJECTED)
    shop.work_until(Scene.CONSENT)
    shop.work_until(Scene.REJECTED)
    shop.work_until(Scene.IDLE)
    shop.terminal.is_receipted()
    held = shop.held()
    assert [one["claims"]["request"]["id"] for one in held] == [request, request]
    assert held[0]["claims"]["challenge"]["salt"] != held[1]["claims"]["challenge"]["salt"]


def test_too_many_failures_pause_the_terminal_and_a_restart_does_not_end_it(counter):
    limits = Limits(max_failures=1)
    shop = counter("astronaut_print.json", limits=limits)
    shop.terminal.connect()
    shop.ask("--attempts", "3")
    shop.work_until(Scene.REJECTED)
    shop.work_until(Scene.PAUSED)
    kept = json.loads(shop.terminal.outbox.recall(TALLY, str))
    assert kept["paused_until"] > 0


class StopsAfter(threading.Event):
    """Is found set when it was looked at so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


@pytest.fixture
def no_wait_for_frames(monkeypatch):
    monkeypatch.setattr("device.app.NO_FRAME_S", 0.0)


def test_recorded_time_waits_for_a_slow_machine(counter, no_wait_for_frames):
    counter(drops_frames=False).app.run(StopsAfter(20))


def test_a_camera_that_delivers_nothing_more_leaves_a_result_and_counts(counter, no_wait_for_frames):
    shop = counter()
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.CUE)
    with pytest.raises(CameraStalledError, match="the camera delivered no frame for"):
        shop.app.run(StopsAfter(20))
    shop.terminal.is_receipted()
    (held,) = shop.held()
    assert (held["claims"]["outcome"], held["claims"]["reasons"]) == ("inconclusive", ["capture-ended"])
    assert len(json.loads(shop.terminal.outbox.recall(TALLY, str))["failures"]) == 1


def test_a_reference_without_a_face_is_answered_with_its_reason(counter, tmp_path):
    plain = tmp_path / "plain.png"
    cv2.imwrite(str(plain), np.full((126, 102, 3), 128, np.uint8))
    shop = counter()
    shop.terminal.connect()
    shop.ask("--reference", str(plain))
    shop.work_until(Scene.INCONCLUSIVE)
    shop.terminal.is_receipted()
    (held,) = shop.held()
    assert held["claims"]["reasons"] == ["reference-unusable"]


def test_the_demonstration_shows_a_person_verified_and_a_print_refused():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "demonstration.py")],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VERIFIED" in done.stdout
    assert "REJECTED" in done.stdout
    assert "signature  valid" in done.stdout
    assert "Nothing is left running" in done.stdout
