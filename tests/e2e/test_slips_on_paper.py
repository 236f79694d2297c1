"""Whole sessions in every language end with a slip whose code is on the paper alone."""

import logging

import pytest
from counter import Counter
from world import until

from central.config import load_central
from central.disputes import Dispute, Objection
from central.public.house import House, Typed
from device.liveness.session import Press
from device.panel.catalogue import LANGUAGES
from device.panel.prompts import Scene
from device.slip.giver import open_slips
from device.slip.settings import SlipSettings
from device.wire.claims import ResultClaims
from device.wire.envelope import Kind, open_envelope
from device.wire.slip import read_code, shown_code, slip_digest
from tests.slip.conftest import ADDRESS
from tests.slip.receipt_paper import READY, printed, scanned
from tests.voice.conftest import Listener

pytestmark = pytest.mark.broker
NUMBER = "+91 98765 43210"
PAPERS = [("es", Scene.DECLINED), ("zh-CN", Scene.DECLINED), ("hi", Scene.VERIFIED)]


def choose(shop: Counter, language: str) -> None:
    for _ in range(LANGUAGES.index(language)):
        shop.hold_start()
        shop.app.tick(shop.camera.read())


def customers_read_them(shop: Counter, codes):
    """On the public page: with the number where central was told one, and with the code alone where not."""
    house = House(load_central(shop.world.made.central))
    try:
        found = [house.look_up(Typed(shown_code(code), NUMBER), "192.0.2.1") for code in codes]
        assert [(one.outcome, one.has_number) for one in found] == [(end, end is Scene.VERIFIED) for _, end in PAPERS]
        assert house.look_up(Typed(codes[-1], "+91 98765 43211"), "192.0.2.1") is None
        assert house.dispute(Dispute(found[-1].number, 1, Objection.NOT_AGREED, "", "hi")) == 1
        (dispute,) = house.look_up(Typed(codes[-1], NUMBER), "192.0.2.1").disputes
        assert dispute.is_open and house.look_up(Typed(codes[0], ""), "192.0.2.1").disputes == ()
    finally:
        house.close()


def test_each_session_in_each_language_ends_with_its_slip(counter, speaking, network_printer, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    stand, screen = network_printer(READY), tmp_path / "slip.png"
    printer = {"kind": "network", "host": "127.0.0.1", "port": stand.port}
    with open_slips(SlipSettings(address=ADDRESS, printer=printer, picture=screen), []) as slips:
        shop = counter(voice=speaking(Listener(), LANGUAGES), slips=slips)
        shop.terminal.connect()
        for language, end in PAPERS:
            shop.ask(*(("--number", NUMBER) if end is Scene.VERIFIED else ()))
            shop.work_until(Scene.CONSENT)
            assert not screen.exists()
            choose(shop, language)
            shop.reader.press(Press.CANCEL if end is Scene.DECLINED else Press.START)
            shop.work_until(end)
            until(screen.exists)
            shop.work_until(Scene.IDLE)
        shop.terminal.is_receipted()
    codes = [read_code(scanned(sheet).partition("#")[2]) for sheet in printed(stand.stop())]
    key = shop.terminal.keys.result_key
    known = {key.kid: key.private.public_key()}
    held = [
        ResultClaims.read(open_envelope(one.envelope, Kind.RESULT, known).payload) for one in shop.world.central.held()
    ]
    assert [claims.slip for claims in held] == [slip_digest(code) for code in codes]
    assert [(claims.spoken.language, claims.outcome) for claims in held] == [(one, end.value) for one, end in PAPERS]
    customers_read_them(shop, codes)
    kept = b"".join(path.read_bytes() for path in shop.world.folder.rglob("*") if path.is_file())
    for form in (*codes, *map(shown_code, codes), "9876543210"):
        assert form not in caplog.text
        assert form.encode() not in kept
