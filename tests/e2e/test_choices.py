"""What a customer decides with two buttons, on the whole terminal: to agree, to refuse, how, and in which language."""

import pytest

from device.liveness.session import Press
from device.panel.gpio import PinMap
from device.panel.prompts import Scene
from device.wire.claims import Outcome
from tests.voice.conftest import Listener

pytestmark = pytest.mark.broker


def test_start_pressed_before_the_prompt_agrees_to_nothing(counter):
    shop = counter()
    shop.terminal.connect()
    shop.reader.press(Press.START)
    shop.ask()
    shop.reader.press(Press.START)
    seen = shop.work_until(Scene.POSITION)
    assert seen[-2] is Scene.CONSENT


def test_a_press_that_began_before_the_prompt_agrees_to_nothing(counter):
    shop = counter()
    shop.terminal.connect()
    start = shop.factory.pin(PinMap().start)
    start.drive_low()
    shop.ask()
    shop.work_until(Scene.CONSENT)
    start.drive_high()
    for _ in range(3):
        shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.CONSENT


def test_a_customer_chooses_a_language_and_the_result_says_which_consent_was_read(counter, speaking):
    listener = Listener()
    shop = counter(voice=speaking(listener, ["en", "hi"]))
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.CONSENT)
    shop.hold_start()
    shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.CONSENT
    assert listener.heard[-1][0] == ("hi", "language.chosen")
    shop.work_until(Scene.VERIFIED)
    assert listener.said[-1] == "scene.verified"
    shop.terminal.is_receipted()
    (held,) = shop.held()
    assert held["verdict"] == "accepted"
    assert held["claims"]["spoken"] == {"version": "1", "language": "hi", "whole": True}


def test_a_customer_may_choose_what_else_was_offered(counter, speaking):
    listener = Listener()
    shop = counter(voice=speaking(listener, ["es"]))
    shop.terminal.connect()
    shop.ask("--alternative", "left")
    shop.work_until(Scene.POSITION)
    shop.hold_start()
    shop.work_until(Scene.OTHER_TASKS)
    shop.hold_start()  # there is no way back
    shop.work_until(Scene.VERIFIED)
    assert {"challenge.offer", "scene.other-tasks"} <= {*listener.said}
    shop.terminal.is_receipted()
    (held,) = shop.held()
    challenge = held["claims"]["challenge"]
    assert (held["verdict"], held["claims"]["outcome"]) == ("accepted", Outcome.VERIFIED)
    assert (challenge["alternative"], len(challenge["plan"])) == (True, 5)
    assert challenge["guess_probability"] == pytest.approx(1 / 46)


def test_once_the_challenge_has_begun_nothing_else_can_be_chosen(counter):
    shop = counter()
    shop.terminal.connect()
    shop.ask("--alternative", "left")
    shop.work_until(Scene.CUE)
    plan = shop.app.running.plan
    shop.hold_start()
    shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.CUE
    assert shop.app.running.plan is plan


def test_a_witnessed_session_looks_at_nobody_and_is_never_verified(counter, speaking):
    listener = Listener()
    shop = counter(voice=speaking(listener, ["zh-CN"]))
    shop.terminal.connect()
    shop.ask("--witnessed", "--attendant", "attendant-3", "--transaction", "sale-1")
    scenes = shop.work_until(Scene.WITNESSED)
    assert {Scene.CONSENT, Scene.POSITION, Scene.CUE, Scene.VERIFIED}.isdisjoint(scenes)
    shop.work_until(Scene.IDLE)
    shop.terminal.is_receipted()
    (held,) = shop.held()
    claims = held["claims"]
    assert (held["verdict"], claims["outcome"], claims["capture"]["frames"]) == ("accepted", Outcome.WITNESSED, 0)
    assert {"comparison", "challenge", "reference", "evidence"}.isdisjoint(claims)
    assert claims["spoken"] == {"version": "1", "language": "zh-CN", "whole": True}
    assert listener.said == ["purpose.sim-registration", "scene.witness", "scene.witnessed"]


def test_after_a_refusal_nobody_asks_again(counter):
    shop = counter()
    shop.terminal.connect()
    shop.ask("--transaction", "sale-1")
    shop.work_until(Scene.CONSENT)
    shop.reader.press(Press.CANCEL)
    shop.work_until(Scene.DECLINED)
    shop.work_until(Scene.IDLE)
    shop.terminal.is_receipted()
    for more in ([], ["--witnessed", "--attendant", "attendant-3"]):
        with pytest.raises(AssertionError, match="the customer refused in transaction sale-1: do not ask again"):
            shop.ask("--transaction", "sale-1", *more)
    with pytest.raises(AssertionError, match="name who vouches with --attendant"):
        shop.ask("--witnessed")
