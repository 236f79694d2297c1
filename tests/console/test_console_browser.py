"""The console in a real browser, over a town full of results: on a phone, dark, in high contrast, without scripts.

test_console_sessions.py goes through every page by keyboard and mouse, over real sessions.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from visitor import PASSWORD, Console

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = Path(__file__).parents[2] / "docs" / "console"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = ["color-contrast"]
LIMIT_MS = 20_000
PAGES = {
    "today": "/", "terminals": "/terminals", "terminal": "/terminals/shop-08", "results": "/results",
    "chain": "/chain", "quarantine": "/quarantine", "alarms": "/alarms", "export": "/export", "account": "/account",
}  # fmt: skip
CROWDED = ("today", "terminals", "alarms")


def missing(what: str) -> None:
    message = f"{what}: this test did not run"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's chromium."""
    program = shutil.which("chromium")
    if program is None:
        missing("chromium is not installed (apt-get install chromium)")
    if not AXE.is_file():
        missing("axe-core is not installed (npm ci --prefix tests/console)")
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        # Debian's chromium has no sandbox for root, in whose name containers run.
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=os.geteuid() != 0)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page for somebody with a role; whatever a page complains of in its console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(console: Console, role: str | None = None, **settings: object) -> Page:
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | settings))
        context.set_default_timeout(LIMIT_MS)
        contexts.append(context)
        if role is not None:
            token = console.house.sign_ins.begin(console.house.accounts.get(console.account(role))).token
            context.add_cookies([{"name": "console", "value": token, "url": console.url, "sameSite": "Strict"}])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def violations(page: Page, rules: list[str] = RULES) -> list[tuple[str, str, str]]:
    """What axe-core finds; by the browser's own protocol, so that the page's policy stays in force."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE.read_text())
    run = "rules => axe.run(document, {resultTypes: ['violations'], runOnly: rules})"
    found = page.evaluate(run, rules)["violations"]
    return [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found]


def is_as_wide_as_its_window(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def picture(request: pytest.FixtureRequest, page: Page, name: str, *, whole: bool = False) -> None:
    if request.config.getoption("--screenshots", default=False):
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)


def test_pages_full_of_results_are_accessible(shared, opened, request):
    page = opened(shared, "auditor")
    for name in CROWDED:
        page.goto(shared.url + PAGES[name])
        assert violations(page) == [], name
        picture(request, page, name)


def test_the_pages_of_those_who_are_not_signed_in_and_of_administrators_are_accessible(console, opened, request):
    page = opened(console)
    page.goto(console.url)
    assert violations(page) == []
    picture(request, page, "sign-in")
    page = opened(console, "administrator")
    page.goto(console.url + "/accounts")
    page.get_by_label("Name").fill("berta")
    page.get_by_label("Role").select_option("auditor")
    page.get_by_role("button", name="Add").click()
    link = page.get_by_role("status").locator("code").inner_text()
    assert violations(page) == []
    berta = opened(console)
    berta.goto(link)
    assert violations(berta) == []
    berta.get_by_label("Choose a password").fill(PASSWORD)
    berta.get_by_label("Choose a password").press("Enter")
    expect(berta.get_by_role("heading", name="Today")).to_be_visible()


@pytest.mark.parametrize("look", ["phone", "dark phone", "high contrast", "high contrast, dark"])
def test_every_page_works_on_a_phone_in_the_dark_and_in_high_contrast(shared, opened, request, look):
    settings = {"viewport": {"width": 320, "height": 640}, "device_scale_factor": 2} if "phone" in look else {}
    settings |= {"color_scheme": "dark"} if "dark" in look else {}
    settings |= {"contrast": "more"} if "contrast" in look else {}
    page = opened(shared, "auditor", **settings)
    pages = PAGES | {"result": "/results/5"}
    for name in pages if look == "phone" else ("today", "terminals", "result", "chain"):
        path = pages[name]
        page.goto(shared.url + path)
        assert is_as_wide_as_its_window(page), name
        rules = RULES if look == "phone" and name in ("today", "result") else CONTRAST
        assert violations(page, rules) == [], name
        if (look, name) == ("phone", "today"):
            picture(request, page, "today-phone")


def test_forced_colours_keep_outcomes_apart(shared, opened):
    page = opened(shared, "viewer", forced_colors="active")
    page.goto(shared.url + "/")
    colours = page.evaluate(
        "[...document.querySelectorAll('.legend .chip i')].map(i => getComputedStyle(i).backgroundColor)"
    )
    assert len(set(colours)) >= 4 and violations(page) == []


def test_without_scripts_everything_but_live_works(shared, opened):
    page = opened(shared, "auditor", java_script_enabled=False)
    for path in PAGES.values():
        assert page.goto(shared.url + path).ok
    page.goto(shared.url + "/export")
    page.get_by_label("Outcome").select_option("rejected")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "results.csv"
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) > 3 and all(",rejected," in line for line in lines[1:])
