"""Sessions of the whole terminal while the broker, central or the disk is away: no result is lost."""

import cards
import pytest

from device.delivery.link_status import LinkState
from device.liveness.session import Press
from device.panel.prompts import Scene
from device.wire.claims import Outcome

pytestmark = pytest.mark.broker


def test_without_a_broker_the_session_completes_and_its_result_waits(counter):
    shop = counter()
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.CUE)
    shop.world.central.stop()
    shop.world.broker.stop()
    shop.work_until(Scene.VERIFIED)
    shop.terminal.reaches(LinkState.NO_BROKER)
    assert shop.terminal.outbox.depth() == 1
    shop.world.broker.start()
    shop.world.central.start()
    shop.terminal.is_receipted()
    assert [held["claims"]["outcome"] for held in shop.held()] == [Outcome.VERIFIED]


def test_an_offline_session_begins_with_start_and_is_capped(counter):
    shop = counter(document=cards.identity_card(cards.astronaut()), offline_sessions=1)
    shop.work_until(Scene.OFFLINE_READY)
    shop.reader.press(Press.START)
    shop.work_until(Scene.VERIFIED)
    shop.work_until(Scene.OFFLINE_SPENT)
    shop.reader.press(Press.START)
    assert shop.work_until(Scene.OFFLINE_SPENT) == [Scene.OFFLINE_SPENT]
    shop.terminal.connect()
    shop.terminal.is_receipted()
    shop.work_until(Scene.IDLE)
    (held,) = shop.held()
    claims = held["claims"]
    assert (claims["offline"], claims["outcome"], claims["reference"]["grade"]) == (True, Outcome.VERIFIED, "card")
    assert "request" not in claims and len(claims["nonce"]) == 43


def test_an_outbox_that_fails_in_a_session_loses_no_result(counter, caplog):
    shop = counter()
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.CUE)
    path = shop.world.folder / "shop-1.sqlite"
    path.rename(shop.world.folder / "away")
    shop.work_until(Scene.FAULT)
    assert "the result is kept in memory" in caplog.text
    (shop.world.folder / "away").rename(path)
    shop.work_until(Scene.VERIFIED)
    shop.terminal.is_receipted()
    (held,) = shop.held()
    assert held["claims"]["outcome"] == Outcome.VERIFIED


def test_no_session_begins_without_an_outbox_and_the_request_is_not_used_up(counter):
    shop = counter()
    path = shop.world.folder / "shop-1.sqlite"
    shop.terminal.connect()
    shop.ask()
    path.rename(shop.world.folder / "away")
    assert shop.work_until(Scene.FAULT) == [Scene.FAULT]
    for _ in range(30):
        shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.FAULT
    (shop.world.folder / "away").rename(path)
    shop.work_until(Scene.CONSENT)
