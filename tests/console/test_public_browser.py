"""The public page in a real browser: from the slip's QR code to an answered objection."""

import pytest
from customer import KNOWN, NUMBER, OFFLINE
from playwright.sync_api import expect
from test_console_browser import (  # noqa: F401 - fixtures
    CONTRAST,
    RULES,
    chromium,
    is_as_wide_as_its_window,
    opened,
    picture,
    violations,
)

from central.public.languages import CATALOGUES
from device.wire.slip import shown_code

PHONE = {"viewport": {"width": 320, "height": 640}, "device_scale_factor": 2}
PORTRAIT = {"viewport": {"width": 390, "height": 780}}
REFUSED = "Failed to load resource: the server responded with a status of 40"


def test_from_the_slip_to_an_answer(rehearsed, real, real_public, opened, request):  # noqa: F811
    """Who was verified scans the terminal's slip, reads, objects; an auditor sees it come in, and answers."""
    console, public, code = real, real_public, shown_code(rehearsed.slip)
    auditor = opened(console, "auditor")
    auditor.goto(console.url + "/disputes")
    expect(auditor.get_by_text("Nobody has objected to anything.")).to_be_visible()
    page = opened(public, **PORTRAIT)
    page.goto(f"{public.url}/#{code}")
    expect(page.get_by_label("Code")).to_have_value(code)
    expect(page.get_by_label("Phone number")).to_be_focused()
    assert page.url == f"{public.url}/", "the code stays in no address"
    assert violations(page) == []
    page.keyboard.type(NUMBER)
    picture(request, page, "slip")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What was registered")).to_be_visible()
    assert violations(page) == [] and page.url == f"{public.url}/"
    picture(request, page, "slip-registered", whole=True)
    page.get_by_role("radio", name="I was not there.").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("I was at work that day.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your objection has the number 1.")
    assert violations(page) == []
    row = auditor.get_by_role("row", name="not there")
    expect(row).to_be_visible()
    expect(auditor.get_by_role("link", name="Disputes 1 open")).to_be_visible()
    assert violations(auditor) == []
    picture(request, auditor, "disputes")
    row.get_by_role("link").click()
    auditor.get_by_role("radio", name="justified").check()
    auditor.get_by_label("To the customer").fill("The registration was cancelled.")
    expect(auditor.get_by_text("I was at work that day.")).to_be_visible()
    assert violations(auditor) == []
    auditor.get_by_role("heading", name="Disputes").scroll_into_view_if_needed()
    picture(request, auditor, "dispute")
    auditor.get_by_role("button", name="Answer").click()
    expect(auditor.get_by_text("justified by one-auditor")).to_be_visible()
    page.get_by_role("button", name="Back to what was registered").click()
    expect(page.get_by_text("The registration was cancelled.")).to_be_visible()
    assert violations(page) == []
    picture(request, page, "slip-answered", whole=True)
    with console.house.readers.lend() as ledger:
        ((made, answer),) = [(one, one.answers) for one in ledger.disputes.before(9, 9)]
    assert (made.note, answer[0].note) == ("I was at work that day.", "The registration was cancelled.")


def test_every_language_on_a_phone_keeps_what_was_scanned_and_what_was_found(public, opened, request):  # noqa: F811
    page = opened(public, locale="hi-IN", **PHONE)
    page.goto(f"{public.url}/#{KNOWN}")
    expect(page.get_by_role("heading", name=CATALOGUES["hi"].texts["title"])).to_be_visible()
    page.get_by_role("link", name="Español").click()
    expect(page.get_by_label("Código")).to_have_value(KNOWN)
    page.get_by_label("Número de teléfono").fill("098765 43210")
    page.get_by_role("button", name="Consultar").click()
    for tag, catalogue in CATALOGUES.items():
        page.get_by_role("button", name=catalogue.name).click()
        expect(page.get_by_role("heading", name=catalogue.texts["found"])).to_be_visible()
        assert page.locator("html").get_attribute("lang") == tag
        assert is_as_wide_as_its_window(page), tag
        assert violations(page) == [], tag
        if tag == "hi":
            picture(request, page, "slip-hindi-phone")


@pytest.mark.parametrize("look", ["dark", "contrast"])
def test_in_the_dark_and_in_high_contrast(public, opened, look):  # noqa: F811
    page = opened(public, **({"color_scheme": "dark"} if look == "dark" else {"contrast": "more"}), **PHONE)
    page.goto(public.url)
    assert violations(page, CONTRAST) == []
    page.get_by_label("Code").fill(OFFLINE)
    page.get_by_role("button", name="Look it up").click()
    expect(page.get_by_role("heading", name="What was registered")).to_be_visible()
    assert violations(page, CONTRAST) == [] and is_as_wide_as_its_window(page)


def test_without_scripts_everything_works(public, opened):  # noqa: F811
    page = opened(public, java_script_enabled=False)
    page.goto(public.url + "/?lang=es")
    page.get_by_label("Código").fill(KNOWN)
    page.get_by_label("Número de teléfono").fill(NUMBER)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lo que se registró")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="What was registered")).to_be_visible()
