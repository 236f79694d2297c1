"""The console over real sessions: models, panel, broker, central, and then a browser before what they signed."""

import re

import pytest
import yaml
from customer import NUMBER
from playwright.sync_api import expect
from rehearsed import ANNA
from test_console_browser import PAGES, chromium, opened, picture, violations  # noqa: F401 - fixtures
from visitor import PASSWORD

from central.numbers import customer_number
from central.subjects import number_pseudonym, read_pseudonym_key
from device.wire.claims import Outcome

pytestmark = pytest.mark.broker

SESSIONS = {
    "verified": (Outcome.VERIFIED, "version 1 read out to its end in en"),
    "another person": (Outcome.REJECTED, "faces do not match"),
    "alternative": (Outcome.VERIFIED, "46 plans the customer chose the alternative"),
    "cancelled": (Outcome.CANCELLED, "version 1 read out to its end in en"),
    "witnessed": (Outcome.WITNESSED, "the attendant vouches for the customer"),
    "declined": (Outcome.DECLINED, "version 1 read out in part in en"),
    "printed photo": (Outcome.REJECTED, "no live camera"),
    "before": (Outcome.DECLINED, "version 1 shown, none read out"),
}


def test_this_console_is_the_one_of_a_demonstration(rehearsed):
    document = yaml.safe_load(rehearsed.world.made.central.read_text())
    assert document["rehearsal"] and document["console"] == {"evidence_key": "evidence.key"}


def test_the_number_that_was_registered_is_kept_as_a_pseudonym(real):
    with real.house.readers.lend() as ledger:
        known = [number for (number,) in ledger.database.rows("SELECT customer_number FROM requests") if number]
    key = read_pseudonym_key(real.settings.keys.numbers)
    assert known == [number_pseudonym(key, customer_number(NUMBER))]


@pytest.mark.parametrize("name", SESSIONS)
def test_each_session_is_told_as_it_was(rehearsed, real, name):
    outcome, told = SESSIONS[name]
    words = real.visitor("auditor").get(f"/results/{rehearsed.numbers[name]}").words
    assert f"#{rehearsed.numbers[name]} {outcome}" in words
    assert told in words
    assert "recomputed, holds" in words and "rehearsal no live camera" in words
    assert ("The challenge" in words) == (outcome in (Outcome.VERIFIED, Outcome.REJECTED))


def test_every_page_is_accessible(rehearsed, real, opened, request):  # noqa: F811
    page = opened(real, "auditor")
    results = {name: f"/results/{rehearsed.numbers[name]}" for name in ("witnessed", "fork")}
    for name, path in (PAGES | {"terminal": "/terminals/shop-1"} | results).items():
        page.goto(real.url + path)
        assert violations(page) == [], name
        if name in ("results", "chain"):
            picture(request, page, name)


def test_an_auditor_s_morning_by_keyboard_alone(rehearsed, real, opened, request):  # noqa: F811
    """Sign in, skip to the content, filter, open a result, see its picture, decide about one that was set apart."""
    name, page = real.account("auditor"), opened(real)
    page.goto(real.url + "/results")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**#content", wait_until="load")  # the browser goes there once more when it has loaded
    page.keyboard.press("Tab")
    expect(page.get_by_label("Outcome")).to_be_focused()
    page.keyboard.press("r")  # a list goes to the first word with that letter
    for _ in range(8):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**outcome=rejected**")
    rows = page.locator("tbody tr")
    assert rows.count() == page.locator("tbody .chip.kind-rejected").count() == 2
    link = rows.first.get_by_role("link").first
    expect(link).to_have_text(f"#{rehearsed.numbers['printed photo']}")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="The challenge of result")).to_be_visible()
    assert page.locator("polyline.yaw").count() >= 1 and page.locator("g.window.failed").count() == 1
    assert violations(page) == []
    fork = rehearsed.numbers["fork"]
    page.goto(f"{real.url}/quarantine")
    page.get_by_role("link", name=re.compile(f"open ?: number {fork}$")).press("Enter")
    page.wait_for_url("**#decisions", wait_until="load")
    page.get_by_role("radio", name="upheld").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Why")).to_be_focused()
    page.keyboard.type("The outlet put an old card back.")
    expect(page.get_by_label("Why")).to_have_value("The outlet put an old card back.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Decide")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("upheld by one-auditor")).to_be_visible()
    with real.house.readers.lend() as ledger:
        assert [one.note for one in ledger.decisions.of(fork)] == ["The outlet put an old card back."]
    picture(request, page, "decision")


@pytest.mark.parametrize(("name", "cues"), [("verified", 3), ("alternative", 5)])
def test_the_signals_of_a_session_are_drawn(rehearsed, real, opened, request, name, cues):  # noqa: F811
    page = opened(real, "auditor")
    page.goto(f"{real.url}/results/{rehearsed.numbers[name]}")
    assert page.locator("g.window.passed").count() == cues
    points = " ".join(line.get_attribute("points") for line in page.locator("polyline.yaw").all())
    assert len(points.split()) > 20 * cues and page.locator("polyline.left-eye").count() >= 1
    for shape in page.locator("svg.challenge rect, svg.challenge polyline").all():
        box = shape.bounding_box()
        assert box["width"] > 0 and box["height"] > 0
    assert page.get_by_role("img").count() == 1, "a picture that is none of ours"
    assert violations(page) == []
    picture(request, page, {"verified": "result", "alternative": "alternative"}[name], whole=True)
    if name == "verified":
        expect(page.get_by_text(ANNA)).to_be_visible()
        dark = opened(
            real, "auditor", viewport={"width": 320, "height": 640}, device_scale_factor=2, color_scheme="dark"
        )
        dark.goto(page.url)
        picture(request, dark, "result-dark-phone")


def test_a_new_result_appears_by_itself_and_interrupts_nobody(rehearsed, real, opened):  # noqa: F811
    """Somebody watches the list while people before the terminal refuse."""
    page = opened(real, "viewer")
    page.goto(f"{real.url}/results")
    number = rehearsed.decline("while somebody watches")
    expect(page.get_by_role("link", name=f"#{number}", exact=True)).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("renewed")
    assert violations(page) == []
    page.get_by_label("Terminal", exact=True).fill("sho")
    number = rehearsed.decline("while somebody types")
    page.wait_for_timeout(1500)  # longer than the page waits before it renews itself
    assert page.get_by_label("Terminal", exact=True).input_value() == "sho"
    page.get_by_role("heading", name="Results").click()
    expect(page.get_by_role("link", name=f"#{number}", exact=True)).to_be_visible()
