"""The console over real sessions: models, panel, broker, central, and then a browser before what they signed."""

import re

import pytest
import yaml
from playwright.sync_api import expect
from test_console_browser import chromium, opened, picture, violations  # noqa: F401 - fixtures
from test_terminal import Counter, vision, world  # noqa: F401
from visitor import Console
from world import until

from central.numbers import customer_number
from central.subjects import number_pseudonym, read_pseudonym_key
from device.panel.prompts import Scene

NUMBER = "+91 98765 43210"
pytestmark = pytest.mark.broker


def test_a_rehearsed_session_appears_and_its_signals_are_drawn(world, vision, opened, tmp_path, request):  # noqa: F811
    """Somebody watches the list while a person is verified."""
    document = yaml.safe_load(world.made.central.read_text())
    assert document["rehearsal"] and document["console"] == {"evidence_key": "evidence.key"}
    console = Console(world.made, tmp_path, None)
    try:
        page = opened(console, "auditor")
        page.goto(console.url + "/results")
        expect(page.get_by_text("Nothing to show.")).to_be_visible()
        shop = Counter(world, vision)
        shop.terminal.connect()
        shop.ask("--evidence", "signals", "--number", NUMBER)
        shop.work_until(Scene.VERIFIED)
        shop.terminal.is_receipted()
        with console.house.readers.lend() as ledger:
            ((known,),) = ledger.database.rows("SELECT customer_number FROM requests")
        key = read_pseudonym_key(console.settings.keys.numbers)
        assert known == number_pseudonym(key, customer_number(NUMBER))
        link = page.get_by_role("link", name="#1", exact=True)
        expect(link).to_be_visible()
        link.click()
        expect(page.get_by_role("heading", name=re.compile("#1 verified"))).to_be_visible()
        assert page.locator("g.window.passed").count() == 3 and "no live camera" in page.inner_text("main")
        points = " ".join(line.get_attribute("points") for line in page.locator("polyline.yaw").all())
        assert len(points.split()) > 60 and violations(page) == []
        picture(request, page, "rehearsed")
        page.goto(console.url + "/terminals/shop-1")
        expect(page.get_by_role("heading", name=re.compile("shop-1 online"))).to_be_visible()
        shop.close()
    finally:
        console.stop()
    until(lambda: world.terminals[0].outbox.depth() == 0, "evidence is receipted")
